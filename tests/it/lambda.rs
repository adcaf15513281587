//! Events as API Gateway and Function URLs send them, through `lambda_http`, into the service that
//! `main.rs` builds.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_http::Context;
use lambda_http::lambda_runtime::LambdaEvent;
use scim_lambda::edge::gateway;
use serde_json::{Value, json};

use crate::events::schemas;
use crate::support::connectors::{Between, Fault};
use crate::support::customer::Customer;
use crate::support::events::{answer, event, get, invoke, watched};
use crate::support::handles;
use crate::support::{BASE_URL, World};

/// The batches of stream records in `events/`, and the types of the events that they give.
const STREAM: [(&str, &[&str]); 4] = [
    ("stream-user-created", &["user.provisioned"]),
    ("stream-user-suspended", &["user.suspended"]),
    ("stream-group-changes", &["group.created", "group.member_added", "group.member_removed"]),
    ("stream-mixed-batch", &["user.provisioned", "record.unshaped", "user.purged"]),
];

#[tokio::test]
async fn every_event_file_gets_its_answer() {
    let world = World::new().await;
    let mut id = String::new();
    let mut seen = Vec::new();
    for (name, status) in [
        ("create-user", 201),
        ("get-user", 200),
        ("filter-users-by-user-name", 200),
        ("deactivate-user", 200),
        ("delete-user", 204),
        ("bad-token", 401),
        ("create-user-rest-v1", 201),
    ] {
        let reply = invoke(&world, event(&world, name, &id)).await;
        assert_eq!(reply.status, status, "{name}: {}", reply.body);
        match name {
            "create-user" => {
                id = handles::id(&reply.body).to_owned();
                assert_eq!(reply.headers["location"], format!("{BASE_URL}/Users/{id}"));
                assert_eq!(reply.headers["content-type"], "application/scim+json");
                assert_eq!(reply.headers["etag"], "W/\"1\"");
            }
            "get-user" => assert_eq!(reply.body["id"], id),
            "filter-users-by-user-name" => assert_eq!(reply.body["Resources"][0]["id"], id),
            "deactivate-user" => assert_eq!(reply.body["active"], false),
            "delete-user" => assert_eq!(reply.body, Value::Null),
            "bad-token" => assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"scim\""),
            _ => assert_eq!(reply.body["userName"], "rest@example.com"),
        }
        seen.push(format!("{name}.json"));
    }
    for (name, types) in STREAM {
        let events = answer(&world, event(&world, name, "")).await.unwrap();
        let made = events.as_array().unwrap().iter().inspect(|event| schemas::check(event));
        assert_eq!(made.map(|event| event["type"].as_str().unwrap()).collect::<Vec<_>>(), types);
        seen.push(format!("{name}.json"));
    }
    let seen_tenants = answer(&world, event(&world, "watch", "")).await.unwrap();
    assert_eq!(seen_tenants["tenants"], 1);
    seen.push("watch.json".to_owned());
    let mut files: Vec<_> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/events"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    seen.sort();
    assert_eq!(files, seen, "every file is tested");
}

#[tokio::test]
async fn filters_survive_every_gateway() {
    let world = World::new().await;
    let name = "o'neil+te%st é&x=\"y\"@example.com";
    world.create(json!({ "userName": name, "title": "Dr" })).await;
    let escaped = name.replace('"', "\\\"");
    let mut queries = form_urlencoded::Serializer::new(String::new());
    queries
        .append_pair("filter", &format!("userName eq \"{escaped}\""))
        .append_pair("attributes", "userName")
        .append_pair("attributes", "title");
    let query = queries.finish();
    for source in ["http", "stage", "url", "rest"] {
        for query in [query.clone(), query.replace('+', "%20")] {
            let reply = invoke(&world, get(&world, source, "/scim/v2/Users", &query)).await;
            assert_eq!(reply.status, 200, "{source}: {}", reply.body);
            assert_eq!(reply.body["totalResults"], 1, "{source} {query}");
            assert_eq!(
                reply.body["Resources"][0]["title"], "Dr",
                "{source}: both attributes parameters count"
            );
            assert_eq!(reply.body["Resources"][0].get("active"), None);
        }
    }
}

