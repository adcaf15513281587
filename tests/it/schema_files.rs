//! Schemas and resource types that an operator adds with a file.

use scim_core::Additions;
use scim_lambda::store::MAX_UNIQUE_VALUES;
use serde_json::json;

use crate::support::handles::{id, patch, set};
use crate::support::{ENTERPRISE, World};

#[tokio::test]
async fn a_unique_value_belongs_to_one_resource() {
    let file = json!({
        "schemas": [{ "id": "urn:acme:Badge", "name": "Badge", "attributes": [
            { "name": "number", "type": "string", "uniqueness": "server" },
            { "name": "desk", "type": "integer", "uniqueness": "global", "required": true },
            { "name": "note", "type": "string" },
        ]}],
        "resourceTypes": [{ "name": "User", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
            "schemaExtensions": [{ "schema": "urn:acme:Badge", "required": false }] }],
    });
    let path = std::env::temp_dir().join(format!("badge-{}.json", std::process::id()));
    std::fs::write(&path, file.to_string()).unwrap();
    let world = World::serving_file(&path).await;
    std::fs::remove_file(path).unwrap();
    let user = |name: &str, number: &str, desk: u32| json!({ "userName": name, "urn:acme:Badge": { "number": number, "desk": desk }, ENTERPRISE: { "department": "d" } });
    let first = world.user(user("a", "N1", 1)).await;
    assert_eq!(first["schemas"].as_array().unwrap().len(), 3);
    for taken in [user("b", "n1", 2), user("b", "n2", 1)] {
        let answer = world.send("POST", "/Users", taken).await;
        answer.is_error(409, Some("uniqueness"));
        assert!(answer.body["detail"].as_str().unwrap().contains("urn:acme:Badge:"));
    }
    let second = world.user(user("b", "n2", 2)).await;
    second.set("urn:acme:Badge:number", "N1").await.is_error(409, Some("uniqueness"));
    assert_eq!(second.set("urn:acme:Badge:number", "n3").await.status, 200);
    world.create(user("c", "n2", 3)).await;
    // A deleted user keeps no unique value, and cannot return with one that another has taken.
    assert_eq!(first.delete().await.status, 204);
    world.create(user("d", "n1", 4)).await;
    world.send("POST", "/Users", user("a", "n1", 5)).await.is_error(409, Some("uniqueness"));
    assert_eq!(world.send("POST", "/Users", user("a", "n9", 5)).await.status, 201);
    world
        .send("POST", "/Users", json!({ "userName": "e", "urn:acme:Badge": { "number": "n4" } }))
        .await
        .is_error(400, Some("invalidValue"));
    assert_eq!(world.send("POST", "/Users", json!({ "userName": "e" })).await.status, 201);
}

