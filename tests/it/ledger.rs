//! What each operation costs in DynamoDB, asserted exactly: calls, read units, write units.

use serde_json::{Value, json};

use crate::support::{Answer, World};

#[track_caller]
fn cost(what: &str, answer: &Answer, calls: u32, read: f64, write: f64) {
    assert!(answer.status.as_u16() < 500, "{what}: {}", answer.body);
    let tally = answer.tally;
    assert_eq!((tally.calls, tally.read_units, tally.write_units), (calls, read, write), "{what}");
}

fn user(name: &str) -> Value {
    json!({
        "userName": format!("{name}@example.com"), "externalId": name, "displayName": "Barbara Jensen",
        "name": { "givenName": "Barbara", "familyName": "Jensen" },
        "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }],
    })
}

#[tokio::test]
async fn the_ledger_of_users() {
    let world = World::new().await;
    // The tenant's row is read once a minute; it is no operation's cost.
    world.send("GET", "/ServiceProviderConfig", None).await;

    let created = world.send("POST", "/Users", user("a")).await;
    cost("create: user, claim, externalId, counter, log", &created, 1, 0.0, 10.0);
    let path = format!("/Users/{}", created.body["id"].as_str().unwrap());
    cost("get", &world.send("GET", &path, None).await, 1, 1.0, 0.0);
    let filter = |filter: &str| format!("/Users?filter={}", crate::support::encode(filter));
    cost("userName eq, hit", &world.send("GET", &filter("userName eq \"a@example.com\""), None).await, 1, 1.0, 0.0);
    cost("userName eq, miss", &world.send("GET", &filter("userName eq \"b@example.com\""), None).await, 1, 1.0, 0.0);
    cost("externalId eq, hit", &world.send("GET", &filter("externalId eq \"a\""), None).await, 2, 2.0, 0.0);
    cost("externalId eq, miss", &world.send("GET", &filter("externalId eq \"b\""), None).await, 1, 1.0, 0.0);
    cost(
        "emails.value eq, hit",
        &world.send("GET", &filter("emails.value eq \"a@example.com\""), None).await,
        2,
        2.0,
        0.0,
    );

    let patch = |operations: Value| json!({ "Operations": operations });
    let title = patch(json!([{ "op": "add", "path": "title", "value": "Dr" }]));
    cost("PATCH, active unchanged", &world.send("PATCH", &path, title.clone()).await, 2, 1.0, 4.0);
    cost("PATCH, nothing changed", &world.send("PATCH", &path, title).await, 1, 1.0, 0.0);
    let inactive = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
    cost("PATCH that flips active", &world.send("PATCH", &path, inactive).await, 2, 1.0, 6.0);
    cost("PUT, active unchanged", &world.send("PUT", &path, user("a")).await, 2, 1.0, 4.0);
    cost("PUT, nothing changed", &world.send("PUT", &path, user("a")).await, 1, 1.0, 0.0);
    let mut renamed = user("a");
    renamed["userName"] = json!("renamed@example.com");
    renamed["emails"] = Value::Null;
    cost("rename: user, two claims, log", &world.send("PUT", &path, renamed).await, 2, 1.0, 8.0);
    cost(
        "userName eq after a rename",
        &world.send("GET", &filter("userName eq \"renamed@example.com\""), None).await,
        2,
        2.0,
        0.0,
    );
    cost(
        "create of a taken name",
        &world.send("POST", "/Users", json!({ "userName": "renamed@example.com" })).await,
        1,
        0.0,
        0.0,
    );

    let deleted = world.send("DELETE", &path, None).await;
    cost("soft delete: user, claim, externalId, counter, log", &deleted, 3, 2.0, 10.0);
    cost("get after delete", &world.send("GET", &path, None).await, 1, 1.0, 0.0);
    let back = world.send("POST", "/Users", json!({ "userName": "renamed@example.com", "externalId": "a" })).await;
    cost("restore by re-POST", &back, 4, 2.0, 10.0);
    assert_eq!(world.send("DELETE", &path, None).await.status, 204);
    let other = world.send("POST", "/Users", json!({ "userName": "renamed@example.com", "externalId": "b" })).await;
    cost("create under the name of another, deleted person", &other, 3, 1.0, 10.0);
}

#[tokio::test]
async fn the_ledger_of_lists() {
    let world = World::new().await;
    for n in 0..250 {
        world.create(user(&format!("user{n}"))).await;
    }
    let first = world.send("GET", "/Users", None).await;
    assert_eq!(first.body["itemsPerPage"], 100);
    assert!(first.tally.calls <= 2, "{:?}", first.tally);
    assert!(first.tally.read_units <= 32.0, "{:?}", first.tally);
    let deep = world.send("GET", "/Users?startIndex=200&count=50", None).await;
    assert_eq!(deep.body["itemsPerPage"], 50);
    assert!(deep.tally.calls <= 2 && deep.tally.read_units <= 50.0, "{:?}", deep.tally);
    let count = world.send("GET", "/Users?count=0", None).await;
    assert!(count.tally.calls <= 1, "{:?}", count.tally);
}
