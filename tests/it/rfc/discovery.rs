//! The discovery documents.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::handles::id;
use crate::support::{USER, World};

/// RFC 7643, 5; RFC 9865, 4.
#[tokio::test]
async fn the_service_provider_config_has_every_required_member() {
    let world = World::new().await;
    let config = world.send("GET", "/ServiceProviderConfig", None).await.body;
    assert_eq!(
        config["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"])
    );
    for (pointer, example) in [
        ("/patch/supported", json!(true)),
        ("/bulk/supported", json!(true)),
        ("/bulk/maxOperations", json!(1)),
        ("/bulk/maxPayloadSize", json!(1)),
        ("/filter/supported", json!(true)),
        ("/filter/maxResults", json!(1)),
        ("/changePassword/supported", json!(true)),
        ("/sort/supported", json!(true)),
        ("/etag/supported", json!(true)),
        ("/authenticationSchemes/0/type", json!("")),
        ("/authenticationSchemes/0/name", json!("")),
        ("/authenticationSchemes/0/description", json!("")),
        ("/pagination/cursor", json!(true)),
        ("/pagination/index", json!(true)),
        ("/pagination/defaultPaginationMethod", json!("")),
        ("/pagination/defaultPageSize", json!(1)),
        ("/pagination/maxPageSize", json!(1)),
        ("/pagination/cursorTimeout", json!(1)),
        ("/meta/location", json!("")),
    ] {
        let found = config.pointer(pointer).unwrap_or(&Value::Null);
        assert_eq!(
            std::mem::discriminant(found),
            std::mem::discriminant(&example),
            "{pointer}: {found}"
        );
    }
    let page = world.send("GET", "/Users?count=100000", None).await.body;
    assert!(page["itemsPerPage"].as_u64() <= config["filter"]["maxResults"].as_u64());
}

/// RFC 7643, 6 and 7.
#[tokio::test]
async fn resource_types_and_schemas_describe_themselves() {
    let world = World::serving("test-resource").await;
    let list = |path| world.send("GET", path, None);
    let schemas = list("/Schemas").await.body["Resources"].as_array().unwrap().clone();
    let ids: BTreeSet<&str> = schemas.iter().map(|schema| id(schema)).collect();
    for of in list("/ResourceTypes").await.body["Resources"].as_array().unwrap() {
        for name in ["id", "name", "description", "endpoint", "schema"] {
            assert!(!of[name].as_str().unwrap().is_empty(), "{of}");
        }
        let extensions =
            of["schemaExtensions"].as_array().unwrap().iter().map(|extension| &extension["schema"]);
        for schema in extensions.chain([&of["schema"]]) {
            assert!(ids.contains(schema.as_str().unwrap()), "{schema}");
        }
    }
    let ours = schemas.iter().filter(|schema| !id(schema).contains(":test:"));
    for schema in ours {
        assert!(
            !schema["name"].as_str().unwrap().is_empty()
                && !schema["description"].as_str().unwrap().is_empty()
        );
        for attribute in schema["attributes"].as_array().unwrap() {
            check(attribute, schema, true);
        }
    }
    let user = schemas.iter().find(|schema| schema["id"] == USER).unwrap();
    for (name, values) in [
        ("emails", "work home other"),
        ("phoneNumbers", "work home mobile fax pager other"),
        ("ims", "aim gtalk icq xmpp msn skype qq yahoo"),
        ("photos", "photo thumbnail"),
        ("addresses", "work home other"),
    ] {
        let attribute =
            user["attributes"].as_array().unwrap().iter().find(|a| a["name"] == name).unwrap();
        let kind = attribute["subAttributes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|sub| sub["name"] == "type")
            .unwrap();
        assert_eq!(kind["canonicalValues"], json!(values.split(' ').collect::<Vec<_>>()), "{name}");
    }
}

fn check(attribute: &Value, schema: &Value, top: bool) {
    let name = attribute["name"].as_str().unwrap();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_$".contains(c);
    assert!(name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
    assert!(!attribute["description"].as_str().unwrap().is_empty(), "{name} in {}", schema["id"]);
    let is_own = id(schema).contains(":core:2.0:Schema");
    assert!(top || is_own || attribute["type"] != "complex", "{name}: complex in complex");
    for sub in attribute["subAttributes"].as_array().into_iter().flatten() {
        check(sub, schema, false);
    }
}

/// RFC 7644, 4: "Query parameters ..., such as filtering, sorting, and pagination, SHALL be
/// ignored."
#[tokio::test]
async fn discovery_ignores_query_parameters() {
    let world = World::new().await;
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        let plain = world.send("GET", path, None).await.body;
        let asked =
            format!("{path}?startIndex=2&count=none&sortBy=name&sortOrder=up&attributes=id");
        assert_eq!(world.send("GET", &asked, None).await.body, plain, "{path}");
    }
}
