//! Hoxhunt.

use scim_lambda::operator::import::{Key, Mode, RecordOutcome};
use serde_json::{Value, json};

use super::person;
use crate::support::customer::Customer;
use crate::support::handles;
use crate::support::{DAY, ENTERPRISE};

fn before(name: &str) -> Value {
    json!({ "userName": format!("{name}@example.com"), "externalId": name, "title": "Dr" })
}

#[tokio::test]
async fn entra_okta_and_onelogin_provision_into_it() {
    for idp in ["entra", "okta", "onelogin"] {
        let hoxhunt = Customer::with("hoxhunt", &[("dialect.idp", idp)]).await;
        let user = hoxhunt.create(person("a")).await;
        let work =
            hoxhunt.set(&user, "emails[type eq \"work\"].value", json!("b@example.com")).await;
        assert_eq!(
            (work.status.as_u16(), &work.body["emails"][0]["value"]),
            (200, &json!("b@example.com")),
            "{idp}"
        );
    }
}

#[tokio::test]
async fn users_that_the_product_had_are_linked_by_external_id_then_user_name_then_verified_e_mail()
{
    let hoxhunt = Customer::new("hoxhunt").await;
    let verified = json!({ "userName": "old.name", "title": "V", "verifiedEmails": ["c@example.com"],
        "emails": [{ "value": "c@example.com" }, { "value": "d@example.com" }] });
    let report = hoxhunt.import(&[before("a"), before("b"), verified]).await;
    assert!(report.is_clean(), "{report:?}");
    let id = |n: usize| json!(report.lines[n].id.as_ref().unwrap().as_str());
    // By externalId, whatever the name is now.
    let mut a = person("a");
    a["userName"] = json!("a.new@example.com");
    let a = hoxhunt.create(a).await;
    assert_eq!(
        (&a["id"], &a["title"], &a["userName"]),
        (&id(0), &json!("Dr"), &json!("a.new@example.com"))
    );
    // By userName.
    let mut b = person("b");
    b["externalId"] = json!("b2");
    let b = hoxhunt.create(b).await;
    assert_eq!((&b["id"], &b["externalId"]), (&id(1), &json!("b2")));
    // An unverified address links no user; a verified one does.
    assert_ne!(hoxhunt.create(person("d")).await["id"], id(2));
    let c = hoxhunt.create(person("c")).await;
    assert_eq!((&c["id"], &c["title"]), (&id(2), &json!("V")));
    assert_eq!(
        (hoxhunt.total().await, hoxhunt.find("userName eq \"old.name\"").await.len()),
        (4, 0)
    );
    assert_eq!(hoxhunt.log().await.iter().filter(|operation| *operation == "link").count(), 3);
}

#[tokio::test]
async fn a_link_is_made_once_and_not_again_for_a_changed_e_mail() {
    let hoxhunt = Customer::new("hoxhunt").await;
    let people = [
        before("a"),
        json!({ "userName": "b", "title": "B", "verifiedEmails": ["b@example.com"] }),
    ];
    let report = hoxhunt.import(&people).await;
    let a = hoxhunt.create(person("a")).await;
    let changed = hoxhunt.set(&a, "emails[type eq \"work\"].value", json!("b@example.com")).await;
    assert_eq!((changed.status.as_u16(), &changed.body["id"]), (200, &a["id"]));
    assert_eq!(changed.body["title"], "Dr", "still the same person");
    hoxhunt.set(&a, "userName", json!("B")).await.is_error(409, Some("uniqueness"));
    let b = hoxhunt.create(person("b")).await;
    assert_eq!(
        b["id"],
        report.lines[1].id.as_ref().unwrap().as_str(),
        "the user who is still to be linked"
    );
}

#[tokio::test]
async fn a_dry_run_reports_links_and_conflicts_and_stores_nothing() {
    let hoxhunt = Customer::new("hoxhunt").await;
    let there = hoxhunt.create(person("there")).await;
    let people = [
        before("a"),
        json!({ "userName": "A@example.com" }),
        before("there"),
        json!({ "userName": "e", "verifiedEmails": ["e@example.com"] }),
        json!({ "externalId": "nameless", "emial": "n@example.com", "nickName": "N" }),
    ];
    let report = hoxhunt.imported(&people, Mode::DryRun).await;
    let lines = &report.lines;
    assert_eq!(lines[0].outcome, RecordOutcome::Imported);
    assert_eq!(lines[0].links_on, [Key::ExternalId, Key::UserName]);
    assert!(matches!(lines[1].outcome, RecordOutcome::Conflict(_)), "{:?}", lines[1]);
    let RecordOutcome::Provisioned { id, .. } = &lines[2].outcome else {
        panic!("{:?}", lines[2]);
    };
    assert_eq!(id.as_str(), there["id"]);
    assert_eq!(lines[3].outcome, RecordOutcome::Imported);
    assert_eq!(lines[3].links_on, [Key::UserName, Key::VerifiedEmail]);
    assert!(matches!(lines[4].outcome, RecordOutcome::Invalid(_)), "{:?}", lines[4]);
    assert_eq!(Vec::from_iter(&report.left_out), ["emial", "nickName"], "misspelled, not kept");
    assert_eq!(hoxhunt.rows_with("unmanaged").await, 0, "nothing is stored");
    let again = hoxhunt.import(&people).await;
    assert_eq!((again.faults(), hoxhunt.rows_with("unmanaged").await > 0), (2, true));
    assert_eq!(
        hoxhunt.import(&people[..1]).await.counts().known,
        1,
        "a second run stores no user twice"
    );
}

