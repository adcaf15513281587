//! Requirements of the RFCs that no other test holds; `docs/CONFORMANCE.md` says which test holds
//! which.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use http::Request;
use scim_lambda::store::{Collection, Kind};
use scimctl::local::TABLE;
use serde_json::{Value, json};

use crate::support::handles::{id, patch, set};
use crate::support::{ENTERPRISE, GROUP, USER, World, encode};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

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
async fn discovery_ignores_what_queries_say() {
    let world = World::new().await;
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        let plain = world.send("GET", path, None).await.body;
        let asked =
            format!("{path}?startIndex=2&count=none&sortBy=name&sortOrder=up&attributes=id");
        assert_eq!(world.send("GET", &asked, None).await.body, plain, "{path}");
    }
}

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

/// RFC 7643, 4.1.1 and 9.2.
#[tokio::test]
async fn a_password_is_in_no_answer_and_in_no_row() {
    let world = World::new().await;
    let secret = "t0p-s3cret!";
    let user = json!({ "userName": "a", "password": secret });
    let created = world.user(user.clone()).await;
    let shown = format!("{}?attributes=password,userName", created.path());
    let by_path = set("password", secret);
    let by_value = patch(json!([{ "op": "add", "value": { "password": secret, "title": "Dr" } }]));
    let by_urn =
        patch(json!([{ "op": "add", "path": format!("{USER}:password"), "value": secret }]));
    let mut answers = vec![created.clone(), world.send("PUT", &shown, user).await.body];
    for body in [by_path, by_value, by_urn] {
        let answer = world.send("PATCH", &shown, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answers.push(answer.body);
    }
    answers.push(world.send("GET", &shown, None).await.body);
    assert!(answers.iter().all(|answer| answer["userName"] == "a"));
    let everything = format!("{answers:?}{:?}", world.rows().await);
    assert!(
        !everything.contains(secret) && !everything.to_lowercase().contains("\"password"),
        "{everything}"
    );
    let filter = format!("/Users?filter={}", encode(&format!("password eq \"{secret}\"")));
    assert_eq!(world.send("GET", &filter, None).await.body["totalResults"], 0);
}

/// RFC 7643, 2.5: "Unassigned attributes, the null value, or an empty array ... SHALL be considered
/// to be equivalent in "state"."
#[tokio::test]
async fn null_an_empty_array_and_nothing_are_one_state() {
    let world = World::new().await;
    let bare = json!({ "userName": "a" });
    let nulls =
        json!({ "userName": "a", "title": null, "emails": null, "name": null, ENTERPRISE: null });
    let empty = json!({ "userName": "a", "title": "", "emails": [], "name": { "givenName": null }, ENTERPRISE: {} });
    let full = json!({ "userName": "a", "title": "Dr", "emails": [{ "value": "a@example.com" }], "name": { "givenName": "A" },
        ENTERPRISE: { "department": "d" } });
    let created = world.user(bare.clone()).await;
    let client = |mut user: Value| {
        user.as_object_mut().unwrap().retain(|name, _| name != "meta" && name != "id");
        user
    };
    for body in [&bare, &nulls, &empty] {
        assert_eq!(created.put(full.clone()).await.body["title"], "Dr");
        let answer = created.put(body.clone()).await;
        assert_eq!(client(answer.body), client(created.clone()), "{body}");
        let (_, token) = world.tenant(&format!("t{}", body.to_string().len()), "strict").await;
        let mut own = body.clone();
        own["schemas"] = json!([USER]);
        let other = world.send_as(&token, "POST", "/Users", own).await;
        assert_eq!(client(other.body), client(created.clone()), "{body}");
    }
}

/// RFC 7643, 3: "Value order is not specified and MUST NOT impact behavior."
#[tokio::test]
async fn the_order_of_schemas_does_not_matter() {
    let world = World::new().await;
    for (n, schemas) in [
        json!([USER, ENTERPRISE]),
        json!([ENTERPRISE, USER]),
        json!([USER, USER, ENTERPRISE]),
        json!([]),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "schemas": schemas, "userName": format!("u{n}"), ENTERPRISE: { "department": "d" } });
        let user = world.create(body).await;
        assert_eq!(
            (&user["schemas"], &user[ENTERPRISE]["department"]),
            (&json!([USER, ENTERPRISE]), &json!("d"))
        );
    }
}

