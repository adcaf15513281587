//! What clients learn about the service before they use it.

use std::sync::Arc;

use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use crate::support::customer::Customer;
use crate::support::handles::id;
use crate::support::{BASE_URL, ENTERPRISE, USER, World, encode};

#[tokio::test]
async fn the_three_discovery_endpoints_answer() {
    let world = World::new().await;
    let config = world.send("GET", "/ServiceProviderConfig", None).await;
    assert_eq!(config.status, 200);
    for (feature, supported) in [
        ("patch", true),
        ("filter", true),
        ("bulk", true),
        ("changePassword", false),
        ("sort", true),
        ("etag", true),
    ] {
        assert_eq!(config.body[feature]["supported"], supported, "{feature}");
    }
    assert_eq!(config.body["authenticationSchemes"][0]["type"], "oauthbearertoken");
    let types = world.send("GET", "/ResourceTypes", None).await;
    assert_eq!(
        (&types.body["totalResults"], &types.body["Resources"][0]["endpoint"]),
        (&json!(2), &json!("/Users"))
    );
    assert_eq!(
        types.body["Resources"][0]["schemaExtensions"],
        json!([{ "schema": ENTERPRISE, "required": false }])
    );
    for resource_type in types.body["Resources"].as_array().unwrap() {
        let one = world.send("GET", &format!("/ResourceTypes/{}", id(resource_type)), None).await;
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
        let id = id(schema);
        let one = world.send("GET", &format!("/Schemas/{id}"), None).await;
        assert_eq!(&one.body, schema);
        assert_eq!(schema["meta"]["location"], format!("{BASE_URL}/Schemas/{id}"));
        check(schema["attributes"].as_array().unwrap());
    }
    let user = schemas.iter().find(|schema| schema["id"] == USER).unwrap();
    let names: Vec<_> = user["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"userName"), "{names:?}");
}

/// "The attributes ... have all characteristics" (RFC 7643, 7): no client must guess a default.
fn check(attributes: &[Value]) {
    for attribute in attributes {
        for characteristic in [
            "name",
            "type",
            "multiValued",
            "required",
            "caseExact",
            "mutability",
            "returned",
            "uniqueness",
        ] {
            assert!(attribute.get(characteristic).is_some(), "{characteristic} of {attribute}");
        }
        assert_eq!(
            attribute["type"] == "complex",
            attribute.get("subAttributes").is_some(),
            "{attribute}"
        );
        check(attribute["subAttributes"].as_array().map_or(&[], Vec::as_slice));
    }
}

/// RFC 7643, 8.7.1. Clients that build their users from `/Schemas` look for it there.
#[tokio::test]
async fn password_is_in_the_schema_under_every_profile() {
    let world = World::new().await;
    for profile in ["default", "strict", "zulip"] {
        let (_, token) = world.tenant(profile, profile).await;
        let schema = world.send_as(&token, "GET", &format!("/Schemas/{USER}"), None).await.body;
        let attributes = schema["attributes"].as_array().unwrap();
        let password = attributes.iter().find(|attribute| attribute["name"] == "password").unwrap();
        for (characteristic, value) in [
            ("type", json!("string")),
            ("multiValued", json!(false)),
            ("required", json!(false)),
            ("caseExact", json!(false)),
            ("mutability", json!("writeOnly")),
            ("returned", json!("never")),
            ("uniqueness", json!("none")),
        ] {
            assert_eq!(password[characteristic], value, "{profile}: {characteristic}");
        }
        let config = world.send_as(&token, "GET", "/ServiceProviderConfig", None).await.body;
        assert_eq!(config["changePassword"]["supported"], false);
    }
    // It is accepted where only some attributes are kept, and no profile can require what is
    // dropped.
    let zulip = Customer::new("zulip").await;
    let name = json!({ "givenName": "B", "familyName": "J" });
    let user = zulip
        .create(json!({ "userName": "a@example.com", "name": name, "password": "t1meMa$heen" }))
        .await;
    assert_eq!((user.get("password"), zulip.rows_with("t1meMa$heen").await), (None, 0));
    assert!(Profile::default().with("attributes.required", "[\"password\"]").is_err());
    // No query can ask for it.
    let world = World::new().await;
    let (_, strict) = world.tenant("asked", "strict").await;
    for (filter, tolerant) in
        [("password eq \"x\"", 0), ("password pr", 0), ("password ne \"x\"", 0)]
    {
        let path = format!("/Users?filter={}", encode(filter));
        world.send_as(&strict, "GET", &path, None).await.is_error(400, Some("invalidFilter"));
        assert_eq!(world.find(filter).await.len(), tolerant, "{filter}");
    }
}

/// Two SDKs and an identity provider refuse the whole document for `pagination`; RFC 9865 says
/// SHOULD.
#[tokio::test]
async fn the_service_provider_config_follows_the_profile() {
    let world = Arc::new(World::new().await);
    let config = async |settings: &[(&str, &str)], idp: Option<&str>| {
        let profile = settings
            .iter()
            .fold(Profile::preset("default", idp).unwrap(), |profile, (path, value)| {
                profile.with(path, value).unwrap()
            });
        let (_, token) =
            world.tenant(&format!("{settings:?}{idp:?}"), &profile.write().unwrap()).await;
        let etag = world
            .send_as(&token, "POST", "/Users", json!({ "userName": "a" }))
            .await
            .header("etag")
            .to_owned();
        assert_eq!(etag, "W/\"1\"", "entity tags are there, whatever is said of them");
        world.send_as(&token, "GET", "/ServiceProviderConfig", None).await.body
    };
    let usual = config(&[], None).await;
    assert_eq!(
        (&usual["etag"]["supported"], &usual["pagination"]["cursor"]),
        (&json!(true), &json!(true))
    );
    let without = config(&[("discovery.pagination", "off")], None).await;
    let mut expected = usual.clone();
    expected.as_object_mut().unwrap().remove("pagination");
    assert_eq!(without, expected);
    assert_eq!(
        config(&[], Some("ping")).await,
        expected,
        "the SDK of PingOne's maker refuses other members"
    );
    expected["etag"]["supported"] = json!(false);
    assert_eq!(
        config(&[("discovery.pagination", "off"), ("discovery.etag", "off")], None).await,
        expected
    );
}

#[tokio::test]
async fn discovery_refuses_filters_and_writes() {
    let world = World::new().await;
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas"] {
        world
            .send("GET", &format!("{path}?filter=name+eq+%22x%22"), None)
            .await
            .is_error(403, None);
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            world.send(method, path, json!({})).await.is_error(405, None);
        }
    }
}

#[tokio::test]
async fn a_tenant_without_groups_lists_none() {
    let world = World::new().await;
    for query in
        ["", "?startIndex=1&count=100", "?excludedAttributes=members&filter=displayName+eq+%22x%22"]
    {
        let groups = world.send("GET", &format!("/Groups{query}"), None).await;
        assert_eq!(groups.status, 200);
        assert_eq!(
            (&groups.body["totalResults"], &groups.body["Resources"]),
            (&json!(0), &json!([]))
        );
    }
}
