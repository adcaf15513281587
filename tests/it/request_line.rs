//! The line of each request in the log.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use scim_lambda::edge::Deadline;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::World;
use crate::support::connectors::Fault;
use crate::support::customer::Customer;
use crate::support::events::{get, invoke};
use crate::support::handles::{patch, user_path};
use crate::support::log::Log;

/// What every line may have.
const FIELDS: [&str; 26] = [
    "timestamp",
    "level",
    "target",
    "message",
    "request",
    "invocation",
    "tenant",
    "key",
    "method",
    "route",
    "status",
    "scim_type",
    "reason",
    "milliseconds",
    "calls",
    "failed_calls",
    "conflicts",
    "throttles",
    "retries",
    "cold_start",
    "class",
    "read_units",
    "write_units",
    "ignored",
    "operations",
    "failed_operations",
];

#[tokio::test]
async fn the_line_has_the_credential_and_the_reason_and_no_personal_data() {
    let customer = Customer::new("zulip").await;
    let log = Log::begin();
    let name = json!({ "givenName": "Anna", "familyName": "Gray" });
    let anna = json!({ "userName": "anna@example.com", "displayName": "Anna", "name": name });
    let anna = customer.create(anna).await;
    let answer = customer.set(&anna, "role", json!("manager")).await;
    answer.is_error(400, Some("invalidValue"));
    customer.send("GET", "/Users?filter=userName%20eq%20%22anna@example.com%22", None).await;
    let lines = log.requests();
    for line in &lines {
        assert_eq!(line["tenant"], customer.row.code().as_str(), "{line}");
        assert_eq!(line["key"], customer.token.key_id().as_str(), "{line}");
        assert_eq!(line["failed_calls"], 0, "{line}");
        let text = line.to_string().to_lowercase();
        assert!(!text.contains("anna"), "{line}");
        assert!(!text.contains(anna["id"].as_str().unwrap()), "{line}");
        let fields: BTreeSet<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(fields.is_subset(&BTreeSet::from(FIELDS)), "{line}");
    }
    let said = |line: &Value| {
        ["method", "route", "status", "scim_type", "reason"].map(|name| line[name].clone())
    };
    let created = [json!("POST"), json!("/Users"), json!(201), Value::Null, Value::Null];
    assert_eq!(said(&lines[0]), created);
    let refused = ["PATCH", "/Users/{id}", "400", "invalidValue", "value-not-allowed"];
    assert_eq!(said(&lines[1]).map(|value| value.to_string().replace('"', "")), refused);
}

#[tokio::test]
async fn each_kind_of_refusal_has_its_reason() {
    let world = World::new().await;
    let user = world.create(json!({ "userName": "anna@example.com" })).await;
    let path = user_path(&user);
    let with_two_primaries =
        json!([{ "value": "a@x", "primary": true }, { "value": "b@x", "primary": true }]);
    let unknown = "00000000-0000-8000-8000-000000000000";
    let member = json!({ "displayName": "g", "members": [{ "value": unknown }] });
    let patched = |path, value| patch(json!([{ "op": "replace", "path": path, "value": value }]));
    let cases = [
        ("POST", "/Users", Some(json!({ "userName": "Anna@example.com" })), "user-name-taken"),
        ("POST", "/Users", Some(json!({ "displayName": "x" })), "missing-attribute"),
        ("POST", "/Users", Some(json!({ "userName": 7 })), "wrong-type"),
        ("POST", "/Users", Some(json!({ "userName": "x".repeat(2_000) })), "too-long"),
        ("POST", "/Users", Some(json!({ "userName": "\u{202e}" })), "unsafe-characters"),
        (
            "POST",
            "/Users",
            Some(json!({ "userName": "b", "emails": with_two_primaries })),
            "two-primaries",
        ),
        ("POST", "/Groups", Some(member), "unknown-resource"),
        ("PATCH", &path, Some(patched("meta.created", "x")), "read-only"),
        ("PATCH", &path, Some(patched("a[", "x")), "invalid-path"),
        ("PATCH", &path, Some(json!({ "Operations": 1 })), "malformed-message"),
        ("GET", "/Users?filter=userName", None, "invalid-filter"),
        ("GET", "/Users?cursor=x", None, "invalid-cursor"),
        ("GET", "/Nothing", None, "endpoint-unknown"),
        ("GET", "/Users/unknown", None, "not-found"),
        ("DELETE", "/Users", None, "method-not-allowed"),
        ("GET", "/Schemas?filter=x", None, "filter-not-supported"),
        ("GET", "/Me", None, "not-implemented"),
    ];
    let log = Log::begin();
    for (method, path, body, reason) in cases {
        let answer = world.send(method, path, body).await;
        let line = &log.requests()[0];
        assert_eq!(line["reason"], reason, "{method} {path}: {}", answer.body);
        assert_eq!(line["status"], answer.status.as_u16(), "{method} {path}");
    }
    world.send_text("POST", "/Users", Some("application/json"), "{").await;
    world.send_text("POST", "/Users", Some("text/xml"), "{}").await;
    let stale = world.send_if(&path, "W/\"9\"", "PATCH", patched("title", "x")).await;
    assert_eq!(stale.status, 412);
    let reasons: Vec<Value> = log.requests().iter().map(|line| line["reason"].clone()).collect();
    assert_eq!(reasons, ["malformed-json", "not-json", "stale-version"]);
}

