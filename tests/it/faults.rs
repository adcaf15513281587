//! DynamoDB fails: the client gets 503 and may send the request again, and nothing is half done.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::support::World;
use crate::support::connectors::{Between, Fault};

const TRANSACT: &str = "TransactWriteItems";

/// How many live users the table holds, by its rows.
async fn users(world: &World) -> usize {
    let rows = world.rows().await;
    rows.iter().filter(|row| row.text("st") == Some("live")).count()
}

#[tokio::test]
async fn a_create_with_a_lost_answer_is_one_user_and_201() {
    let world = World::new().await;
    world.between.once(TRANSACT, Fault::BreakAfter);
    let answer = world
        .send("POST", "/Users", json!({ "userName": "a@example.com", "externalId": "1" }))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(users(&world).await, 1);
    assert_eq!(world.send("GET", "/Users", None).await.body["totalResults"], 1, "counted once");
}

#[tokio::test]
async fn a_write_survives_one_fault_of_any_kind() {
    for fault in [
        Fault::BreakBefore,
        Fault::BreakAfter,
        Fault::Refuse(500, "InternalServerError"),
        Fault::Refuse(503, "ServiceUnavailable"),
        Fault::Refuse(400, "ProvisionedThroughputExceededException"),
        Fault::Refuse(400, "TransactionInProgressException"),
    ] {
        let world = World::new().await;
        world.between.once(TRANSACT, fault.clone());
        let user = world.user(json!({ "userName": "a@example.com", "externalId": "1" })).await;
        world.between.once(TRANSACT, fault.clone());
        let patched = user.set("active", false).await;
        assert_eq!(
            (patched.status.as_u16(), &patched.body["meta"]["version"]),
            (200, &json!("W/\"2\"")),
            "{fault:?}"
        );
        world.between.once(TRANSACT, fault.clone());
        assert_eq!(user.delete().await.status, 204, "{fault:?}");
        world.between.once(TRANSACT, fault.clone());
        let back = world.create(json!({ "userName": "a@example.com", "externalId": "1" })).await;
        assert_eq!(back["id"], user["id"], "{fault:?}");
    }
}

#[tokio::test]
async fn every_answer_is_503_while_dynamodb_is_down() {
    let world = std::sync::Arc::new(World::new().await);
    let user = world.user(json!({ "userName": "a@example.com" })).await;
    let path = user.path();
    let mut requests = Vec::new();
    world.between.set(|_, _| Some(Fault::Refuse(500, "InternalServerError")));
    for (method, path, body) in [
        ("POST", "/Users", Some(json!({ "userName": "b@example.com" }))),
        ("GET", "/Users", None),
        ("GET", "/Users?filter=userName%20eq%20%22a%22", None),
        ("GET", path, None),
        ("PUT", path, Some(json!({ "userName": "b@example.com" }))),
        ("DELETE", path, None),
    ] {
        let world = world.clone();
        let path = path.to_owned();
        requests.push(tokio::spawn(async move { world.send(method, &path, body).await }));
    }
    for request in requests {
        let answer = request.await.unwrap();
        answer.is_error(503, None);
        assert_eq!(answer.header("retry-after"), "1");
        let said = answer.body.to_string();
        assert!(
            !said.contains("DynamoDB") && !said.contains("Internal"),
            "no backend's words: {said}"
        );
    }
    world.between.clear();
    assert_eq!(user.read().await.body, *user);
}

#[tokio::test]
async fn a_dynamodb_that_never_answers_is_503() {
    let world = World::new().await;
    world.send("GET", "/ServiceProviderConfig", None).await;
    world.between.set(|_, _| Some(Fault::Hang));
    let (read, write) = tokio::join!(
        world.send("GET", "/Users/00000000-0000-8000-8000-000000000000", None),
        world.send("POST", "/Users", json!({ "userName": "a@example.com" })),
    );
    read.is_error(503, None);
    write.is_error(503, None);
}

