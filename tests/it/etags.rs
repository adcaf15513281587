//! Versions as conditions: `If-Match`, `If-None-Match`.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::support::connectors::Between;
use crate::support::handles::set;
use crate::support::{Answer, World};

async fn send(
    world: &World,
    method: &str,
    path: &str,
    header: (&str, &str),
    body: Option<Value>,
) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {}", world.token.reveal()))
        .header(header.0, header.1);
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    world.raw(request.body(body).unwrap()).await
}

fn title(value: &str) -> Option<Value> {
    Some(set("title", value))
}

#[tokio::test]
async fn a_write_under_a_stale_version_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a@example.com" })).await;
    let path = user.path();
    let fresh = send(&world, "PATCH", path, ("if-match", "W/\"1\""), title("Dr")).await;
    assert_eq!((fresh.status.as_u16(), fresh.header("etag")), (200, "W/\"2\""));
    for stale in ["W/\"1\"", "\"1\"", "W/\"9\", W/\"1\"", "nonsense"] {
        send(&world, "PATCH", path, ("if-match", stale), title("Prof")).await.is_error(412, None);
        let body = Some(json!({ "userName": "b@example.com" }));
        send(&world, "PUT", path, ("if-match", stale), body).await.is_error(412, None);
        send(&world, "DELETE", path, ("if-match", stale), None).await.is_error(412, None);
    }
    assert_eq!(user.read().await.body, fresh.body);
    for known in ["W/\"2\"", "\"2\"", "*", "W/\"1\", W/\"2\""] {
        assert_eq!(
            send(&world, "PATCH", path, ("if-match", known), title("Dr")).await.status,
            200,
            "{known}"
        );
    }
    assert_eq!(send(&world, "DELETE", path, ("if-match", "\"2\""), None).await.status, 204);
    send(&world, "DELETE", path, ("if-match", "\"2\""), None).await.is_error(404, None);
}

#[tokio::test]
async fn if_match_star_requires_only_that_the_group_exists() {
    let world = World::new().await;
    let group = world.make_group("Staff", &[]).await;
    for n in 0..3 {
        let user = world.create(json!({ "userName": format!("u{n}") })).await;
        let operations =
            json!([{ "op": "add", "path": "members", "value": [{ "value": user["id"] }] }]);
        let joined = send(
            &world,
            "PATCH",
            &group,
            ("if-match", "*"),
            Some(json!({ "Operations": operations })),
        )
        .await;
        let version = format!("W/\"{}\"", n + 2);
        assert_eq!((joined.status.as_u16(), joined.header("etag")), (200, version.as_str()));
        assert_eq!(joined.tally.write_units, 10.0, "as without it");
    }
}

#[tokio::test]
async fn a_reader_with_the_newest_version_gets_304() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a@example.com" })).await;
    let path = user.path();
    for seen in ["W/\"1\"", "\"7\", \"1\"", "*"] {
        let answer = send(&world, "GET", path, ("if-none-match", seen), None).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("etag"), &answer.body),
            (304, "W/\"1\"", &Value::Null),
            "{seen}"
        );
    }
    assert_eq!(send(&world, "GET", path, ("if-none-match", "W/\"2\""), None).await.body, *user);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_several_parallel_writes_under_one_version_wins() {
    let world = Arc::new(World::with(Between::conflicts()).await);
    let user = world.user(json!({ "userName": "a@example.com" })).await;
    let path = user.path().to_owned();
    let writers: Vec<_> = (0..8)
        .map(|n| {
            let (world, path) = (world.clone(), path.clone());
            tokio::spawn(async move {
                send(&world, "PATCH", &path, ("if-match", "W/\"1\""), title(&n.to_string())).await
            })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        let answer = writer.await.unwrap();
        match answer.status.as_u16() {
            200 => won += 1,
            _ => answer.is_error(412, None),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(user.read().await.body["meta"]["version"], "W/\"2\"");
}
