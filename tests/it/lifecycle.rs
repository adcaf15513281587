//! Soft deletion, restoration, and the end of the retention.

use serde_json::{Value, json};

use crate::support::handles::{Row, id, set, user_path};
use crate::support::{DAY, World};

async fn delete(world: &World, user: &Value) {
    let path = user_path(user);
    let deleted = world.send("DELETE", &path, None).await;
    assert_eq!((deleted.status.as_u16(), &deleted.body), (204, &Value::Null));
    world.send("GET", &path, None).await.is_error(404, None);
    world.send("DELETE", &path, None).await.is_error(404, None);
    world.send("PUT", &path, json!({ "userName": "x" })).await.is_error(404, None);
    world.send("PATCH", &path, set("active", true)).await.is_error(404, None);
}

#[tokio::test]
async fn a_deleted_user_is_gone_for_the_client_and_expires_in_ninety_days() {
    let world = World::new().await;
    let user = world
        .create(json!({ "userName": "a@example.com", "externalId": "1", "emails": [{ "value": "b@example.com" }] }))
        .await;
    delete(&world, &user).await;
    for filter in [
        "userName eq \"a@example.com\"",
        "externalId eq \"1\"",
        "emails.value eq \"b@example.com\"",
        "title pr or active eq true",
    ] {
        assert!(world.find(filter).await.is_empty(), "{filter}");
    }
    assert_eq!(world.send("GET", "/Users", None).await.body["totalResults"], 0);
    let expiry = Some(world.clock.seconds() + 90 * DAY);
    let rows = world.rows().await;
    let expiring = rows.iter().filter(|row| row.expires() == expiry);
    let mut kinds: Vec<_> = expiring.map(Row::kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["E", "U", "U", "X"], "user, claim and both pointers expire together");
}

#[tokio::test]
async fn the_same_external_id_restores_the_same_user() {
    let world = World::new().await;
    let user =
        world.user(json!({ "userName": "a@example.com", "externalId": "1", "title": "Dr", "active": false })).await;
    delete(&world, &user).await;
    world.clock.advance(89 * DAY);
    let back = world
        .create(json!({ "userName": "a.new@example.com", "externalId": "1", "nickName": "A" }))
        .await;
    assert_eq!((&back["id"], &back["meta"]["created"]), (&user["id"], &user["meta"]["created"]));
    assert_eq!(
        (&back["title"], &back["nickName"], &back["active"]),
        (&json!("Dr"), &json!("A"), &json!(true))
    );
    assert_eq!(back["meta"]["version"], "W/\"3\"");
    assert_eq!(world.find("userName eq \"a.new@example.com\"").await, std::slice::from_ref(&back));
    assert!(world.find("userName eq \"a@example.com\"").await.is_empty());
    world.clock.advance(2 * DAY);
    world.local.engine.sweep().unwrap();
    assert_eq!(user.read().await.body, back, "the expiry is gone from the user's rows");
    assert_eq!(world.find("externalId eq \"1\"").await, [back]);
    assert_eq!(world.send("GET", "/Users", None).await.body["totalResults"], 1);
}

#[tokio::test]
async fn a_shared_external_id_restores_the_user_of_the_same_name() {
    let world = World::new().await;
    let a =
        world.create(json!({ "userName": "a@example.com", "externalId": "1", "title": "A" })).await;
    let b =
        world.create(json!({ "userName": "b@example.com", "externalId": "1", "title": "B" })).await;
    delete(&world, &a).await;
    delete(&world, &b).await;
    let back = world.create(json!({ "userName": "B@example.com", "externalId": "1" })).await;
    assert_eq!((&back["id"], &back["title"]), (&b["id"], &json!("B")));
    delete(&world, &back).await;
    let renamed = world.create(json!({ "userName": "c@example.com", "externalId": "1" })).await;
    assert_eq!(renamed["id"], a["id"], "of another name, it is the first who had it");
}

#[tokio::test]
async fn the_same_name_restores_a_user_without_an_external_id() {
    let world = World::new().await;
    let user = world.create(json!({ "userName": "a@example.com", "title": "Dr" })).await;
    delete(&world, &user).await;
    let back = world.create(json!({ "userName": "A@example.com" })).await;
    assert_eq!(
        (&back["id"], &back["title"], &back["userName"]),
        (&user["id"], &json!("Dr"), &json!("A@example.com"))
    );
}

#[tokio::test]
async fn another_person_may_take_the_name_of_a_deleted_user() {
    let world = World::new().await;
    for (old, new) in
        [(json!("1"), json!("2")), (json!("1"), Value::Null), (Value::Null, json!("2"))]
    {
        let (_, token) =
            world.tenant(&format!("t{}{}", old, new).replace('"', ""), "default").await;
        let send = async |body: Value| world.send_as(&token, "POST", "/Users", body).await;
        let user = json!({ "userName": "a@example.com", "externalId": old, "title": "Dr" });
        let user = world.user_as(&token, user).await;
        assert_eq!(user.delete().await.status, 204);
        let other = send(json!({ "userName": "a@example.com", "externalId": new })).await;
        assert_eq!(other.status, 201, "{}", other.body);
        assert_ne!(other.body["id"], user["id"], "{old} {new}");
        assert_eq!(other.body.get("title"), None);
        let third = send(json!({ "userName": "a@example.com", "externalId": "3" })).await;
        third.is_error(409, Some("uniqueness"));
        if !old.is_null() {
            let back = send(json!({ "userName": "b@example.com", "externalId": old })).await;
            assert_eq!(
                (back.status.as_u16(), &back.body["id"]),
                (201, &user["id"]),
                "still there under its externalId"
            );
        }
    }
}

