//! Resource types from a file, and the characteristics that only they have: the schema engine does
//! not know any attribute by name.

use serde_json::{Value, json};

use crate::support::handles::id;
use crate::support::{BASE_URL, World, encode};

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
    // A server without the file does not know the type.
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
async fn read_only_values_cannot_be_written_nor_write_only_values_read() {
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
    // A PUT of what was read keeps the values that cannot be read.
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
