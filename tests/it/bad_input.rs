//! Bad input: each a SCIM error with the right status and scimType, and nothing is written.

use bytes::Bytes;
use http::Request;
use serde_json::json;

use crate::support::handles::{Row, id};
use crate::support::{Answer, World};

/// method, path, content type, body, status, scimType
type Case =
    (&'static str, &'static str, Option<&'static str>, &'static str, u16, Option<&'static str>);

const JSON: Option<&str> = Some("application/scim+json");
const SYNTAX: Option<&str> = Some("invalidSyntax");
const VALUE: Option<&str> = Some("invalidValue");
const FILTER: Option<&str> = Some("invalidFilter");
const PATH: Option<&str> = Some("invalidPath");

const CASES: &[Case] = &[
    // The body as JSON
    ("POST", "/Users", JSON, "", 400, SYNTAX),
    ("POST", "/Users", JSON, "{", 400, SYNTAX),
    ("POST", "/Users", JSON, "[]", 400, SYNTAX),
    ("POST", "/Users", JSON, "\"a\"", 400, SYNTAX),
    ("POST", "/Users", JSON, "{\"userName\":\"a\"} x", 400, SYNTAX),
    ("POST", "/Users", JSON, "{\"userName\":\"a\",\"userName\":\"b\"}", 400, SYNTAX),
    ("POST", "/Users", JSON, "{\"userName\":\"a\",\"USERNAME\":\"b\"}", 400, SYNTAX),
    (
        "POST",
        "/Users",
        JSON,
        "{\"userName\":\"a\",\"name\":{\"givenName\":\"x\",\"givenname\":\"y\"}}",
        400,
        SYNTAX,
    ),
    ("POST", "/Users", JSON, "{\"userName\":\"a\\u0000b\"}", 400, SYNTAX),
    ("POST", "/Users", JSON, "{\"userName\":\"\\ud800\"}", 400, SYNTAX),
    // Wrong types and missing values
    ("POST", "/Users", JSON, "{}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":\"\"}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":null}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":5}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":[\"a\",\"b\"]}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":\"a\\tb\"}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":\"a\\u200bb\"}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":\"a\",\"active\":\"perhaps\"}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":\"a\",\"active\":1}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":\"a\",\"name\":\"Barbara\"}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":\"a\",\"name\":{\"givenName\":{}}}", 400, VALUE),
    ("POST", "/Users", JSON, "{\"userName\":\"a\",\"emails\":[{\"value\":1}]}", 400, VALUE),
    (
        "POST",
        "/Users",
        JSON,
        "{\"userName\":\"a\",\"emails\":[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\",\"primary\":true}]}",
        400,
        VALUE,
    ),
    (
        "POST",
        "/Users",
        JSON,
        "{\"userName\":\"a\",\"x509Certificates\":[{\"value\":\"*\"}]}",
        400,
        VALUE,
    ),
    (
        "POST",
        "/Users",
        JSON,
        "{\"userName\":\"a\",\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":\"x\"}",
        400,
        VALUE,
    ),
    // Content type, method, path
    (
        "POST",
        "/Users",
        Some("application/x-www-form-urlencoded"),
        "{\"userName\":\"a\"}",
        415,
        None,
    ),
    ("POST", "/Users", Some("text/plain"), "{\"userName\":\"a\"}", 415, None),
    (
        "POST",
        "/Users",
        Some("application/scim+json; charset=utf-16"),
        "{\"userName\":\"a\"}",
        415,
        None,
    ),
    ("PUT", "/Users", JSON, "{}", 405, None),
    ("PATCH", "/Users", JSON, "{}", 405, None),
    ("DELETE", "/Users", None, "", 405, None),
    ("HEAD", "/Users", None, "", 405, None),
    ("POST", "/Users/{id}", JSON, "{}", 405, None),
    ("POST", "/Schemas", JSON, "{}", 405, None),
    ("PUT", "/ServiceProviderConfig", JSON, "{}", 405, None),
    ("BREW", "/Users", None, "", 405, None),
    ("GET", "/Nobody", None, "", 404, None),
    ("GET", "/Users/{id}/name", None, "", 404, None),
    ("GET", "/Users/0", None, "", 404, None),
    ("GET", "/Users/010101001010101011001010101011", None, "", 404, None),
    ("GET", "/Users/%20", None, "", 404, None),
    ("GET", "/Users/a%2Fb", None, "", 404, None),
    ("GET", "/Schemas/urn:nobody", None, "", 404, None),
    ("GET", "/ResourceTypes/Nobody", None, "", 404, None),
    ("GET", "/Groups/1", None, "", 404, None),
    ("PUT", "/Users/00000000-0000-8000-8000-000000000000", JSON, "{\"userName\":\"a\"}", 404, None),
    (
        "PATCH",
        "/Users/00000000-0000-8000-8000-000000000000",
        JSON,
        "{\"Operations\":[]}",
        404,
        None,
    ),
    ("DELETE", "/Users/00000000-0000-8000-8000-000000000000", None, "", 404, None),
    // Replace
    ("PUT", "/Users/{id}", JSON, "{}", 400, VALUE),
    ("PUT", "/Users/{id}", JSON, "[]", 400, SYNTAX),
    ("PUT", "/Users/{id}", JSON, "{\"userName\":\"taken@example.com\"}", 409, Some("uniqueness")),
    ("POST", "/Users", JSON, "{\"userName\":\"TAKEN@example.com\"}", 409, Some("uniqueness")),
    // Groups
    ("POST", "/Groups", JSON, "{}", 400, VALUE),
    ("POST", "/Groups", JSON, "{\"displayName\":\"\"}", 400, VALUE),
    ("POST", "/Groups", JSON, "{\"displayName\":\"STAFF\"}", 409, Some("uniqueness")),
    (
        "POST",
        "/Groups",
        JSON,
        "{\"displayName\":\"a\",\"members\":[{\"display\":\"nobody\"}]}",
        400,
        VALUE,
    ),
    (
        "POST",
        "/Groups",
        JSON,
        "{\"displayName\":\"a\",\"members\":[{\"value\":\"nobody\"}]}",
        400,
        VALUE,
    ),
    (
        "POST",
        "/Groups",
        JSON,
        "{\"displayName\":\"a\",\"members\":[{\"value\":\"a#b\"}]}",
        400,
        VALUE,
    ),
    (
        "PUT",
        "/Groups/{group}",
        JSON,
        "{\"displayName\":\"a\",\"members\":[{\"value\":\"nobody\"}]}",
        400,
        VALUE,
    ),
    ("PUT", "/Groups/{group}", JSON, "{\"displayName\":\"Other\"}", 409, Some("uniqueness")),
    ("PUT", "/Groups/{id}", JSON, "{\"displayName\":\"a\"}", 404, None),
    ("DELETE", "/Groups/{id}", None, "", 404, None),
    ("DELETE", "/Users/{group}", None, "", 404, None),
    (
        "PATCH",
        "/Groups/{group}",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"{group}\"}]}]}",
        400,
        VALUE,
    ),
    (
        "PATCH",
        "/Groups/{group}",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"{id}\"},{\"value\":\"nobody\"}]}]}",
        400,
        VALUE,
    ),
    (
        "PATCH",
        "/Groups/{group}",
        JSON,
        "{\"Operations\":[{\"op\":\"replace\",\"path\":\"members[value eq \\\"{id}\\\"].display\",\"value\":\"a\"}]}",
        400,
        Some("mutability"),
    ),
    (
        "PATCH",
        "/Groups/nobody",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"{id}\"}]}]}",
        404,
        None,
    ),
    // PATCH
    ("PATCH", "/Users/{id}", JSON, "{}", 400, SYNTAX),
    ("PATCH", "/Users/{id}", JSON, "{\"Operations\":{}}", 400, SYNTAX),
    ("PATCH", "/Users/{id}", JSON, "{\"Operations\":[1]}", 400, SYNTAX),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"path\":\"title\",\"value\":\"a\"}]}",
        400,
        SYNTAX,
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"move\",\"path\":\"title\",\"value\":\"a\"}]}",
        400,
        SYNTAX,
    ),
    ("PATCH", "/Users/{id}", JSON, "{\"Operations\":[{\"op\":\"remove\"}]}", 400, Some("noTarget")),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"path\":\"title\"}]}",
        400,
        VALUE,
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"value\":\"a\"}]}",
        400,
        VALUE,
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"path\":5,\"value\":\"a\"}]}",
        400,
        PATH,
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"path\":\"title\",\"value\":5}]}",
        400,
        VALUE,
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"path\":\"emails[\",\"value\":\"a\"}]}",
        400,
        PATH,
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"path\":\"title[a eq 1]\",\"value\":\"a\"}]}",
        400,
        PATH,
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"add\",\"path\":\"emails[type]\",\"value\":\"a\"}]}",
        400,
        FILTER,
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"replace\",\"path\":\"id\",\"value\":\"a\"}]}",
        400,
        Some("mutability"),
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"replace\",\"path\":\"meta.created\",\"value\":\"a\"}]}",
        400,
        Some("mutability"),
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"remove\",\"path\":\"userName\"}]}",
        400,
        Some("mutability"),
    ),
    (
        "PATCH",
        "/Users/{id}",
        JSON,
        "{\"Operations\":[{\"op\":\"replace\",\"path\":\"userName\",\"value\":\"taken@example.com\"}]}",
        409,
        Some("uniqueness"),
    ),
    // Queries
    ("GET", "/Users?filter=userName", None, "", 400, FILTER),
    ("GET", "/Users?filter=userName%20is%20%22a%22", None, "", 400, FILTER),
    ("GET", "/Users?filter=userName%20eq%20%22a", None, "", 400, FILTER),
    ("GET", "/Users?filter=(userName%20eq%20%22a%22", None, "", 400, FILTER),
    ("GET", "/Users?filter=active%20gt%20true", None, "", 400, FILTER),
    ("GET", "/Users?filter=userName%20eq%20%22a%22&filter=title%20pr", None, "", 400, FILTER),
    ("GET", "/Groups?filter=displayName", None, "", 400, FILTER),
    ("GET", "/Users?startIndex=one", None, "", 400, VALUE),
    ("GET", "/Users?count=1.5", None, "", 400, VALUE),
];