#[tokio::test]
async fn an_ambiguous_user_is_linked_once_the_operator_removes_the_others() {
    let hoxhunt = Customer::new("hoxhunt").await;
    let shared = |name: &str| json!({ "userName": name, "verifiedEmails": ["c@example.com"] });
    let one = hoxhunt.import(&[shared("one")]).await;
    assert_eq!(
        hoxhunt.import(&[shared("two")]).await.faults(),
        1,
        "an address verifies one account"
    );
    let id = one.lines[0].id.clone().unwrap();
    assert!(hoxhunt.forget(&id).await.is_ok());
    assert_eq!(hoxhunt.forget(&id).await.unwrap_err().kind.wire().0, 404);
    let unmanaged = r#""st": S("unmanaged")"#;
    assert_eq!(hoxhunt.rows_with(unmanaged).await, 0, "its names are free");
    let two = hoxhunt.import(&[shared("two")]).await;
    let user = hoxhunt.create(person("c")).await;
    assert_eq!(user["id"], two.lines[0].id.as_ref().unwrap().as_str());
    let provisioned = handles::id(&user).parse().unwrap();
    assert!(
        hoxhunt.forget(&provisioned).await.is_err(),
        "a provisioned user belongs to the identity provider"
    );
}

#[tokio::test]
async fn users_outside_the_scope_are_not_listed_and_not_touched() {
    let hoxhunt = Customer::new("hoxhunt").await;
    let report = hoxhunt.import(&[before("outside"), before("inside")]).await;
    let outside = json!({ "id": report.lines[0].id.as_ref().unwrap().as_str() });
    hoxhunt.create(person("inside")).await;
    let stored = hoxhunt.stored(&outside).await.unwrap();
    hoxhunt.get(&outside).await.is_error(404, None);
    hoxhunt.activate(&outside, false).await.is_error(404, None);
    hoxhunt.put(&outside, person("outside")).await.is_error(404, None);
    hoxhunt.delete(&outside).await.is_error(404, None);
    assert_eq!(hoxhunt.total().await, 1);
    for filter in
        ["userName eq \"outside@example.com\"", "externalId eq \"outside\"", "title eq \"Dr\""]
    {
        let found = hoxhunt.find(filter).await;
        assert!(found.iter().all(|user| user["id"] != outside["id"]), "{filter}");
    }
    assert_eq!(hoxhunt.stored(&outside).await.unwrap(), stored);
}

#[tokio::test]
async fn its_attributes_are_kept_and_the_manager_is_an_id_or_an_e_mail() {
    let hoxhunt = Customer::new("hoxhunt").await;
    for manager in ["m@example.com", "2819c223-7f76-453a-919d-413861904646"] {
        let mut body = person(manager.get(..5).unwrap());
        body["title"] = json!("Dr");
        body["preferredLanguage"] = json!("fi");
        body["addresses"] = json!([{ "type": "work", "country": "FI", "locality": "Helsinki" }]);
        body[ENTERPRISE] =
            json!({ "department": "R", "division": "S", "manager": { "value": manager } });
        let user = hoxhunt.create(body.clone()).await;
        for name in ["title", "preferredLanguage", "addresses", ENTERPRISE] {
            assert_eq!(user[name], body[name], "{name}");
        }
        let moved =
            hoxhunt.set(&user, "addresses[type eq \"work\"].locality", json!("Espoo")).await;
        assert_eq!(moved.body["addresses"][0]["locality"], "Espoo");
    }
}

#[tokio::test]
async fn the_work_e_mail_is_looked_up_by_an_index() {
    let hoxhunt = Customer::new("hoxhunt").await;
    let mut body = person("a");
    body["emails"] = json!([{ "type": "work", "value": "w@example.com" }, { "type": "home", "value": "h@example.com" }]);
    let user = hoxhunt.create(body).await;
    for n in 0..30 {
        hoxhunt.create(person(&format!("other{n}"))).await;
    }
    let filter = crate::support::encode("emails[type eq \"work\"].value eq \"W@example.com\"");
    let found = hoxhunt.send("GET", &format!("/Users?filter={filter}"), None).await;
    assert_eq!(found.body["Resources"], json!([user]));
    assert!(found.tally.calls <= 4 && found.tally.read_units <= 5.0, "{:?}", found.tally);
    assert!(hoxhunt.find("emails[type eq \"work\"].value eq \"h@example.com\"").await.is_empty());
}

