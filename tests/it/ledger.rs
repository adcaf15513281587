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

#[tokio::test]
async fn the_ledger_of_groups() {
    let world = World::new().await;
    world.send("GET", "/ServiceProviderConfig", None).await;
    let people = world.people("u", 12).await;
    let member =
        |op: &str, id: &str| json!({ "Operations": [{ "op": op, "path": "members", "value": [{ "value": id }] }] });

    let body = json!({ "displayName": "Staff", "externalId": "s", "members": [{ "value": people[0] }] });
    let created = world.send("POST", "/Groups", body).await;
    cost("create: group, name, externalId, 16 heads, counter, log, member, membership, check", &created, 1, 0.0, 48.0);
    let path = format!("/Groups/{}", created.body["id"].as_str().unwrap());
    cost("get with members", &world.send("GET", &path, None).await, 2, 2.0, 0.0);
    cost("get of an odd id", &world.send("GET", "/Groups/0", None).await, 0, 0.0, 0.0);
    let short = format!("{path}?excludedAttributes=members");
    cost("get without members", &world.send("GET", &short, None).await, 1, 1.0, 0.0);
    let filter =
        |filter: String| format!("/Groups?excludedAttributes=members&filter={}", crate::support::encode(&filter));
    cost("displayName eq", &world.send("GET", &filter("displayName eq \"staff\"".into()), None).await, 1, 1.0, 0.0);
    cost(
        "id eq and members eq: group, member",
        &world.send("GET", &filter(format!("id eq \"{}\" and members eq \"{}\"", &path[8..], people[0])), None).await,
        2,
        2.0,
        0.0,
    );
    cost(
        "members eq: membership, group, member",
        &world.send("GET", &filter(format!("members eq \"{}\"", people[0])), None).await,
        3,
        3.0,
        0.0,
    );
    for size in [1, 10] {
        for id in &people[1..size] {
            world.send("PATCH", &path, member("add", id)).await;
        }
        let added = world.send("PATCH", &short, member("add", &people[11])).await;
        cost("add a member: member, membership, head, check, log; and the answer", &added, 2, 1.0, 10.0);
        let again = world.send("PATCH", &short, member("add", &people[11])).await;
        cost("add a member again: a refused transaction, and the answer", &again, 2, 1.0, 0.0);
        let removed = world.send("PATCH", &short, member("remove", &people[11])).await;
        cost("remove a member: member, membership, head, log; and the answer", &removed, 2, 1.0, 8.0);
        let whole = world.send("PATCH", &path, member("add", &people[11])).await;
        cost("add a member, answered with all", &whole, 3, 2.0, 10.0);
        world.send("PATCH", &path, member("remove", &people[11])).await;
    }
    let rename = json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "Crew" }] });
    cost("rename: group, two names, log; and the answer", &world.send("PATCH", &short, rename).await, 3, 2.0, 8.0);
    let user = format!("/Users/{}?attributes=groups", people[0]);
    cost("the groups of a user: user, memberships, each group", &world.send("GET", &user, None).await, 3, 3.0, 0.0);
    let user = format!("/Users/{}", people[0]);
    let gone = world.send("DELETE", &user, None).await;
    cost("delete a user in a group", &gone, 5, 3.0, 18.0);
    let deleted = world.send("DELETE", &path, None).await;
    cost("delete a group of nine: group, names, heads, counter, log; members; memberships", &deleted, 6, 4.0, 80.0);
}
