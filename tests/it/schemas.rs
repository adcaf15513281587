//! Resource types from a file, and the characteristics that only they have: the schema engine knows
//! no attribute by name.

use scim_core::Additions;
use serde_json::{Value, json};

use crate::support::handles::id;
use crate::support::{BASE_URL, ENTERPRISE, World, encode};

const TEST: &str = "urn:ietf:params:scim:schemas:test:2.0:TestResource";
const EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource";

fn resource(identifier: &str) -> Value {
    json!({ "schemas": [TEST, EXTENSION], "identifier": identifier, EXTENSION: { "extStringAttr": "x", "extStr": "x" } })
}

/// The test resource with the required attributes of its extension, whatever they are.
async fn whole(world: &World, identifier: &str) -> Value {
    let extension = world.send("GET", &format!("/Schemas/{EXTENSION}"), None).await.body;
    let mut whole = resource(identifier);
    let values =
        extension["attributes"].as_array().unwrap().iter().filter(|a| a["type"] == "string");
    whole[EXTENSION] = values
        .map(|a| (a["name"].as_str().unwrap().to_owned(), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    whole
}

fn patch(op: &str, path: &str, value: Value) -> Value {
    json!({ "Operations": [{ "op": op, "path": path, "value": value }] })
}

async fn made(world: &World, attributes: Value) -> (String, Value) {
    let mut body = whole(world, &format!("r{}", world.rows_of("#Z#TestResource").await)).await;
    body.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let answer = world.send("POST", "/TestResources", body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    (format!("/TestResources/{}", id(&answer.body)), answer.body)
}

#[tokio::test]
async fn a_resource_type_from_a_file_is_served_like_any_other() {
    let world = World::serving("test-resource").await;
    let types = world.send("GET", "/ResourceTypes", None).await.body;
    let names: Vec<&Value> =
        types["Resources"].as_array().unwrap().iter().map(|of| &of["name"]).collect();
    assert_eq!(names, ["User", "Group", "TestResource"]);
    assert_eq!(
        types["Resources"][2]["schemaExtensions"],
        json!([{ "schema": EXTENSION, "required": true }])
    );
    assert_eq!(world.send("GET", &format!("/Schemas/{TEST}"), None).await.body["id"], TEST);

    let (path, created) = made(&world, json!({ "externalId": "e", "integerAttr": 7 })).await;
    assert_eq!(created["meta"]["location"], format!("{BASE_URL}{path}"));
    assert_eq!(created["meta"]["resourceType"], "TestResource");
    assert_eq!(created["schemas"], json!([TEST, EXTENSION]));
    assert_eq!(world.send("GET", &path, None).await.body, created);
    for filter in [
        "identifier eq \"R0\"",
        "externalId eq \"e\"",
        "integerAttr gt 6",
        &format!(
            "{EXTENSION}:{} pr",
            created[EXTENSION].as_object().unwrap().keys().next().unwrap()
        ),
    ] {
        assert_eq!(world.search("/TestResources", filter).await.len(), 1, "{filter}");
    }
    let answer = world.send("PATCH", &path, patch("replace", "identifier", json!("other"))).await;
    assert_eq!((answer.status.as_u16(), &answer.body["identifier"]), (200, &json!("other")));
    let listed = world.send("GET", "/testresources?count=5", None).await.body;
    assert_eq!(
        (listed["totalResults"].as_u64(), &listed["Resources"][0]["identifier"]),
        (Some(1), &json!("other"))
    );
    assert_eq!(world.send("DELETE", &path, None).await.status, 204);
    world.send("GET", &path, None).await.is_error(404, None);
    world.send("DELETE", &path, None).await.is_error(404, None);
    assert_eq!(world.rows_of("#Z#TestResource").await, 0);
    // Another server does not know the type.
    World::new().await.send("GET", "/TestResources", None).await.is_error(404, None);
}

#[tokio::test]
async fn required_attributes_and_extensions_must_be_there() {
    let world = World::serving("test-resource").await;
    let mut body = whole(&world, "a").await;
    body.as_object_mut().unwrap().remove(EXTENSION);
    let answer = world.send("POST", "/TestResources", body).await;
    answer.is_error(400, Some("invalidValue"));
    assert!(answer.body["detail"].as_str().unwrap().contains(EXTENSION));
    let mut body = whole(&world, "a").await;
    body["identifier"] = Value::Null;
    world.send("POST", "/TestResources", body).await.is_error(400, Some("invalidValue"));
    let (path, _) = made(&world, json!({})).await;
    world
        .send("PATCH", &path, patch("remove", "identifier", Value::Null))
        .await
        .is_error(400, Some("mutability"));
    world
        .send("PATCH", &path, patch("remove", EXTENSION, Value::Null))
        .await
        .is_error(400, Some("mutability"));
}

#[tokio::test]
async fn an_immutable_value_is_set_once() {
    let world = World::serving("test-resource").await;
    let (path, _) = made(&world, json!({})).await;
    let answer = world.send("PATCH", &path, patch("add", "immutableAttr", json!("first"))).await;
    assert_eq!(
        answer.body["immutableAttr"], "first",
        "RFC 7644, 3.5.2: add may define it where it has no value"
    );
    for body in [
        patch("replace", "immutableAttr", json!("second")),
        patch("remove", "immutableAttr", Value::Null),
    ] {
        world.send("PATCH", &path, body).await.is_error(400, Some("mutability"));
    }
    let mut put = answer.body.clone();
    put["immutableAttr"] = json!("second");
    world.send("PUT", &path, put.clone()).await.is_error(400, Some("mutability"));
    put.as_object_mut().unwrap().remove("immutableAttr");
    put["integerAttr"] = json!(1);
    let answer = world.send("PUT", &path, put).await;
    assert_eq!(
        (&answer.body["immutableAttr"], &answer.body["integerAttr"]),
        (&json!("first"), &json!(1))
    );
    assert_eq!(
        world.send("PATCH", &path, patch("replace", "immutableAttr", json!("first"))).await.status,
        200
    );
    let (path, mut other) = made(&world, json!({})).await;
    other["immutableAttr"] = json!("by PUT");
    assert_eq!(world.send("PUT", &path, other).await.body["immutableAttr"], "by PUT");
}

#[tokio::test]
async fn read_only_and_write_only_values_stay_where_they_belong() {
    let world = World::serving("test-resource").await;
    let (path, created) =
        made(&world, json!({ "readOnlyAttr": "x", "writeOnlyAttr": "secret" })).await;
    assert_eq!((created.get("readOnlyAttr"), created.get("writeOnlyAttr")), (None, None));
    world
        .send("PATCH", &path, patch("add", "readOnlyAttr", json!("x")))
        .await
        .is_error(400, Some("mutability"));
    let query = "?attributes=readOnlyAttr,writeOnlyAttr";
    let got = world.send("GET", &format!("{path}{query}"), None).await.body;
    assert_eq!((got.get("readOnlyAttr"), got.get("writeOnlyAttr")), (None, None));
    assert_eq!(
        world.search("/TestResources", "writeOnlyAttr eq \"secret\"").await.len(),
        0,
        "a filter must not guess it"
    );
    // A PUT of what was read does not lose what cannot be read.
    let before = world.rows().await;
    assert_eq!(world.send("PUT", &path, created.clone()).await.body, created);
    assert_eq!(world.rows().await.len(), before.len());
}

#[tokio::test]
async fn returned_decides_what_is_shown() {
    let world = World::serving("test-resource").await;
    let (path, created) = made(
        &world,
        json!({ "requestOnlyAttr": "r", "alwaysReturnedAttr": "a", "integerAttr": 1 }),
    )
    .await;
    assert_eq!(
        (created.get("requestOnlyAttr"), &created["alwaysReturnedAttr"]),
        (Some(&json!("r")), &json!("a"))
    );
    let shown = |body: &Value| {
        ["requestOnlyAttr", "alwaysReturnedAttr", "integerAttr"]
            .map(|name| body.get(name).is_some())
    };
    for (query, expected) in [
        ("", [false, true, true]),
        ("?attributes=requestOnlyAttr", [true, true, false]),
        ("?attributes=integerAttr", [false, true, true]),
        ("?excludedAttributes=alwaysReturnedAttr,integerAttr", [false, true, false]),
    ] {
        assert_eq!(
            shown(&world.send("GET", &format!("{path}{query}"), None).await.body),
            expected,
            "{query}"
        );
        let list = world.send("GET", &format!("/TestResources{query}"), None).await.body;
        assert_eq!(shown(&list["Resources"][0]), expected, "{query}");
    }
}

#[tokio::test]
async fn types_of_values_and_case_rules_come_from_the_schema() {
    let world = World::serving("test-resource").await;
    for (name, wrong) in [
        ("integerAttr", json!(1.5)),
        ("integerAttr", json!("1")),
        ("booleanAttr", json!("maybe")),
        ("integerAttr", json!(1e3)),
        ("dateTimeAttr", json!("yesterday")),
        ("dateTimeAttr", json!("2011-05-13")),
        ("binaryAttr", json!("not base64!")),
        ("complexAttr", json!("text")),
        ("complexAttr", json!({ "sub2": "text" })),
        ("caseExactString", json!(1)),
        (
            "multiComplex",
            json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }]),
        ),
    ] {
        let mut body = whole(&world, "wrong").await;
        body[name] = wrong.clone();
        world.send("POST", "/TestResources", body).await.is_error(400, Some("invalidValue"));
    }
    let (_, created) = made(
        &world,
        json!({
            "caseExactString": "Ab", "caseInsensitiveString": "Ab", "dateTimeAttr": "2011-05-13T04:42:34Z", "binaryAttr": "YQ==",
            "complexAttr": { "sub1": "s", "sub2": 2, "sub3": "True" }, "multiComplex": { "value": "a", "type": "T" },
        }),
    )
    .await;
    assert_eq!(created["complexAttr"], json!({ "sub1": "s", "sub2": 2, "sub3": true }));
    assert_eq!(created["multiComplex"], json!([{ "value": "a", "type": "T" }]));
    for (filter, found) in [
        ("caseExactString eq \"ab\"", 0),
        ("caseExactString sw \"A\"", 1),
        ("caseExactString co \"B\"", 0),
        ("caseInsensitiveString eq \"aB\"", 1),
        ("dateTimeAttr eq \"2011-05-13T06:42:34+02:00\"", 1),
        ("binaryAttr eq \"YQ==\"", 1),
        ("complexAttr.sub2 ge 2", 1),
        ("complexAttr[sub1 eq \"S\" and sub3 eq true]", 1),
        ("multiComplex[type eq \"t\"].value eq \"A\"", 1),
    ] {
        assert_eq!(world.search("/TestResources", filter).await.len(), found, "{filter}");
    }
    for filter in [
        "binaryAttr gt \"YQ==\"",
        "booleanAttr gt true",
        "complexAttr eq \"s\"",
        "integerAttr co 1",
    ] {
        let path = format!("/TestResources?filter={}", encode(filter));
        world.send("GET", &path, None).await.is_error(400, Some("invalidFilter"));
    }
}

#[tokio::test]
async fn unique_values_are_held_by_one_resource() {
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
async fn common_attributes_ignore_what_a_schema_file_says() {
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
async fn names_mean_what_their_own_schema_says() {
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
    let more = patch("add", "members", json!([{ "value": "b" }]));
    assert_eq!(world.send("PATCH", &path, more).await.body["members"].as_array().unwrap().len(), 3);
    let moved = patch("replace", "members", json!([{ "value": "a", "rank": "3" }]));
    world.send("PATCH", &path, moved).await.is_error(400, Some("mutability"));
    let colour = patch("replace", "urn:acme:Team:Extra:colour", json!("blue"));
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
            "stands twice",
        ),
        (
            json!({ "schemas": [{ "id": "urn:a", "name": "A", "attributes": (0..5).map(|n| {
                        json!({ "name": format!("a{n}"), "type": "string", "uniqueness": "server" })
                    }).collect::<Vec<_>>() }],
                    "resourceTypes": of("A", "/A", "urn:a") }),
            "more than 3 unique",
        ),
    ] {
        let error = Additions::parse(file.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{file}: {error}");
    }
    assert!(Additions::parse(b"{").is_err());
}
