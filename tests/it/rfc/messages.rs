//! Answers: lists, media types, and those of a PATCH.

use http::Request;
use serde_json::json;

use crate::support::World;
use crate::support::handles::{patch, set};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// RFC 7644, 3.1 and 3.4.2.
#[tokio::test]
async fn every_list_is_a_list_response() {
    let world = World::new().await;
    world.create(json!({ "userName": "a" })).await;
    for path in [
        "/Users",
        "/Groups",
        "/Users?filter=userName%20pr",
        "/Users?cursor",
        "/Schemas",
        "/ResourceTypes",
    ] {
        assert_eq!(world.send("GET", path, None).await.body["schemas"], json!([LIST]), "{path}");
    }
    for path in ["/.search", "/Users/.search", "/Groups/.search"] {
        assert_eq!(
            world.send("POST", path, json!({})).await.body["schemas"],
            json!([LIST]),
            "{path}"
        );
    }
}

/// RFC 7644, 3.8: "Service providers MUST support the "Accept" header ..."
#[tokio::test]
async fn any_accept_header_is_answered_with_scim_json() {
    let world = World::new().await;
    for accept in [
        "application/scim+json",
        "application/json",
        "*/*",
        "text/html",
        "application/json;charset=UTF-8",
    ] {
        let request = Request::builder()
            .uri("/scim/v2/Users")
            .header("authorization", format!("Bearer {}", world.token.reveal()))
            .header("accept", accept)
            .body(bytes::Bytes::new());
        let answer = world.raw(request.unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "application/scim+json"),
            "{accept}"
        );
    }
}

/// RFC 7644, 3.5.2: "The server MUST return a 200 OK if the "attributes" parameter is specified in
/// the request."
#[tokio::test]
async fn a_patch_with_attributes_is_200_even_for_a_large_group() {
    let world = World::new().await;
    let people = world.people("u", 101).await;
    let group = world.group("Staff", &people).await;
    assert_eq!(group.set("displayName", "a").await.status, 204);
    let with_members = format!("{}?attributes=members", group.path());
    let answer = world.send("PATCH", &with_members, set("displayName", "b")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body["members"].as_array().unwrap().len()),
        (200, 101)
    );
    assert_eq!(answer.body.get("displayName"), None);
    let user = format!("/Users/{}?attributes=title", people[0]);
    let answer = world
        .send("PATCH", &user, patch(json!([{ "op": "add", "path": "title", "value": "Dr" }])))
        .await;
    let names: Vec<&str> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((answer.status.as_u16(), names), (200, vec!["schemas", "id", "title"]));
}

/// RFC 7644, 3.5.2.3.
#[tokio::test]
async fn a_replace_changes_all_matching_values_and_needs_an_object_without_path() {
    let world = World::new().await;
    let phones = json!([{ "value": "1", "type": "work" }, { "value": "2", "type": "work" }, { "value": "3", "type": "home" }]);
    let user = world.user(json!({ "userName": "a", "phoneNumbers": phones })).await;
    let answer = user.set("phoneNumbers[type eq \"work\"].display", "d").await.body;
    let shown: Vec<Option<&str>> =
        answer["phoneNumbers"].as_array().unwrap().iter().map(|p| p["display"].as_str()).collect();
    assert_eq!(shown, [Some("d"), Some("d"), None]);
    for value in [json!("text"), json!(1), json!([{ "title": "Dr" }]), json!(true)] {
        let operations = json!([{ "op": "replace", "value": value }]);
        user.patch(operations).await.is_error(400, Some("invalidValue"));
    }
}