#[tokio::test]
async fn a_return_under_a_taken_name_is_refused_and_loses_nothing() {
    let world = World::new().await;
    let user = world.create(json!({ "userName": "a@example.com", "externalId": "1" })).await;
    delete(&world, &user).await;
    world.create(json!({ "userName": "a@example.com", "externalId": "2" })).await;
    let taken = world
        .send("POST", "/Users", json!({ "userName": "a@example.com", "externalId": "1" }))
        .await;
    taken.is_error(409, Some("uniqueness"));
    let back = world.create(json!({ "userName": "c@example.com", "externalId": "1" })).await;
    assert_eq!(back["id"], user["id"]);
}

#[tokio::test]
async fn a_second_owner_of_an_external_id_is_restored_too() {
    let world = World::new().await;
    let first = world.user(json!({ "userName": "a@example.com", "externalId": "1" })).await;
    let second = world
        .create(json!({ "userName": "b@example.com", "externalId": "1", "title": "Dr" }))
        .await;
    assert_eq!(first.set("externalId", "2").await.status, 200);
    delete(&world, &second).await;
    let back = world.user(json!({ "userName": "b@example.com", "externalId": "1" })).await;
    assert_eq!((&back["id"], &back["title"]), (&second["id"], &json!("Dr")));
    assert_eq!(world.find("externalId eq \"1\"").await, std::slice::from_ref(&*back));
    // Its externalId can be changed and set again.
    for value in ["3", "1", "2", "1"] {
        assert_eq!(back.set("externalId", value).await.status, 200, "{value}");
        assert!(
            world
                .find(&format!("externalId eq \"{value}\""))
                .await
                .iter()
                .any(|user| user["id"] == back["id"])
        );
    }
    delete(&world, &back).await;
    world.clock.advance(91 * DAY);
    world.local.engine.sweep().unwrap();
    let left = world.rows().await.iter().filter(|row| row.kind() == "X").count();
    assert_eq!(left, 1, "only the first user's row is left");
}

#[tokio::test]
async fn a_former_name_does_not_restore_a_user() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "old@example.com", "externalId": "1" })).await;
    delete(&world, &user).await;
    let back = world.create(json!({ "userName": "new@example.com", "externalId": "1" })).await;
    assert_eq!(back["id"], user["id"]);
    assert_eq!(user.put(json!({ "userName": "new@example.com" })).await.status, 200);
    delete(&world, &back).await;
    let other = world.create(json!({ "userName": "old@example.com" })).await;
    assert_ne!(other["id"], user["id"]);
    let back = world.create(json!({ "userName": "new@example.com" })).await;
    assert_eq!(back["id"], user["id"]);
}

#[tokio::test]
async fn an_external_id_shared_by_all_does_not_slow_creation() {
    let world = World::new().await;
    for n in 0..60 {
        world.create(json!({ "userName": format!("user{n}"), "externalId": "N/A" })).await;
    }
    let one_more =
        world.send("POST", "/Users", json!({ "userName": "last", "externalId": "N/A" })).await;
    assert_eq!(one_more.status, 201);
    assert!(one_more.tally.calls <= 4, "{:?}", one_more.tally);
    assert_eq!(world.find("externalId eq \"N/A\"").await.len(), 61);
}

#[tokio::test]
async fn an_expired_user_is_gone_before_its_rows_are_removed() {
    let world = World::new().await;
    let user = world
        .create(json!({ "userName": "a@example.com", "externalId": "1", "title": "Dr" }))
        .await;
    delete(&world, &user).await;
    world.clock.advance(90 * DAY);
    // The rows are still there: TTL has removed nothing.
    let new = world.create(json!({ "userName": "a@example.com", "externalId": "1" })).await;
    assert_ne!(new["id"], user["id"]);
    assert_eq!(new.get("title"), None);
    assert_eq!(world.find("externalId eq \"1\"").await, [new]);
}

#[tokio::test]
async fn the_sweep_removes_every_trace_of_an_expired_user() {
    let world = World::new().await;
    let tenant_only = world.rows().await.len();
    let user = world
        .create(json!({ "userName": "a@example.com", "externalId": "1", "emails": [{ "value": "b@example.com" }] }))
        .await;
    delete(&world, &user).await;
    world.clock.advance(90 * DAY + 1);
    world.local.engine.sweep().unwrap();
    let id = id(&user);
    let rows = world.rows().await;
    let left: Vec<_> = rows.iter().map(Row::kind).collect();
    assert!(!left.iter().any(|kind| ["U", "X", "E"].contains(kind)), "{left:?}");
    assert_eq!(rows.len() - tenant_only, 3, "a counter and two log rows");
    let dump = format!("{rows:?}");
    assert!(
        !dump.contains("a@example.com") && !dump.contains("b@example.com"),
        "nothing personal outlives the retention"
    );
    assert!(dump.contains(id), "the log knows the id until its own retention ends");
    world.clock.advance(365 * DAY + 1);
    world.local.engine.sweep().unwrap();
    assert!(!format!("{:?}", world.rows().await).contains(id));
}