#[tokio::test]
async fn stage_prefixes_are_not_part_of_the_path() {
    let world = World::new().await;
    for source in ["stage", "rest"] {
        for path in ["/scim/v2/Users", "/prod/scim/v2/Users"] {
            assert_eq!(
                invoke(&world, get(&world, source, path, "")).await.status,
                200,
                "{source} {path}"
            );
        }
    }
    assert_eq!(invoke(&world, get(&world, "http", "/prod/scim/v2/Users", "")).await.status, 404);
    for path in ["/scim/v2/Users", "/scim/scim/v2/Users"] {
        let mut event = get(&world, "rest", path, "");
        event["requestContext"]["stage"] = json!("scim");
        assert_eq!(invoke(&world, event).await.status, 200, "a stage called scim: {path}");
    }
}

#[tokio::test]
async fn a_path_is_decoded_exactly_once() {
    let world = World::new().await;
    let schema = "/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User";
    let encoded = schema.replace("urn:", "urn%3A");
    let twice = schema.replace("urn:", "urn%253A");
    // An HTTP API hands over the path decoded; REST APIs and Function URLs as it was sent.
    for (source, path, status) in [
        ("http", schema, 200),
        ("http", encoded.as_str(), 404),
        ("http", "/scim/v2/Users/a b\"<é", 404),
        ("rest", schema, 200),
        ("rest", encoded.as_str(), 200),
        ("rest", twice.as_str(), 404),
        ("url", schema, 200),
        ("url", encoded.as_str(), 200),
        ("url", twice.as_str(), 404),
        ("url", "/scim/v2/Users/a%2Fb", 404),
        ("url", "/scim/v2/Users/%", 404),
        ("rest", "/scim/v2/Users/%zz", 404),
    ] {
        let reply = invoke(&world, get(&world, source, path, "")).await;
        assert_eq!(reply.status, status, "{source} {path}: {}", reply.body);
    }
}