#[tokio::test]
async fn denied_access_to_dynamodb_is_503() {
    let world = World::hasty(Between::default()).await;
    let user = world.user(json!({ "userName": "a@example.com" })).await;
    for code in [
        "AccessDeniedException",
        "KMSDisabledException",
        "KMSAccessDeniedException",
        "UnrecognizedClientException",
    ] {
        world.between.set(move |_, _| Some(Fault::Refuse(400, code)));
        for (method, body) in [
            ("GET", json!(null)),
            ("PUT", json!({ "userName": "b@example.com" })),
            ("DELETE", json!(null)),
        ] {
            let answer = world.send(method, user.path(), body).await;
            answer.is_error(503, None);
            assert_eq!(answer.header("retry-after"), "1", "{code}");
        }
        world
            .between
            .set(move |operation, _| (operation == TRANSACT).then_some(Fault::Refuse(400, code)));
        world
            .send("POST", "/Users", json!({ "userName": "c@example.com" }))
            .await
            .is_error(503, None);
    }
    world.between.clear();
    assert_eq!(user.read().await.body, *user);
}

/// After this many transactions, the last of which takes effect, everything that is asked of the
/// table is refused with an error that never occurs: as a request that is not valid.
fn broken_after(world: &World, transactions: usize) {
    let seen = AtomicUsize::new(0);
    world.between.set(move |operation, _| {
        let before = seen.load(Ordering::SeqCst);
        seen.store(before + usize::from(operation == TRANSACT), Ordering::SeqCst);
        (before >= transactions).then_some(Fault::Refuse(400, "ValidationException"))
    });
}

#[tokio::test]
async fn a_500_never_follows_a_write_that_took_effect() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a@example.com", "externalId": "1" })).await;
    let member = json!([{ "value": user["id"] }]);
    let group = world.group("G", &[user.id().to_owned()]).await;
    let (user, group) = (user.path(), group.path());
    let leave = json!({ "Operations": [{ "op": "remove", "path": "members" }] });
    let rename = json!({ "displayName": "H" });
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{ "method": "PUT", "path": group, "data": { "displayName": "I", "members": member } }],
    });
    let mut unavailable = 0;
    for (method, path, body) in [
        ("PUT", user, json!({ "userName": "b@example.com", "externalId": "1" })),
        ("PUT", group, rename),
        ("PATCH", group, leave),
        ("POST", "/Bulk", bulk),
        ("GET", user, json!(null)),
        ("DELETE", user, json!(null)),
        ("POST", "/Users", json!({ "userName": "b@example.com", "externalId": "1" })),
        ("DELETE", group, json!(null)),
        ("POST", "/Users", json!({ "userName": "new@example.com" })),
    ] {
        // This POST first finishes the deletion, then finds out who had the name, then takes
        // effect.
        broken_after(&world, if body["externalId"] == "1" && method == "POST" { 3 } else { 1 });
        let answer = world.send(method, path, body).await;
        let status = match answer.body["Operations"][0]["status"].as_str() {
            Some(status) => status.to_owned(),
            None => answer.status.as_str().to_owned(),
        };
        assert!(
            ["200", "201", "204", "503"].contains(&status.as_str()),
            "{method} {path}: {}",
            answer.body
        );
        unavailable += usize::from(status == "503");
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), "1");
            assert!(
                answer.body["detail"].as_str().unwrap().contains("send the request again"),
                "{}",
                answer.body
            );
        }
        world.between.clear();
    }
    assert!(unavailable >= 2, "requests broken after their write: {unavailable}");
    assert_eq!(
        world.send("GET", user, json!(null)).await.body["userName"],
        "b@example.com",
        "what was broken off goes on"
    );
}

#[tokio::test]
async fn endless_conflicts_are_503_not_409() {
    let world = World::new().await;
    world.between.set(|operation, _| (operation == TRANSACT).then_some(Fault::Conflict));
    let answer = world.send("POST", "/Users", json!({ "userName": "a@example.com" })).await;
    answer.is_error(503, None);
    assert!(answer.tally.calls > 5, "it was tried: {:?}", answer.tally);
    world.between.clear();
    assert_eq!(users(&world).await, 0);
}

#[tokio::test]
async fn an_unreadable_row_is_500_and_reveals_nothing() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a@example.com" })).await;
    let client = aws_sdk_dynamodb::Client::new(&world.local.sdk_config());
    let mut row = world.rows().await.into_iter().find(|row| row.has("d")).unwrap().0;
    row.insert("d".into(), aws_sdk_dynamodb::types::AttributeValue::S("{".into()));
    client.put_item().table_name("scim").set_item(Some(row)).send().await.unwrap();
    let answer = user.read().await;
    answer.is_error(500, None);
}
