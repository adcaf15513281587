//! Users who left or are about to leave, and imported users: which of them own the names.

use scim_lambda::auth::token::PlainToken;
use scim_lambda::operator::import::{Conflict, Mode, RecordOutcome};
use scim_lambda::store::TenantRow;
use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::connectors::Fault;
use crate::support::handles::{set, user_path};

/// A world, and a tenant in it with these settings.
async fn tenant(settings: &[(&str, &str)]) -> (World, TenantRow, PlainToken) {
    let world = World::new().await;
    let default = Profile::preset("default", None).unwrap();
    let profile =
        settings.iter().fold(default, |profile, (path, value)| profile.with(path, value).unwrap());
    let (row, token) = world.tenant("initech", &profile.write().unwrap()).await;
    (world, row, token)
}

async fn post(world: &World, token: &PlainToken, user: Value) -> Value {
    let answer = world.send_as(token, "POST", "/Users", user).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body
}

async fn delete(world: &World, token: &PlainToken, user: &Value) {
    let path = user_path(user);
    assert_eq!(world.send_as(token, "DELETE", &path, None).await.status, 204);
}

async fn suspend(world: &World, token: &PlainToken, user: &Value) {
    let path = user_path(user);
    let patch = set("active", false);
    assert_eq!(world.send_as(token, "PATCH", &path, patch).await.status, 200);
}

async fn import(world: &World, row: &TenantRow, user: Value, mode: Mode) -> RecordOutcome {
    world.import(row, &[user], mode).await.lines.remove(0).outcome
}

#[tokio::test]
async fn an_import_does_not_take_the_names_of_a_deleted_user() {
    let (world, row, token) = tenant(&[]).await;
    for user in [
        json!({ "userName": "a@example.com" }),
        json!({ "userName": "b@example.com", "externalId": "1" }),
    ] {
        let made = post(&world, &token, user.clone()).await;
        delete(&world, &token, &made).await;
        for mode in [Mode::DryRun, Mode::Store] {
            let outcome = import(&world, &row, user.clone(), mode).await;
            assert!(
                matches!(&outcome, RecordOutcome::Conflict(Conflict::Deleted(_))),
                "{outcome:?}"
            );
        }
        assert_eq!(
            post(&world, &token, user).await["id"],
            made["id"],
            "the same person comes back"
        );
    }
}

#[tokio::test]
async fn a_return_under_another_name_leaves_no_rows_behind() {
    let (world, row, token) = tenant(&[("deprovision.on_delete", "deactivate")]).await;
    let user =
        json!({ "userName": "a", "externalId": "1", "emails": [{ "value": "a@example.com" }] });
    let made = post(&world, &token, user).await;
    delete(&world, &token, &made).await;
    let user =
        json!({ "userName": "b", "externalId": "1", "emails": [{ "value": "b@example.com" }] });
    assert_eq!(post(&world, &token, user).await["id"], made["id"]);
    let rows = world.rows().await;
    assert!(rows.iter().all(|row| row.expires().is_none() || row.kind() == "L"), "{rows:?}");
    assert_eq!(
        import(&world, &row, json!({ "userName": "a" }), Mode::Store).await,
        RecordOutcome::Imported,
        "the name is free"
    );
}

#[tokio::test]
async fn a_suspended_user_returns_although_an_imported_one_has_the_address() {
    let settings =
        [("deprovision.on_inactive", "suspend_with_expiry"), ("create.existing", "link")];
    let (world, row, token) = tenant(&settings).await;
    let imported = json!({ "userName": "b", "verifiedEmails": ["m@example.com"] });
    for external_id in [json!("1"), json!(null)] {
        let name = format!("a{external_id}").replace('"', "");
        let user = json!({ "userName": name, "externalId": external_id });
        let made = post(&world, &token, user.clone()).await;
        import(&world, &row, imported.clone(), Mode::Store).await;
        let user = json!({ "userName": name, "externalId": external_id, "emails": [{ "value": "m@example.com" }] });
        suspend(&world, &token, &made).await;
        let back = post(&world, &token, user.clone()).await;
        assert_eq!((&back["id"], &back["active"]), (&made["id"], &json!(true)));
        // So does a deleted user: the address is weaker evidence.
        delete(&world, &token, &back).await;
        let back = post(&world, &token, user).await;
        assert_eq!((&back["id"], &back["active"]), (&made["id"], &json!(true)));
        delete(&world, &token, &back).await;
    }
}

