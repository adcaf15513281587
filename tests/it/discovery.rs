//! What clients learn of the service before they use it.

use serde_json::{Value, json};

use crate::support::{BASE_URL, ENTERPRISE, USER, World};

#[tokio::test]
async fn the_three_discovery_endpoints_answer() {
    let world = World::new().await;
    let config = world.send("GET", "/ServiceProviderConfig", None).await;
    assert_eq!(config.status, 200);
    for (feature, supported) in
        [("patch", true), ("filter", true), ("bulk", true), ("changePassword", false), ("sort", true), ("etag", true)]
    {
        assert_eq!(config.body[feature]["supported"], supported, "{feature}");
    }
    assert_eq!(config.body["authenticationSchemes"][0]["type"], "oauthbearertoken");
    let types = world.send("GET", "/ResourceTypes", None).await;
    assert_eq!((&types.body["totalResults"], &types.body["Resources"][0]["endpoint"]), (&json!(2), &json!("/Users")));
    assert_eq!(types.body["Resources"][0]["schemaExtensions"], json!([{ "schema": ENTERPRISE, "required": false }]));
    for resource_type in types.body["Resources"].as_array().unwrap() {
        let one = world.send("GET", &format!("/ResourceTypes/{}", resource_type["id"].as_str().unwrap()), None).await;
        assert_eq!(&one.body, resource_type);
    }
}

#[tokio::test]
async fn every_schema_can_be_fetched_by_its_id_and_is_complete() {
    let world = World::new().await;
    let list = world.send("GET", "/Schemas", None).await;
    let schemas = list.body["Resources"].as_array().unwrap();
    assert_eq!(schemas.len(), 6);
    for schema in schemas {
        let id = schema["id"].as_str().unwrap();
        let one = world.send("GET", &format!("/Schemas/{id}"), None).await;
        assert_eq!(&one.body, schema);
        assert_eq!(schema["meta"]["location"], format!("{BASE_URL}/Schemas/{id}"));
        check(schema["attributes"].as_array().unwrap());
    }
    let user = schemas.iter().find(|schema| schema["id"] == USER).unwrap();
    let names: Vec<_> = user["attributes"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"userName") && !names.contains(&"password"), "{names:?}");
}

/// "The attributes ... have all characteristics" (RFC 7643, 7): no client must guess a default.
fn check(attributes: &[Value]) {
    for attribute in attributes {
        for characteristic in
            ["name", "type", "multiValued", "required", "caseExact", "mutability", "returned", "uniqueness"]
        {
            assert!(attribute.get(characteristic).is_some(), "{characteristic} of {attribute}");
        }
        assert_eq!(attribute["type"] == "complex", attribute.get("subAttributes").is_some(), "{attribute}");
        check(attribute["subAttributes"].as_array().map_or(&[], Vec::as_slice));
    }
}

#[tokio::test]
async fn discovery_takes_no_filter_and_no_writes() {
    let world = World::new().await;
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas"] {
        world.send("GET", &format!("{path}?filter=name+eq+%22x%22"), None).await.is_error(403, None);
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            world.send(method, path, json!({})).await.is_error(405, None);
        }
    }
}

#[tokio::test]
async fn groups_are_an_empty_list_for_whoever_looks() {
    let world = World::new().await;
    for query in ["", "?startIndex=1&count=100", "?excludedAttributes=members&filter=displayName+eq+%22x%22"] {
        let groups = world.send("GET", &format!("/Groups{query}"), None).await;
        assert_eq!(groups.status, 200);
        assert_eq!((&groups.body["totalResults"], &groups.body["Resources"]), (&json!(0), &json!([])));
    }
}