/// RFC 7644, 3.5.1: "readOnly Any values provided SHALL be ignored."
#[tokio::test]
async fn a_put_of_what_was_read_changes_nothing_nor_do_other_ids_and_metas() {
    let world = World::new().await;
    let user = world
        .user(
            json!({ "userName": "a", "name": { "formatted": "A" }, "emails": [{ "value": "a@b.c", "primary": true }],
            ENTERPRISE: { "manager": { "value": "x", "displayName": "Boss" } } }),
        )
        .await;
    world.clock.advance(60);
    let mut other = user.clone();
    other["id"] = json!("other");
    other["meta"] = json!({ "created": "2001-01-01T00:00:00Z", "version": "W/\"99\"", "location": "https://evil.example" });
    other["groups"] = json!([{ "value": "admins" }]);
    for body in [user.clone(), other] {
        let answer = user.put(body).await;
        assert_eq!((answer.body, answer.tally.write_units), (user.clone(), 0.0));
    }
}

/// RFC 7644, 3.5.2: "The server MUST return a 200 OK if the "attributes" parameter is specified in
/// the request."
#[tokio::test]
async fn a_patch_with_attributes_is_200_also_of_a_large_group() {
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
async fn a_replace_changes_all_values_that_pass_and_needs_an_object_without_path() {
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

/// RFC 7644, 3.4.2.2: what a type does not have is not compared.
#[tokio::test]
async fn comparisons_that_a_type_does_not_have_are_invalid_filters() {
    let world = World::new().await;
    for filter in [
        "x509Certificates.value gt \"YQ==\"",
        "x509Certificates.value ge \"YQ==\"",
        "x509Certificates.value lt \"YQ==\"",
        "x509Certificates.value le \"YQ==\"",
        "name eq \"x\"",
        "addresses eq \"x\"",
        "meta eq \"x\"",
    ] {
        let path = format!("/Users?filter={}", encode(filter));
        world.send("GET", &path, None).await.is_error(400, Some("invalidFilter"));
    }
}

/// RFC 7643, 2.2 and RFC 7644, 3.4.2.3: case-exact attributes keep their case in filters and
/// orders.
#[tokio::test]
async fn case_exact_attributes_are_filtered_and_sorted_with_their_case() {
    let world = World::new().await;
    for external_id in ["b", "A", "a", "B"] {
        world.create(json!({ "userName": format!("u-{external_id}{}", external_id == "a" || external_id == "b"), "externalId": external_id })).await;
    }
    for (filter, found) in [
        ("externalId sw \"a\"", 1),
        ("externalId co \"B\"", 1),
        ("externalId ew \"c\"", 0),
        ("externalId gt \"B\"", 2),
    ] {
        assert_eq!(world.find(filter).await.len(), found, "{filter}");
    }
    let list = world.send("GET", "/Users?sortBy=externalId", None).await.body;
    let order: Vec<&str> = list["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["externalId"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["A", "B", "a", "b"]);
}

/// RFC 7643, 2.4: "If not specified, the value of "primary" SHALL be assumed to be "false"."
#[tokio::test]
async fn what_does_not_say_primary_is_not_primary() {
    let world = World::new().await;
    world
        .create(json!({ "userName": "one", "emails": [{ "value": "a@b.c", "primary": true }] }))
        .await;
    world
        .create(json!({ "userName": "two", "emails": [{ "value": "d@b.c", "primary": true }, { "value": "e@b.c" }] }))
        .await;
    world.create(json!({ "userName": "none" })).await;
    for (filter, names) in [
        ("emails[primary eq false]", vec!["two"]),
        ("emails.primary eq false", vec!["two"]),
        ("emails[primary eq \"False\" and value ew \"b.c\"]", vec!["two"]),
        ("emails.primary eq true", vec!["one", "two"]),
        ("emails[not (primary eq false)]", vec!["one", "two"]),
    ] {
        let mut found: Vec<_> = world
            .find(filter)
            .await
            .iter()
            .map(|user| user["userName"].as_str().unwrap().to_owned())
            .collect();
        found.sort();
        assert_eq!(found, names, "{filter}");
    }
}

/// RFC 7644, 3.4.2.1: the server root.
#[tokio::test]
async fn a_search_at_the_root_finds_all_types() {
    let world = World::new().await;
    let people = world.people("u", 3).await;
    world.group("Staff", &people[..1]).await;
    world.group("Crew", &[]).await;
    let (_, strict) = world.tenant("strict", "strict").await;
    for n in 0..3 {
        let user = json!({ "schemas": [USER], "userName": format!("u{n}@example.com") });
        world.send_as(&strict, "POST", "/Users", user).await;
    }
    for name in ["Staff", "Crew"] {
        world
            .send_as(&strict, "POST", "/Groups", json!({ "schemas": [GROUP], "displayName": name }))
            .await;
    }
    for token in [&world.token, &strict] {
        for (body, total) in [
            (json!({}), 5),
            (json!({ "filter": "meta.resourceType eq \"Group\"" }), 2),
            (json!({ "filter": "userName sw \"u\"" }), 3),
            (json!({ "filter": "not (userName pr)" }), 2),
            (json!({ "filter": "displayName eq \"staff\" or userName eq \"u1@example.com\"" }), 2),
            (json!({ "sortBy": "meta.created", "sortOrder": "descending" }), 5),
        ] {
            let found = world.send_as(token, "POST", "/.search", body.clone()).await.body;
            assert_eq!(found["totalResults"], total, "{body}");
            assert_eq!(found["Resources"].as_array().unwrap().len(), total, "{body}");
            // In pages of two, by index and by cursor, it is the same list.
            let whole: Vec<&Value> =
                found["Resources"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
            let (mut by_index, mut by_cursor, mut cursor) = (Vec::new(), Vec::new(), json!(""));
            while !cursor.is_null() {
                let mut page = body.clone();
                page.as_object_mut()
                    .unwrap()
                    .extend([("count".into(), json!(2)), ("cursor".into(), cursor)]);
                let page = world.send_as(token, "POST", "/.search", page).await.body;
                assert!(page["itemsPerPage"].as_u64().unwrap() <= 2);
                by_cursor.extend(
                    page["Resources"].as_array().unwrap().iter().map(|one| one["id"].clone()),
                );
                cursor = page["nextCursor"].clone();
            }
            while by_index.len() < total {
                let mut page = body.clone();
                page.as_object_mut().unwrap().extend([
                    ("count".into(), json!(2)),
                    ("startIndex".into(), json!(by_index.len() + 1)),
                ]);
                let page = world.send_as(token, "POST", "/.search", page).await.body;
                by_index.extend(
                    page["Resources"].as_array().unwrap().iter().map(|one| one["id"].clone()),
                );
            }
            assert_eq!(by_cursor.iter().collect::<Vec<_>>(), whole, "{body}");
            assert_eq!(by_index.iter().collect::<Vec<_>>(), whole, "{body}");
        }
    }
    world
        .send_as(&strict, "POST", "/.search", json!({ "filter": "nobody pr" }))
        .await
        .is_error(400, Some("invalidFilter"));
    let short = json!({ "excludedAttributes": ["id", "userName", "displayName", "meta", "members", "active"] });
    for one in world.send("POST", "/.search", short).await.body["Resources"].as_array().unwrap() {
        let names: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["schemas", "id"]);
    }
}

/// RFC 7644, 3.4.2.1: "tooMany"; RFC 9865, 2: a page by cursor has at most `count` resources.
#[tokio::test]
async fn what_no_index_answers_is_too_many_over_five_thousand() {
    let world = World::new().await;
    let at = Collection { tenant: world.tenant.key(), kind: Kind::User };
    // Only the count is asked before such a query is refused.
    let client = aws_sdk_dynamodb::Client::new(&world.local.sdk_config());
    world.people("u", 3).await;
    let row = world.rows().await.into_iter().find(|row| row.s().starts_with("U#")).unwrap();
    let pretend = async |many: u32| {
        let many = AttributeValue::N(many.to_string());
        let update = Update::builder()
            .table_name(TABLE)
            .key("p", row.0["p"].clone())
            .key("s", row.0["s"].clone());
        let update = update
            .update_expression("SET b0 = :many, n = :many")
            .expression_attribute_values(":many", many);
        let item = TransactWriteItem::builder().update(update.build().unwrap()).build();
        client.transact_write_items().transact_items(item).send().await.unwrap();
    };
    pretend(500).await;
    let by_groups = format!("/Users?filter={}", encode("groups[type eq \"direct\"]"));
    world.send("GET", &by_groups, None).await.is_error(400, Some("tooMany"));
    assert_eq!(world.find("title pr").await.len(), 0, "their own rows are read");
    pretend(5_000).await;
    assert!(world.store.count(&at).await.unwrap() > 5_000);
    for query in ["filter=title%20pr", "sortBy=userName", "filter=not%20(userName%20eq%20%22a%22)"]
    {
        let answer = world.send("GET", &format!("/Users?{query}"), None).await;
        answer.is_error(400, Some("tooMany"));
        assert!(answer.body["detail"].as_str().unwrap().contains("userName eq"));
    }
    assert_eq!(world.find("userName eq \"u0@example.com\" and title pr").await.len(), 0);
    let page = world.send("GET", "/Users?cursor&count=2", None).await.body;
    assert_eq!(page["itemsPerPage"], 2);
    let cursor = page["nextCursor"].as_str().unwrap();
    assert_eq!(
        world.send("GET", &format!("/Users?count=2&cursor={cursor}"), None).await.body["itemsPerPage"],
        1
    );
}