#[tokio::test]
async fn a_schema_file_cannot_redefine_common_attributes() {
    let file = json!({
        "schemas": [{ "id": "urn:acme:Thing", "name": "Thing", "attributes": [
            { "name": "id", "type": "integer", "mutability": "readWrite" },
            { "name": "meta", "type": "string" },
            { "name": "externalId", "type": "string", "required": true, "caseExact": false },
            { "name": "colour", "type": "string" },
        ]}],
        "resourceTypes": [{ "name": "Thing", "endpoint": "/Things", "schema": "urn:acme:Thing" }],
    });
    let path = std::env::temp_dir().join(format!("thing-{}.json", std::process::id()));
    std::fs::write(&path, file.to_string()).unwrap();
    let world = World::serving_file(&path).await;
    std::fs::remove_file(path).unwrap();
    let made =
        world.send("POST", "/Things", json!({ "id": 7, "meta": "x", "externalId": "Ab" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(
        (made.body["id"].is_string(), &made.body["meta"]["resourceType"]),
        (true, &json!("Thing"))
    );
    let found = ["externalId eq \"ab\"", "externalId eq \"Ab\"", "colour pr"]
        .map(|filter| world.search("/Things", filter));
    let [lower, exact, none] = found;
    assert_eq!((lower.await.len(), exact.await.len(), none.await.len()), (0, 1, 0));
    let shown = world.send("GET", "/Schemas/urn:acme:Thing", None).await.body;
    assert_eq!(shown["attributes"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["attributes"][0]["required"], false);
}

#[tokio::test]
async fn a_name_is_resolved_in_its_own_schema() {
    let file = json!({
        "schemas": [
            { "id": "urn:acme:Team", "name": "Team", "attributes": [
                { "name": "serial", "type": "integer", "uniqueness": "server" },
                { "name": "label", "type": "string" },
                { "name": "members", "type": "complex", "multiValued": true, "subAttributes": [
                    { "name": "value", "type": "string" }, { "name": "rank", "type": "string", "mutability": "immutable" },
                ]},
            ]},
            { "id": "urn:acme:Team:Extra", "name": "Extra", "attributes": [{ "name": "colour", "type": "string" }] },
        ],
        "resourceTypes": [{ "name": "Team", "endpoint": "/Teams", "schema": "urn:acme:Team",
            "schemaExtensions": [{ "schema": "urn:acme:Team:Extra" }] }],
    });
    let path = std::env::temp_dir().join(format!("team-{}.json", std::process::id()));
    std::fs::write(&path, file.to_string()).unwrap();
    let world = World::serving_file(&path).await;
    std::fs::remove_file(path).unwrap();
    let team = |serial: u32| {
        json!({
            "serial": serial, "members": [{ "value": "a", "rank": "1" }, { "value": "a", "rank": "2" }],
            "urn:acme:Team:Extra": { "colour": "red" },
        })
    };
    let made = world.send("POST", "/Teams", team(5)).await;
    assert_eq!(
        (made.status.as_u16(), &made.body["urn:acme:Team:Extra"]["colour"]),
        (201, &json!("red")),
        "{}",
        made.body
    );
    world.send("POST", "/Teams", team(5)).await.is_error(409, Some("uniqueness"));
    let path = format!("/Teams/{}", id(&made.body));
    let put = world.send("PUT", &path, made.body.clone()).await;
    assert_eq!(put.body, made.body, "members are an attribute like any other here");
    let more = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": "b" }] }]));
    assert_eq!(world.send("PATCH", &path, more).await.body["members"].as_array().unwrap().len(), 3);
    let moved = set("members", json!([{ "value": "a", "rank": "3" }]));
    world.send("PATCH", &path, moved).await.is_error(400, Some("mutability"));
    let colour = set("urn:acme:Team:Extra:colour", "blue");
    assert_eq!(
        world.send("PATCH", &path, colour).await.body["urn:acme:Team:Extra"]["colour"],
        "blue"
    );
    assert_eq!(world.search("/Teams", "urn:acme:Team:Extra:colour eq \"blue\"").await.len(), 1);
    assert_eq!(world.search("/Teams", "urn:acme:Team:serial eq 5").await.len(), 1);
}

#[test]
fn an_unusable_schema_file_is_refused_with_the_reason() {
    let schema =
        json!({ "id": "urn:a", "name": "A", "attributes": [{ "name": "a", "type": "string" }] });
    let of = |name: &str, endpoint: &str, schema: &str| json!([{ "name": name, "endpoint": endpoint, "schema": schema }]);
    for (file, why) in [
        (json!([]), "resourceTypes"),
        (json!({ "schemas": [schema] }), "resourceTypes"),
        (
            json!({ "schemas": [schema], "resourceTypes": of("A", "/Users", "urn:a") }),
            "/Users is taken",
        ),
        (
            json!({ "schemas": [schema], "resourceTypes": of("A", "/bulk", "urn:a") }),
            "/bulk is taken",
        ),
        (
            json!({ "schemas": [schema], "resourceTypes": of("A", "/A/B", "urn:a") }),
            "letters and digits",
        ),
        (
            json!({ "schemas": [schema], "resourceTypes": of("A#", "/A", "urn:a") }),
            "letters and digits",
        ),
        (json!({ "schemas": [schema], "resourceTypes": of("A", "/A", "urn:b") }), "urn:b"),
        (
            json!({ "schemas": [{ "id": "urn:a", "name": "A", "attributes": [{ "name": "a b", "type": "string" }] }],
                 "resourceTypes": of("A", "/A", "urn:a") }),
            "a b",
        ),
        (
            json!({ "schemas": [{ "id": "urn:a", "name": "A", "attributes": [{ "name": "a", "type": "text" }] }],
                 "resourceTypes": of("A", "/A", "urn:a") }),
            "text",
        ),
        (
            json!({ "schemas": [{ "id": "urn:a", "name": "A", "attributes": [{ "name": "a", "type": "complex",
                        "subAttributes": [{ "name": "b", "type": "complex" }] }] }],
                    "resourceTypes": of("A", "/A", "urn:a") }),
            "must not be complex",
        ),
        (
            json!({ "schemas": [{ "id": "urn:a", "name": "A", "attributes": [
                        { "name": "a", "type": "string" }, { "name": "A", "type": "string" }] }],
                    "resourceTypes": of("A", "/A", "urn:a") }),
            "is defined twice",
        ),
        (
            json!({ "schemas": [{ "id": "urn:a", "name": "A", "attributes": (0..5).map(|n| {
                        json!({ "name": format!("a{n}"), "type": "string", "uniqueness": "server" })
                    }).collect::<Vec<_>>() }],
                    "resourceTypes": of("A", "/A", "urn:a") }),
            "more than 3 unique",
        ),
    ] {
        let error = Additions::parse(file.to_string().as_bytes(), MAX_UNIQUE_VALUES)
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{file}: {error}");
    }
    assert!(Additions::parse(b"{", MAX_UNIQUE_VALUES).is_err());
}