#[tokio::test]
async fn a_suspended_user_is_erased_after_ninety_days_and_the_log_says_so() {
    let hoxhunt = Customer::new("hoxhunt").await;
    let user = hoxhunt.create(person("gone")).await;
    assert_eq!(hoxhunt.activate(&user, false).await.body["active"], false);
    hoxhunt.world.clock.advance(90 * DAY - 1);
    assert_eq!(
        (hoxhunt.get(&user).await.body["active"].clone(), hoxhunt.total().await),
        (json!(false), 1)
    );
    hoxhunt.world.clock.advance(1);
    hoxhunt.get(&user).await.is_error(404, None);
    assert_eq!(
        (hoxhunt.total().await, hoxhunt.find("userName eq \"gone@example.com\"").await.len()),
        (0, 0)
    );
    assert_eq!(
        (hoxhunt.stored(&user).await, hoxhunt.rows_with("gone").await),
        (None, 0),
        "nothing personal is left"
    );
    assert_eq!(hoxhunt.log().await.last().unwrap(), "expire");
    assert_ne!(
        hoxhunt.create(person("gone")).await["id"],
        user["id"],
        "the name is free for a new person"
    );
}

#[tokio::test]
async fn reactivation_or_reassignment_cancels_expiry_and_keeps_id_and_data() {
    for way in ["activate", "put", "post", "deleted"] {
        let hoxhunt = Customer::new("hoxhunt").await;
        let mut body = person(way);
        body["title"] = json!("Dr");
        let user = hoxhunt.create(body).await;
        if way == "deleted" {
            assert_eq!(hoxhunt.delete(&user).await.status, 204);
        } else {
            assert_eq!(hoxhunt.activate(&user, false).await.status, 200);
        }
        hoxhunt.world.clock.advance(60 * DAY);
        let back = match way {
            "activate" => hoxhunt.activate(&user, true).await,
            "put" => {
                hoxhunt
                    .put(
                        &user,
                        json!({ "userName": "put@example.com", "title": "Dr", "active": true }),
                    )
                    .await
            }
            _ => hoxhunt.post(person(way)).await,
        };
        assert!(back.status.is_success(), "{way}: {}", back.body);
        assert_eq!((&back.body["id"], &back.body["title"]), (&user["id"], &json!("Dr")), "{way}");
        assert_eq!(back.body["active"], true, "{way}");
        hoxhunt.world.clock.advance(60 * DAY);
        hoxhunt.world.local.engine.sweep().unwrap();
        assert_eq!(hoxhunt.get(&user).await.body["active"], true, "{way}: no clock runs any more");
        assert_eq!(hoxhunt.total().await, 1);
    }
}

#[tokio::test]
async fn provisioning_can_be_controlled_and_audited() {
    let hoxhunt = Customer::new("hoxhunt").await;
    let user = hoxhunt.create(person("a")).await;
    hoxhunt.set(&user, "title", json!("Dr")).await;
    hoxhunt.activate(&user, false).await;
    hoxhunt.delete(&user).await;
    hoxhunt.create(person("a")).await;
    assert_eq!(hoxhunt.log().await, ["create", "patch", "patch", "delete", "restore"]);
    let row = hoxhunt.stored(&user).await.unwrap();
    assert_eq!(
        row.text("ev"),
        Some("restore"),
        "the event says that the user was restored, not invited"
    );
    assert_eq!(row.text("ac"), Some(hoxhunt.token.key_id().as_str()));
}

#[tokio::test]
async fn linking_and_expiry_cost_a_few_reads() {
    let hoxhunt = Customer::new("hoxhunt").await;
    let user = hoxhunt.create(person("a")).await;
    let made = hoxhunt.post(person("b")).await;
    // The due users; an imported user of this externalId, userName, address; the transaction.
    assert_eq!((made.tally.calls, made.tally.read_units, made.tally.write_units), (5, 4.0, 10.0));
    let got = hoxhunt.get(&user).await;
    assert_eq!((got.tally.calls, got.tally.read_units), (2, 2.0), "the due users, and the user");
    let suspended = hoxhunt.activate(&user, false).await;
    // User, claim, externalId, who is due, counter, log.
    assert_eq!((suspended.tally.calls, suspended.tally.write_units), (3, 12.0));
    let plain = Customer::of(&hoxhunt.world, "default", &[]).await;
    let user = plain.create(person("a")).await;
    assert_eq!(plain.get(&user).await.tally.calls, 1, "other profiles do not ask");
}
