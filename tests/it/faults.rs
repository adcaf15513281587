//! DynamoDB fails: the client hears 503 and may send again, and nothing is half done.

use serde_json::json;

use crate::support::World;
use crate::support::connectors::Fault;

const TRANSACT: &str = "TransactWriteItems";

/// How many live users the table holds, by its rows.
async fn users(world: &World) -> usize {
    let rows = world.rows().await;
    rows.iter().filter(|row| row.get("st").is_some_and(|st| st.as_s().map(String::as_str) == Ok("live"))).count()
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_one_user_and_201() {
    let world = World::new().await;
    world.between.once(TRANSACT, Fault::BreakAfter);
    let answer = world.send("POST", "/Users", json!({ "userName": "a@example.com", "externalId": "1" })).await;
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
        let user = world.create(json!({ "userName": "a@example.com", "externalId": "1" })).await;
        let path = format!("/Users/{}", user["id"].as_str().unwrap());
        world.between.once(TRANSACT, fault.clone());
        let patch = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
        let patched = world.send("PATCH", &path, patch).await;
        assert_eq!((patched.status.as_u16(), &patched.body["meta"]["version"]), (200, &json!("W/\"2\"")), "{fault:?}");
        world.between.once(TRANSACT, fault.clone());
        assert_eq!(world.send("DELETE", &path, None).await.status, 204, "{fault:?}");
        world.between.once(TRANSACT, fault.clone());
        let back = world.create(json!({ "userName": "a@example.com", "externalId": "1" })).await;
        assert_eq!(back["id"], user["id"], "{fault:?}");
    }
}

#[tokio::test]
async fn while_dynamodb_is_down_every_answer_is_503() {
    let world = std::sync::Arc::new(World::new().await);
    let user = world.create(json!({ "userName": "a@example.com" })).await;
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let mut requests = Vec::new();
    world.between.set(|_, _| Some(Fault::Refuse(500, "InternalServerError")));
    for (method, path, body) in [
        ("POST", "/Users", Some(json!({ "userName": "b@example.com" }))),
        ("GET", "/Users", None),
        ("GET", "/Users?filter=userName%20eq%20%22a%22", None),
        ("GET", path.as_str(), None),
        ("PUT", path.as_str(), Some(json!({ "userName": "b@example.com" }))),
        ("DELETE", path.as_str(), None),
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
        assert!(!said.contains("DynamoDB") && !said.contains("Internal"), "no backend's words: {said}");
    }
    world.between.clear();
    assert_eq!(world.send("GET", &path, None).await.body, user);
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
async fn conflicts_without_end_are_503_not_409() {
    let world = World::new().await;
    world.between.set(|operation, _| (operation == TRANSACT).then_some(Fault::Conflict));
    let answer = world.send("POST", "/Users", json!({ "userName": "a@example.com" })).await;
    answer.is_error(503, None);
    assert!(answer.tally.calls > 5, "it was tried: {:?}", answer.tally);
    world.between.clear();
    assert_eq!(users(&world).await, 0);
}

#[tokio::test]
async fn a_row_that_is_not_ours_is_500_and_says_nothing() {
    let world = World::new().await;
    let user = world.create(json!({ "userName": "a@example.com" })).await;
    let client = aws_sdk_dynamodb::Client::new(&world.local.sdk_config());
    let mut row = world.rows().await.into_iter().find(|row| row.contains_key("d")).unwrap();
    row.insert("d".into(), aws_sdk_dynamodb::types::AttributeValue::S("{".into()));
    client.put_item().table_name("scim").set_item(Some(row)).send().await.unwrap();
    let answer = world.send("GET", &format!("/Users/{}", user["id"].as_str().unwrap()), None).await;
    answer.is_error(500, None);
}