#[tokio::test]
async fn one_of_two_concurrent_returns_of_a_suspended_user_is_late() {
    let (world, _, token) = tenant(&[("deprovision.on_inactive", "suspend_with_expiry")]).await;
    let user = json!({ "userName": "a" });
    let made = post(&world, &token, user.clone()).await;
    suspend(&world, &token, &made).await;
    // Both have read before one of them writes.
    world.between.set(|called, _| (called == "TransactWriteItems").then_some(Fault::Slow(20)));
    let back = || world.send_as(&token, "POST", "/Users", user.clone());
    let (one, other) = tokio::join!(back(), back());
    let (back, late) = if one.status == 201 { (one, other) } else { (other, one) };
    assert_eq!((back.status.as_u16(), &back.body["id"]), (201, &made["id"]));
    late.is_error(409, Some("uniqueness"));
}

#[tokio::test]
async fn concurrent_imports_of_one_file_create_each_user_once() {
    let (world, row, _) = tenant(&[]).await;
    // Both have read before one of them writes.
    world.between.set(|called, _| (called == "TransactWriteItems").then_some(Fault::Slow(20)));
    let users = [
        json!({ "userName": "a", "externalId": "1" }),
        json!({ "userName": "b", "verifiedEmails": ["b@example.com"] }),
        json!({ "userName": "c" }),
    ];
    let import = || world.import(&row, &users, Mode::Store);
    let (one, other) = tokio::join!(import(), import());
    for (one, other) in one.lines.into_iter().zip(other.lines) {
        let [one, other] =
            if one.outcome == RecordOutcome::Imported { [one, other] } else { [other, one] };
        assert_eq!(
            (&one.outcome, &other.outcome),
            (&RecordOutcome::Imported, &RecordOutcome::Known(one.id.unwrap()))
        );
    }
}

