//! The limits of a request: each holds at n, and n + 1 is refused.

use serde_json::json;

use crate::support::{World, encode};

const JSON: Option<&str> = Some("application/scim+json");

#[tokio::test]
async fn limits_hold_at_n_and_refuse_n_plus_one() {
    let world = World::new().await;
    let text = |n: usize| "x".repeat(n);
    let deep =
        |n: usize| format!(r#"{{"userName":"deep{n}","x":{}1{}}}"#, "[".repeat(n), "]".repeat(n));
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
        let extra: String = (0..n - 1).map(|i| format!(r#","x{i}":1"#)).collect();
        format!(r#"{{"userName":"members{n}"{extra}}}"#)
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
            Some("invalidValue"),
        ),
        (
            json!({ "userName": "e", "externalId": text(512) }).to_string(),
            json!({ "userName": "f", "externalId": text(513) }).to_string(),
            400,
            Some("invalidValue"),
        ),
        (
            json!({ "userName": "t", "title": text(4_096) }).to_string(),
            json!({ "userName": "u", "title": text(4_097) }).to_string(),
            400,
            Some("invalidValue"),
        ),
        (emails(40), emails(41), 400, Some("invalidValue")),
        (roles(200), roles(201), 400, Some("invalidValue")),
        (deep(31), deep(33), 400, Some("invalidSyntax")),
        (members(1_000), members(1_001), 400, Some("invalidSyntax")),
        (padded(1_024 * 1_024), padded(1_024 * 1_024 + 1), 413, None),
        (large(16), large(17), 413, None),
    ] {
        let answer = world.send_text("POST", "/Users", JSON, fits).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        world.send_text("POST", "/Users", JSON, over).await.is_error(status, scim_type);
    }
    let look = async |filter: String| {
        let path = format!("/Users?filter={}", encode(&filter));
        world.send("GET", &path, None).await
    };
    let terms = |n: usize| vec!["title pr"; n].join(" or ");
    assert_eq!(look(terms(200)).await.status, 200);
    look(terms(201)).await.is_error(400, Some("invalidFilter"));
    let nested = |n: usize| format!("{}title pr{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(look(nested(20)).await.status, 200);
    for n in [21, 2_000] {
        look(nested(n)).await.is_error(400, Some("invalidFilter"));
    }
    let long = format!("title eq \"{}\"", text(8_192));
    look(long).await.is_error(400, Some("invalidFilter"));
}

#[tokio::test]
async fn a_patch_may_have_a_thousand_operations() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a" })).await;
    let path = user.path();
    let operations = |n: usize| {
        let operation = json!({ "op": "replace", "path": "title", "value": "Dr" });
        json!({ "Operations": vec![operation; n] }).to_string()
    };
    assert_eq!(world.send_text("PATCH", path, JSON, operations(1_000)).await.status, 200);
    world.send_text("PATCH", path, JSON, operations(1_001)).await.is_error(413, None);
}

#[tokio::test]
async fn a_patch_with_too_many_comparisons_is_413() {
    let world = World::new().await;
    let ims: Vec<_> =
        (0..200).map(|n| json!({ "value": n.to_string(), "type": "x".repeat(200) })).collect();
    let user = world.user(json!({ "userName": "a", "ims": ims })).await;
    let path = user.path();
    let terms = vec!["type co \"a\""; 50].join(" or ");
    let operation = json!({ "op": "remove", "path": format!("ims[{terms}]") });
    let few = json!({ "Operations": vec![&operation; 6] });
    assert_eq!(world.send_text("PATCH", path, JSON, few.to_string()).await.status, 200);
    let many = json!({ "Operations": vec![&operation; 900] });
    world.send_text("PATCH", path, JSON, many.to_string()).await.is_error(413, None);
}
