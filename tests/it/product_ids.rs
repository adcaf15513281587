//! Ids that a product gave its users: numbers, UUIDs, and texts of its own.

use scim_lambda::operator::import::{Conflict, Mode, RecordOutcome};
use serde_json::{Value, json};

use crate::support::customer::Customer;
use crate::support::encode;
use crate::support::handles::{id, member_ids, members, set, user_path, values};

/// An id of 128 characters.
fn longest() -> String {
    format!("{:z<128}", "Usr_0123456789.eu-")
}

async fn customer() -> Customer {
    let settings =
        [("create.existing", "link"), ("deprovision.on_inactive", "suspend_with_expiry")];
    Customer::with("default", &settings).await
}

#[tokio::test]
async fn a_user_lives_under_the_id_that_the_product_gave() {
    let customer = customer().await;
    let ids = [json!(42), json!("A0B1C2D3-0000-4000-8000-00000000000F"), json!(longest())];
    for (number, own) in ids.iter().enumerate() {
        let name = format!("user{number}");
        let record = json!({ "id": own, "userName": name, "externalId": format!("e{number}") });
        customer.world.import(&customer.row, &[record], Mode::Store).await;
        let user = customer.create(json!({ "userName": name, "active": true })).await;
        let own = match own.as_str() {
            Some(uuid) if number == 1 => uuid.to_lowercase(),
            Some(text) => text.to_owned(),
            None => own.to_string(),
        };
        assert_eq!(id(&user), own, "adopted under the product's id");
        let location = user["meta"]["location"].as_str().unwrap();
        assert!(location.ends_with(&format!("/Users/{own}")), "{location}");

        // It is a member like any other; a client may change the case.
        let body = json!({ "displayName": name, "members": values(&[own.to_uppercase()]) });
        let group = customer.send("POST", "/Groups", body).await;
        assert_eq!(group.status, 201, "{}", group.body);
        let written = if number == 1 { own.clone() } else { own.to_uppercase() };
        assert_eq!(member_ids(&group.body), [written], "as the client wrote it");
        let path = format!("/Groups/{}", id(&group.body));
        let filter = format!("/Groups?filter={}", encode(&format!("members.value eq \"{own}\"")));
        assert_eq!(customer.send("GET", &filter, None).await.body["totalResults"], 1, "{own}");
        let with_groups = format!("{}?attributes=groups", user_path(&user));
        let groups = customer.send("GET", &with_groups, None).await.body["groups"].clone();
        assert_eq!(groups[0]["display"], name.as_str());
        let left = customer
            .send("PATCH", &path, members("remove", values(std::slice::from_ref(&own))))
            .await;
        assert_eq!(member_ids(&left.body), [""; 0], "{}", left.body);
        let joined =
            customer.send("PATCH", &path, members("add", values(std::slice::from_ref(&own)))).await;
        assert_eq!(member_ids(&joined.body), std::slice::from_ref(&own));

        // Suspended with expiry and back, deleted and back, always the same person.
        for active in [false, true] {
            assert_eq!(customer.activate(&user, active).await.body["active"], active);
        }
        let renamed = customer.set(&user, "userName", json!(format!("{name}-b"))).await;
        assert_eq!(renamed.status, 200, "{}", renamed.body);
        assert_eq!(customer.delete(&user).await.status, 204);
        assert_eq!(customer.get(&user).await.status, 404);
        let left = customer.send("GET", &path, None).await.body;
        assert_eq!(member_ids(&left), [""; 0], "a deleted user is in no group");
        let back = json!({ "userName": format!("{name}-b"), "externalId": format!("e{number}") });
        assert_eq!(id(&customer.create(back).await), own);
    }
    let listed = customer.send("GET", "/Users?count=2&startIndex=2", None).await.body;
    assert_eq!((&listed["totalResults"], &listed["itemsPerPage"]), (&json!(3), &json!(2)));
}

#[tokio::test]
async fn a_suspended_user_with_a_products_id_is_erased_in_time() {
    let customer = customer().await;
    let record = json!({ "id": "7", "userName": "ophelia" });
    customer.world.import(&customer.row, &[record], Mode::Store).await;
    let user = customer.create(json!({ "userName": "ophelia" })).await;
    assert_eq!(customer.send("PATCH", &user_path(&user), set("active", false)).await.status, 200);
    customer.world.clock.advance(91 * 24 * 60 * 60);
    assert_eq!(customer.send("GET", "/Users", None).await.body["totalResults"], 0);
    assert_eq!(customer.get(&user).await.status, 404);
    assert_eq!(customer.rows_with("ophelia").await, 0, "nothing is left");
    assert_eq!(customer.world.rows_of("#D").await, 0);
}

#[tokio::test]
async fn two_users_cannot_have_ids_that_differ_only_in_case() {
    let customer = customer().await;
    let record = |id: &str, name: &str| json!({ "id": id, "userName": name });
    let outcomes = async |records: &[Value]| {
        let report = customer.world.import(&customer.row, records, Mode::Store).await;
        report.lines.into_iter().map(|line| line.outcome).collect::<Vec<_>>()
    };
    let first = outcomes(&[record("Usr_1", "a"), record("usr_1", "b")]).await;
    assert!(matches!(first[0], RecordOutcome::Imported), "{first:?}");
    assert!(matches!(first[1], RecordOutcome::Conflict(Conflict::SameInFile { .. })), "{first:?}");
    let second = outcomes(&[record("USR_1", "c")]).await;
    assert!(matches!(second[0], RecordOutcome::Conflict(_)), "{second:?}");
    assert_eq!(customer.create(json!({ "userName": "a" })).await["id"], "Usr_1");
}

#[tokio::test]
async fn an_id_with_a_meaning_of_its_own_is_not_imported() {
    let customer = customer().await;
    let record = |id: &str| json!({ "id": id, "userName": "a" });
    let too_long = format!("{}z", longest());
    for id in [".", "..", ".search", "bulkId", "a/b", "a b", "ä", "a#b", "a~b", &too_long] {
        let report = customer.world.import(&customer.row, &[record(id)], Mode::Store).await;
        let outcome = &report.lines[0].outcome;
        assert!(matches!(outcome, RecordOutcome::Invalid(why) if why.contains("1 to 128")), "{id}");
        assert_eq!(customer.rows_with("unmanaged").await, 0);
    }
}