async fn send(
    world: &World,
    method: &str,
    path: &str,
    content_type: Option<&str>,
    body: impl Into<Bytes>,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {}", world.token.reveal()));
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    world.raw(request.body(body.into()).unwrap()).await
}

/// The table's rows, in an order that does not change.
async fn snapshot(world: &World) -> Vec<String> {
    let describe =
        |row: Row| format!("{:?}", row.0.into_iter().collect::<std::collections::BTreeMap<_, _>>());
    let mut rows: Vec<_> = world.rows().await.into_iter().map(describe).collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn bad_input_is_a_scim_error_and_writes_nothing() {
    let world = World::new().await;
    world.create(json!({ "userName": "taken@example.com" })).await;
    let user = world.create(json!({ "userName": "a@example.com" })).await;
    let member = json!([{ "value": user["id"] }]);
    world.send("POST", "/Groups", json!({ "displayName": "Other" })).await;
    let group = world
        .send("POST", "/Groups", json!({ "displayName": "Staff", "members": member }))
        .await
        .body;
    let before = snapshot(&world).await;
    for (method, path, content_type, body, status, scim_type) in CASES {
        let fill = |text: &str| text.replace("{id}", id(&user)).replace("{group}", id(&group));
        let (path, body) = (fill(path), fill(body));
        let answer = send(&world, method, &path, *content_type, body.clone()).await;
        assert_eq!(answer.status, *status, "{method} {path} {body}: {}", answer.body);
        answer.is_error(*status, *scim_type);
        assert_eq!(answer.headers.contains_key("allow"), *status == 405, "{method} {path}");
    }
    assert_eq!(snapshot(&world).await, before);
}

#[tokio::test]
async fn limits_hold_at_n_and_refuse_n_plus_one() {
    let world = World::new().await;
    let text = |n: usize| "x".repeat(n);
    let deep = |n: usize| {
        format!("{{\"userName\":\"deep{n}\",\"x\":{}1{}}}", "[".repeat(n), "]".repeat(n))
    };
    let emails = |n: usize| {
        let emails: Vec<_> =
            (0..n).map(|i| json!({ "value": format!("{n}.{i}@example.com") })).collect();
        json!({ "userName": format!("emails{n}"), "emails": emails }).to_string()
    };
    let roles = |n: usize| {
        let roles: Vec<_> = (0..n).map(|i| json!({ "value": i.to_string() })).collect();
        json!({ "userName": format!("roles{n}"), "roles": roles }).to_string()
    };
    let members = |n: usize| {
        let extra: String = (0..n - 1).map(|i| format!(",\"x{i}\":1")).collect();
        format!("{{\"userName\":\"members{n}\"{extra}}}")
    };
    let padded = |n: usize| {
        let body = json!({ "userName": format!("padded{n}") }).to_string();
        format!("{body}{}", " ".repeat(n - body.len()))
    };
    let large = |n: usize| {
        let ims: Vec<_> =
            (0..n).map(|i| json!({ "value": format!("{i}{}", text(4_000)) })).collect();
        json!({ "userName": format!("large{n}"), "ims": ims }).to_string()
    };
    for (fits, over, status, scim_type) in [
        (
            json!({ "userName": text(256) }).to_string(),
            json!({ "userName": text(257) }).to_string(),
            400,
            VALUE,
        ),
        (
            json!({ "userName": "e", "externalId": text(512) }).to_string(),
            json!({ "userName": "f", "externalId": text(513) }).to_string(),
            400,
            VALUE,
        ),
        (
            json!({ "userName": "t", "title": text(4_096) }).to_string(),
            json!({ "userName": "u", "title": text(4_097) }).to_string(),
            400,
            VALUE,
        ),
        (emails(40), emails(41), 400, VALUE),
        (roles(200), roles(201), 400, VALUE),
        (deep(31), deep(33), 400, SYNTAX),
        (members(1_000), members(1_001), 400, SYNTAX),
        (padded(1_024 * 1_024), padded(1_024 * 1_024 + 1), 413, None),
        (large(16), large(17), 413, None),
    ] {
        let answer = send(&world, "POST", "/Users", JSON, fits).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        send(&world, "POST", "/Users", JSON, over).await.is_error(status, scim_type);
    }
    let filter = |n: usize| crate::support::encode(&vec!["title pr"; n].join(" or "));
    assert_eq!(
        send(&world, "GET", &format!("/Users?filter={}", filter(200)), None, "").await.status,
        200
    );
    send(&world, "GET", &format!("/Users?filter={}", filter(201)), None, "")
        .await
        .is_error(400, FILTER);
    let nested =
        |n: usize| crate::support::encode(&format!("{}title pr{}", "(".repeat(n), ")".repeat(n)));
    assert_eq!(
        send(&world, "GET", &format!("/Users?filter={}", nested(20)), None, "").await.status,
        200
    );
    for n in [21, 2_000] {
        send(&world, "GET", &format!("/Users?filter={}", nested(n)), None, "")
            .await
            .is_error(400, FILTER);
    }
    let long = crate::support::encode(&format!("title eq \"{}\"", text(8_192)));
    send(&world, "GET", &format!("/Users?filter={long}"), None, "").await.is_error(400, FILTER);
}

#[tokio::test]
async fn a_patch_takes_a_thousand_operations() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a" })).await;
    let path = user.path();
    let operations = |n: usize| {
        let operation = json!({ "op": "replace", "path": "title", "value": "Dr" });
        json!({ "Operations": vec![operation; n] }).to_string()
    };
    assert_eq!(send(&world, "PATCH", path, JSON, operations(1_000)).await.status, 200);
    send(&world, "PATCH", path, JSON, operations(1_001)).await.is_error(413, None);
}