#[tokio::test]
async fn a_refused_token_names_its_tenant_only_if_there_is_one() {
    let world = World::new().await;
    let log = Log::begin();
    let forged = scim_lambda::auth::token::PlainToken::generate(world.tenant.code()).unwrap();
    assert_eq!(world.send_as(&forged, "GET", "/Users", None).await.status, 401);
    let stranger = "zzzz9999".parse().unwrap();
    let stranger = scim_lambda::auth::token::PlainToken::generate(&stranger).unwrap();
    assert_eq!(world.send_as(&stranger, "GET", "/Users", None).await.status, 401);
    let lines = log.requests();
    assert_eq!(lines[0]["tenant"], world.tenant.code().as_str());
    for line in &lines {
        assert_eq!((&line["reason"], line.get("key")), (&json!("token-refused"), None));
    }
    assert_eq!(lines[1].get("tenant"), None);
}

#[tokio::test]
async fn the_deadline_leaves_the_credential_and_the_reason() {
    let world = World::new().await;
    world.send("GET", "/Users", None).await;
    world.between.set(|operation, _| (operation == "TransactWriteItems").then_some(Fault::Hang));
    let log = Log::begin();
    let mut request = Request::post("/scim/v2/Users")
        .header("authorization", format!("Bearer {}", world.token.reveal()))
        .body(Bytes::from(json!({ "userName": "a" }).to_string()))
        .unwrap();
    request.extensions_mut().insert(Deadline(Instant::now() + Duration::from_millis(200)));
    assert_eq!(world.service.call(request).await.status(), 503);
    let line = &log.requests()[0];
    assert_eq!(
        (&line["tenant"], &line["key"], &line["reason"]),
        (
            &json!(world.tenant.code().as_str()),
            &json!(world.token.key_id().as_str()),
            &json!("took-too-long")
        )
    );
}

#[tokio::test]
async fn calls_that_failed_are_counted() {
    let world = World::new().await;
    world.send("GET", "/Users", None).await;
    let log = Log::begin();
    world.between.once("TransactWriteItems", Fault::Conflict);
    assert_eq!(world.send("POST", "/Users", json!({ "userName": "a" })).await.status, 201);
    let line = &log.requests()[0];
    assert_eq!(line["failed_calls"], 1, "{line}");
}

#[tokio::test]
async fn a_bulk_request_counts_its_operations() {
    let world = World::new().await;
    let log = Log::begin();
    let operation =
        json!({ "method": "POST", "path": "/Users", "bulkId": "1", "data": { "userName": "a" } });
    let failing = json!({ "method": "POST", "path": "/Users", "bulkId": "2", "data": {} });
    let answer = world.send("POST", "/Bulk", json!({ "Operations": [operation, failing] })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let line = &log.requests()[0];
    assert_eq!((&line["operations"], &line["failed_operations"]), (&json!(2), &json!(1)));
    assert_eq!(line.get("reason"), None);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_has_its_line() {
    let world = World::new().await;
    let log = Log::begin();
    invoke(&world, get(&world, "http", "no-slash", "")).await;
    let line = &log.requests()[0];
    assert_eq!((&line["reason"], &line["status"]), (&json!("malformed-request"), &json!(400)));
    assert_eq!(line["request"], "JKJaXmPLvHcESHA=");
}