#[tokio::test]
async fn an_event_that_is_not_a_valid_request_is_a_scim_400() {
    let world = World::new().await;
    let mut events = Vec::new();
    for query in [
        "filter=userName eq \"a\"",
        "filter=userName+eq+\"a\"",
        "a=<b>",
        "a=b#c",
        "a=\u{7f}",
        "a=b\nc",
    ] {
        events.push((query, get(&world, "http", "/scim/v2/Users", query)));
        events.push((query, get(&world, "url", "/scim/v2/Users", query)));
    }
    for host in ["a b", "<", "a/b\u{e9}", "", "a:b:c:99999"] {
        for source in ["http", "rest"] {
            let mut event = get(&world, source, "/scim/v2/Users", "");
            let name = if source == "rest" { "Host" } else { "host" };
            event["headers"][name] = json!(host);
            if source == "rest" {
                event["multiValueHeaders"]["Host"] = json!([host]);
            }
            events.push((host, event));
        }
    }
    for (source, name) in [("http", "create-user"), ("rest", "create-user-rest-v1")] {
        for body in ["%%%", "e30", "gA=="] {
            let mut event = event(&world, name, "");
            event["isBase64Encoded"] = json!(true);
            event["body"] = json!(body);
            events.push((source, event));
        }
    }
    let mut method = get(&world, "http", "/scim/v2/Users", "");
    method["requestContext"]["http"]["method"] = json!("G E T");
    events.push(("method", method));
    let mut header = get(&world, "http", "/scim/v2/Users", "");
    header["headers"]["x-odd"] = json!("a\nb");
    events.push(("header", header));
    for (what, event) in events {
        let reply = invoke(&world, event).await;
        assert_eq!(reply.status, 400, "{what}: {}", reply.body);
        assert_eq!(reply.headers["content-type"], "application/scim+json");
        assert_eq!(reply.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(reply.body["status"], "400");
        assert!(reply.body["detail"].as_str().unwrap().len() > 10);
    }
}

#[tokio::test]
async fn base64_bodies_are_decoded() {
    use base64::Engine as _;
    let world = World::new().await;
    for (name, user) in [("create-user", "a@example.com"), ("create-user-rest-v1", "b@example.com")]
    {
        let mut event = event(&world, name, "");
        let body = json!({ "userName": user, "displayName": "Ünïcode" }).to_string();
        event["body"] = json!(base64::engine::general_purpose::STANDARD.encode(body));
        event["isBase64Encoded"] = json!(true);
        let reply = invoke(&world, event).await;
        assert_eq!(
            (reply.status, &reply.body["displayName"]),
            (201, &json!("Ünïcode")),
            "{}",
            reply.body
        );
    }
}

#[tokio::test]
async fn two_authorization_headers_are_not_merged() {
    let world = World::new().await;
    let good = format!("Bearer {}", world.token.reveal());
    let mut rest = get(&world, "rest", "/scim/v2/Users", "");
    rest["multiValueHeaders"]["Authorization"] = json!(["Bearer x", good]);
    rest["headers"]["Authorization"] = json!(good);
    assert_eq!(invoke(&world, rest).await.status, 401);
    let mut http = get(&world, "http", "/scim/v2/Users", "");
    http["headers"]["authorization"] = json!(format!("{good},{good}"));
    assert_eq!(invoke(&world, http).await.status, 401);
}

#[tokio::test]
async fn the_host_header_does_not_affect_locations() {
    let world = World::new().await;
    let mut event = event(&world, "create-user", "");
    event["headers"]["host"] = json!("evil.example.net");
    event["headers"]["x-forwarded-host"] = json!("evil.example.net");
    event["headers"]["x-forwarded-proto"] = json!("gopher, <");
    let reply = invoke(&world, event).await;
    assert_eq!(reply.status, 201);
    assert!(
        !reply.body.to_string().contains("evil") && !reply.headers.to_string().contains("evil")
    );
}

#[tokio::test]
async fn the_deadline_ends_a_request_before_the_platform_does() {
    let world = World::new().await;
    let event = event(&world, "create-user", "");
    let in_ms = |ms: u64| Duration::from_millis(ms);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // A deadline too near for an answer, one far enough, and none at all, as some tools send.
    for (deadline, status) in
        [(now + in_ms(1_000), 503), (now + in_ms(20_000), 201), (Duration::ZERO, 409)]
    {
        let mut context = Context::default();
        context.deadline = deadline.as_millis().try_into().unwrap();
        let reply = gateway::handle(&world.service, LambdaEvent::new(event.clone(), context))
            .await
            .unwrap();
        assert_eq!(reply["statusCode"], status, "{reply}");
    }
    // It passes while the store does not answer.
    world.between.set(|_, _| Some(Fault::Hang));
    let mut context = Context::default();
    context.deadline = (now + in_ms(2_000)).as_millis().try_into().unwrap();
    let began = std::time::Instant::now();
    let reply = gateway::handle(&world.service, LambdaEvent::new(event, context)).await.unwrap();
    assert_eq!(reply["statusCode"], 503);
    assert!(began.elapsed() < in_ms(1_900), "before the store's own timeout");
}

#[tokio::test]
async fn the_version_of_an_event_decides_how_it_is_read_and_refused() {
    let world = World::new().await;
    let made =
        invoke(&world, watched(&world, "POST", "/scim/v2/Users", Some(json!({ "userName": "a" }))))
            .await;
    assert_eq!((made.status, &made.body["userName"]), (201, &json!("a")), "{}", made.body);
    let path = format!("/scim/v2/Users/{}", handles::id(&made.body));
    assert_eq!(invoke(&world, watched(&world, "GET", &path, None)).await.body["userName"], "a");
    assert_eq!(invoke(&world, watched(&world, "DELETE", &path, None)).await.status, 204);
    // An HTTP API with payload 1.0 says so.
    let mut first = event(&world, "create-user-rest-v1", "");
    first["version"] = json!("1.0");
    assert_eq!(invoke(&world, first).await.status, 201);
    // An unreadable event is refused in the form that its gateway reads: cargo lambda fails without
    // "cookies".
    let mut refused = Vec::new();
    for mut event in
        [watched(&world, "GET", "/scim/v2/Users", None), get(&world, "rest", "/scim/v2/Users", "")]
    {
        event["headers"] = json!({ "host": "a b" });
        let answer = gateway::handle(&world.service, LambdaEvent::new(event, Context::default()))
            .await
            .unwrap();
        assert_eq!(
            (&answer["statusCode"], &answer["multiValueHeaders"]),
            (&json!(400), &json!({}))
        );
        refused.push(answer.get("cookies").cloned());
    }
    assert_eq!(refused, [Some(json!([])), None]);
}

#[tokio::test]
async fn a_path_without_a_leading_slash_is_a_400() {
    let world = World::new().await;
    for source in ["http", "stage", "url", "rest"] {
        for path in ["scim/v2/Users", "", "?", "https://evil.example/scim/v2/Users"] {
            let reply = invoke(&world, get(&world, source, path, "")).await;
            assert_eq!(
                (reply.status, &reply.body["status"]),
                (400, &json!("400")),
                "{source} {path}: {}",
                reply.body
            );
            assert!(
                reply.body["detail"].as_str().unwrap().contains("slash"),
                "{source}: {}",
                reply.body
            );
        }
    }
}

#[tokio::test]
async fn an_event_from_elsewhere_fails_the_invocation() {
    let world = World::new().await;
    let reply = gateway::handle(
        &world.service,
        LambdaEvent::new(json!({ "Records": [] }), Context::default()),
    )
    .await;
    assert!(reply.is_err());
}

#[tokio::test]
async fn a_token_bound_to_a_host_works_behind_every_gateway() {
    let world = Arc::new(World::new().await);
    let bound = Customer::of(&world, "default", &[("address.host", "acme.example.com")]).await;
    let authorization = format!("Bearer {}", bound.token.reveal());
    for (host, status) in
        [("acme.example.com", 200), ("ACME.example.com:443", 200), ("other.example.com", 401)]
    {
        for source in ["http", "url", "rest"] {
            let mut event = get(&world, source, "/scim/v2/Users", "");
            let rest = source == "rest";
            let (host_name, token_name) =
                if rest { ("Host", "Authorization") } else { ("host", "authorization") };
            event["headers"] = json!({ host_name: host, token_name: authorization });
            if rest {
                event["multiValueHeaders"] =
                    json!({ host_name: [host], token_name: [authorization] });
            }
            assert_eq!(invoke(&world, event).await.status, status, "{source} {host}");
        }
    }
}

#[tokio::test]
async fn records_of_the_stream_fail_the_invocation_only_if_the_table_does_not_answer() {
    let world = World::hasty(Between::default()).await;
    let batch = event(&world, "stream-user-created", "");
    world.between.set(|_, _| Some(Fault::Refuse(500, "InternalServerError")));
    assert!(answer(&world, batch.clone()).await.is_err());
    world.between.clear();
    assert_eq!(answer(&world, batch).await.unwrap().as_array().unwrap().len(), 1);
    assert_eq!(answer(&world, json!([])).await.unwrap(), json!([]));
    let odd = json!([null, 1, "x", {}, { "eventSource": "aws:sqs" }]);
    let events = answer(&world, odd).await.unwrap();
    let is_unshaped = |event: &Value| event["type"] == "record.unshaped";
    assert!(events.as_array().unwrap().iter().all(is_unshaped), "{events}");
}