#[tokio::test]
async fn a_patch_that_would_compare_without_end_is_413() {
    let world = World::new().await;
    let ims: Vec<_> =
        (0..200).map(|n| json!({ "value": n.to_string(), "type": "x".repeat(200) })).collect();
    let user = world.user(json!({ "userName": "a", "ims": ims })).await;
    let path = user.path();
    let terms = vec!["type co \"a\""; 50].join(" or ");
    let operation = json!({ "op": "remove", "path": format!("ims[{terms}]") });
    let few = json!({ "Operations": vec![&operation; 6] });
    assert_eq!(send(&world, "PATCH", path, JSON, few.to_string()).await.status, 200);
    let many = json!({ "Operations": vec![&operation; 900] });
    send(&world, "PATCH", path, JSON, many.to_string()).await.is_error(413, None);
}

#[tokio::test]
async fn odd_but_harmless_input_is_taken() {
    let world = World::new().await;
    for (n, (content_type, body)) in [
        (JSON, "{\"userName\":\"@@\"}"),
        (Some("application/json"), "{\"userName\":\"@@\",\"schemas\":null}"),
        (Some("application/json;charset=UTF-8"), "{\"USERNAME\":\"@@\",\"schemas\":[\"urn:scim:schemas:core:1.0\"]}"),
        (None, "{\"userName\":\"@@\",\"emails\":{\"value\":\"a@example.com\"}}"),
        (JSON, "{\"userName\":\"@@\",\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department\":\"x\"}"),
        (JSON, "{\"userName\":\"@@\",\"emails\":[],\"phoneNumbers\":null,\"title\":\"\",\"name\":{}}"),
        (JSON, "{\"userName\":\"@@\",\"active\":\"TRUE\",\"id\":\"\",\"meta\":{}}"),
        (JSON, "{\"userName\":\"@@\",\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:user\":{\"Manager\":\"26118915\"}}"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = body.replace("@@", &format!("user{n}"));
        let answer = send(&world, "POST", "/Users", content_type, body).await;
        assert_eq!(answer.status, 201, "{n}: {}", answer.body);
    }
    for path in [
        "/Users/",
        "//Users",
        "/Users?",
        "/Users?&",
        "/users?aadOptscim062020&filter=userName+eq+user1",
        "/Users?filter=",
    ] {
        assert_eq!(send(&world, "GET", path, Some("text/html"), "").await.status, 200, "{path}");
    }
}