#[tokio::test]
async fn concurrent_activations_of_one_user_take_one_seat() {
    let settings = [("seats.limit", "1"), ("brake.deactivations", "1")];
    let (world, _, token) = tenant(&settings).await;
    let made = post(&world, &token, json!({ "userName": "a", "active": false })).await;
    let path = user_path(&made);
    // Both have read before one of them writes.
    world.between.set(|called, _| (called == "TransactWriteItems").then_some(Fault::Slow(20)));
    for active in [true, false] {
        let patch = set("active", active);
        let change = || world.send_as(&token, "PATCH", &path, patch.clone());
        let (one, other) = tokio::join!(change(), change());
        for answer in [one, other] {
            assert_eq!(
                (answer.status.as_u16(), &answer.body["active"]),
                (200, &json!(active)),
                "{}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn a_leaver_returns_by_both_names_although_it_no_longer_owns_either() {
    let (world, row, token) = tenant(&[("create.existing", "link")]).await;
    // Two users have one externalId, and the second leaves. Another takes its name and gives it up.
    post(&world, &token, json!({ "userName": "first", "externalId": "1" })).await;
    let leaver = post(&world, &token, json!({ "userName": "a", "externalId": "1" })).await;
    delete(&world, &token, &leaver).await;
    let other = post(&world, &token, json!({ "userName": "a" })).await;
    let path = user_path(&other);
    let rename = set("userName", "other");
    assert_eq!(world.send_as(&token, "PATCH", &path, rename).await.status, 200);
    let imported = json!({ "userName": "b", "verifiedEmails": ["m@example.com"] });
    assert_eq!(import(&world, &row, imported, Mode::Store).await, RecordOutcome::Imported);
    let user =
        json!({ "userName": "a", "externalId": "1", "emails": [{ "value": "m@example.com" }] });
    assert_eq!(
        post(&world, &token, user).await["id"],
        leaver["id"],
        "not by the address of an imported user"
    );
}

#[tokio::test]
async fn a_suspended_user_returns_under_a_new_name_by_its_external_id() {
    let settings =
        [("deprovision.on_inactive", "suspend_with_expiry"), ("create.existing", "link")];
    let (world, row, token) = tenant(&settings).await;
    let made = post(&world, &token, json!({ "userName": "maiden", "externalId": "1" })).await;
    suspend(&world, &token, &made).await;
    let imported = json!({ "userName": "b", "verifiedEmails": ["m@example.com"] });
    assert_eq!(import(&world, &row, imported, Mode::Store).await, RecordOutcome::Imported);
    let user = json!({ "userName": "married", "externalId": "1", "emails": [{ "value": "m@example.com" }] });
    let back = post(&world, &token, user).await;
    assert_eq!(
        (&back["id"], &back["userName"], &back["active"]),
        (&made["id"], &json!("married"), &json!(true))
    );
    world.clock.advance(100 * 24 * 60 * 60);
    let path = user_path(&made);
    assert_eq!(
        world.send_as(&token, "GET", &path, None).await.status,
        200,
        "the clock has stopped"
    );
    assert_ne!(
        post(&world, &token, json!({ "userName": "maiden" })).await["id"],
        made["id"],
        "the name is free"
    );
}

#[tokio::test]
async fn a_returning_user_loses_a_unique_value_taken_in_the_meantime() {
    let badge = "[{\"name\":\"badge\",\"type\":\"string\",\"uniqueness\":\"server\"}]";
    let (world, row, token) =
        tenant(&[("attributes.overlay", badge), ("attributes.unique_external_id", "true")]).await;
    let a = post(&world, &token, json!({ "userName": "a", "badge": "4" })).await;
    let b = post(&world, &token, json!({ "userName": "b", "badge": "5", "externalId": "1" })).await;
    delete(&world, &token, &a).await;
    delete(&world, &token, &b).await;
    post(&world, &token, json!({ "userName": "c", "badge": "4" })).await;
    let other = post(&world, &token, json!({ "userName": "d", "badge": "5" })).await;
    let path = user_path(&other);
    let take = json!({ "Operations": [{ "op": "add", "path": "externalId", "value": "1" }] });
    assert_eq!(world.send_as(&token, "PATCH", &path, take).await.status, 200);
    // A POST that claims the value does not get it.
    let asking =
        world.send_as(&token, "POST", "/Users", json!({ "userName": "a", "badge": "4" })).await;
    asking.is_error(409, Some("uniqueness"));
    let back = post(&world, &token, json!({ "userName": "a" })).await;
    assert_eq!((&back["id"], back.get("badge")), (&a["id"], None));
    let customer = crate::support::customer::Customer { world: world.into(), row, token };
    customer.restore(&b).await.unwrap();
    let back = customer.get(&b).await.body;
    assert_eq!(
        (back.get("badge"), back.get("externalId")),
        (None, None),
        "neither for the operator"
    );
}

#[tokio::test]
async fn a_return_keeps_the_unique_value_and_a_shared_external_id_identifies_no_user() {
    let badge = "[{\"name\":\"badge\",\"type\":\"string\",\"uniqueness\":\"server\"}]";
    let (world, _, token) = tenant(&[
        ("attributes.overlay", badge),
        ("deprovision.on_inactive", "suspend_with_expiry"),
    ])
    .await;
    let made =
        post(&world, &token, json!({ "userName": "maiden", "externalId": "1", "badge": "5" }))
            .await;
    suspend(&world, &token, &made).await;
    let back =
        post(&world, &token, json!({ "userName": "married", "externalId": "1", "badge": "5" }))
            .await;
    assert_eq!((&back["id"], &back["badge"]), (&made["id"], &json!("5")));
    let other =
        world.send_as(&token, "POST", "/Users", json!({ "userName": "c", "badge": "5" })).await;
    other.is_error(409, Some("uniqueness"));
    // An externalId that several users share does not identify any of them.
    post(&world, &token, json!({ "userName": "second", "externalId": "1" })).await;
    suspend(&world, &token, &back).await;
    let third = post(&world, &token, json!({ "userName": "third", "externalId": "1" })).await;
    assert_ne!(third["id"], made["id"]);
}

#[tokio::test]
async fn a_user_who_lost_a_unique_external_id_returns_once_it_may_be_shared() {
    let mut customer = crate::support::customer::Customer::with(
        "default",
        &[("attributes.unique_external_id", "true")],
    )
    .await;
    let leaver = customer.create(json!({ "userName": "a", "externalId": "1" })).await;
    assert_eq!(customer.delete(&leaver).await.status, 204);
    let other = customer.create(json!({ "userName": "b" })).await;
    assert_eq!(customer.set(&other, "externalId", json!("1")).await.status, 200);
    customer.change(&Profile::preset("default", None).unwrap()).await;
    let back = customer.create(json!({ "userName": "a", "externalId": "1" })).await;
    assert_eq!(back["id"], leaver["id"]);
    assert_eq!(customer.find("externalId eq \"1\"").await.len(), 2, "both have it now");
}
