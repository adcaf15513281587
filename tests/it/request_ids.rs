//! The id of a request, in its answer and in each log.

use serde_json::json;

use crate::support::World;
use crate::support::events::{event, get, invoke};
use crate::support::log::Log;

#[tokio::test]
async fn the_answer_the_log_and_the_audit_row_have_the_id_of_the_apis_access_log() {
    let world = World::new().await;
    let log = Log::begin();
    for (source, name) in
        [("http", "create-user"), ("rest", "create-user-rest-v1"), ("url", "create-user")]
    {
        let mut event = event(&world, name, "");
        let id = format!("{source}_JKJaXmPLvHcESHA=");
        event["requestContext"]["requestId"] = json!(id);
        if source == "url" {
            let domain = "abcdefgh.lambda-url.eu-west-1.on.aws";
            event["requestContext"]["domainName"] = json!(domain);
            event["body"] = json!(json!({ "userName": "url@example.com" }).to_string());
        }
        let reply = invoke(&world, event).await;
        assert_eq!((reply.status, &reply.headers["x-request-id"]), (201, &json!(id)));
        let line = &log.requests()[0];
        assert_eq!((&line["request"], &line["invocation"]), (&json!(id), &json!("request-1")));
        let rows = world.rows().await;
        let audit = rows.iter().find(|row| row.p().ends_with("#L") && row.text("rq") == Some(&id));
        assert_eq!(audit.unwrap().text("ac"), Some(world.token.key_id().as_str()));
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_read_has_its_id_too() {
    let world = World::new().await;
    for source in ["http", "url", "rest"] {
        let mut event = get(&world, source, "no-slash", "");
        event["requestContext"]["requestId"] = json!("abc=");
        let reply = invoke(&world, event.clone()).await;
        assert_eq!((reply.status, &reply.headers["x-request-id"]), (400, &json!("abc=")));
        // An id that could forge a line of the log is replaced.
        event["requestContext"]["requestId"] = json!("abc\nforged");
        assert_eq!(invoke(&world, event).await.headers["x-request-id"], "request-1");
    }
}

#[tokio::test]
async fn a_request_without_an_id_of_the_platform_gets_one() {
    let world = World::new().await;
    let log = Log::begin();
    let reply = world.send("GET", "/Users", None).await;
    let line = &log.requests()[0];
    assert_eq!(reply.header("x-request-id"), line["request"].as_str().unwrap());
    assert_eq!(line.get("invocation"), None);
}

#[test]
fn the_access_log_of_the_api_has_the_id() {
    let template = include_str!("../../template.yaml");
    assert!(template.contains(r#""requestId":"$context.requestId""#));
}
