//! Filters, orders and searches.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use scim_lambda::store::Kind;
use scim_local::TABLE;
use serde_json::{Value, json};

use crate::support::{GROUP, USER, World, encode};

/// RFC 7644, 3.4.2.2: comparisons that a type does not support are refused.
#[tokio::test]
async fn comparisons_that_a_type_does_not_support_are_invalid_filters() {
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
async fn a_value_without_primary_is_not_primary() {
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
async fn a_query_without_index_is_too_many_over_five_thousand_users() {
    let world = World::new().await;
    let at = world.collection(Kind::User);
    // Only the count is read before such a query is refused.
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
