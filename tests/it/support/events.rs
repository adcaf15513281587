//! Events of Lambda, and what the function answers to them.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_http::Context;
use lambda_http::lambda_runtime::LambdaEvent;
use scim_lambda::edge::gateway;
use serde_json::{Value, json};

use super::World;

pub struct Reply {
    pub status: u64,
    pub headers: Value,
    pub body: Value,
}

/// What the function answers to an event.
pub async fn answer(world: &World, event: Value) -> Result<Value, lambda_http::Error> {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(25);
    let mut context = Context::default();
    context.deadline = deadline.as_millis().try_into().unwrap();
    context.request_id = "request-1".into();
    gateway::handle(&world.service, LambdaEvent::new(event, context)).await
}

pub async fn invoke(world: &World, event: Value) -> Reply {
    let reply = answer(world, event).await.unwrap();
    assert_eq!(reply["isBase64Encoded"], false);
    let headers = match reply.get("multiValueHeaders").and_then(Value::as_object) {
        Some(many) if !many.is_empty() => {
            many.iter().map(|(name, values)| (name.clone(), values[0].clone())).collect()
        }
        _ => reply["headers"].as_object().unwrap().clone(),
    };
    let body = reply["body"].as_str().filter(|body| !body.is_empty());
    Reply {
        status: reply["statusCode"].as_u64().unwrap(),
        headers: headers.into(),
        body: body.map_or(Value::Null, |body| serde_json::from_str(body).unwrap()),
    }
}

/// A file of `events/` with its placeholders filled.
pub fn event(world: &World, name: &str, user_id: &str) -> Value {
    let text =
        fs::read_to_string(format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let text = text.replace("{{token}}", world.token.reveal()).replace("{{userId}}", user_id);
    let text = text.replace("{{tenant}}", world.tenant.code().as_str());
    serde_json::from_str(&text).unwrap()
}

/// A GET as a Function URL, HTTP API (stage) or REST API would describe it.
pub fn get(world: &World, source: &str, path: &str, query: &str) -> Value {
    let mut event =
        event(world, if source == "rest" { "create-user-rest-v1" } else { "get-user" }, "");
    let context = &mut event["requestContext"];
    match source {
        "url" => context["domainName"] = json!("abcdefgh.lambda-url.eu-west-1.on.aws"),
        "stage" => context["stage"] = json!("prod"),
        _ => {}
    }
    if source == "rest" {
        event["httpMethod"] = json!("GET");
        event["body"] = Value::Null;
        event["path"] = json!(path);
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut many = serde_json::Map::new();
        for (name, value) in pairs {
            many.entry(name).or_insert(json!([])).as_array_mut().unwrap().push(json!(value));
        }
        event["multiValueQueryStringParameters"] = many.into();
    } else {
        event["rawPath"] = json!(path);
        event["rawQueryString"] = json!(query);
    }
    event
}

/// An event as `cargo lambda watch` makes it of an HTTP request: version 2.0, and an `httpMethod`
/// that is always GET.
pub fn watched(world: &World, method: &str, path: &str, body: Option<Value>) -> Value {
    use base64::Engine as _;
    let encode = |body: Value| base64::engine::general_purpose::STANDARD.encode(body.to_string());
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": null, "httpMethod": "GET",
        "headers": { "host": "127.0.0.1:9000", "authorization": format!("Bearer {}", world.token.reveal()),
            "content-type": "application/scim+json" },
        "queryStringParameters": {}, "pathParameters": {}, "stageVariables": {},
        "requestContext": { "routeKey": "$default", "stage": "$default", "requestId": "1", "domainName": "localhost",
            "domainPrefix": "_", "accountId": null, "time": "29/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_910_400,
            "http": { "method": method, "path": path, "protocol": "http", "sourceIp": "127.0.0.1",
                "userAgent": "cargo-lambda" } },
        "isBase64Encoded": body.is_some(), "body": body.map(encode),
    })
}
