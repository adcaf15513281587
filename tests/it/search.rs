//! Sorting and `/.search`.

use serde_json::{Value, json};

use crate::support::World;

async fn sorted(world: &World, query: &str) -> Vec<String> {
    let answer = world.send("GET", &format!("/Users?{query}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["userName"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn lists_are_sorted_by_value_with_missing_values_last() {
    let world = World::new().await;
    for (name, title, created_later, email) in
        [("b", json!("zoo"), 0, "2@x"), ("A", json!("Ape"), 1, "3@x"), ("c", Value::Null, 1, "1@x")]
    {
        world.clock.advance(created_later);
        let emails = json!([{ "value": "z@x" }, { "value": email, "primary": true }]);
        world.create(json!({ "userName": name, "title": title, "active": name != "b", "emails": emails })).await;
    }
    for (query, order) in [
        ("sortBy=userName", ["A", "b", "c"]),
        ("sortBy=USERNAME&sortOrder=descending", ["c", "b", "A"]),
        ("sortBy=title", ["A", "b", "c"]),
        ("sortBy=title&sortOrder=descending", ["c", "b", "A"]),
        ("sortBy=emails", ["c", "b", "A"]),
        ("sortBy=emails.value&sortOrder=ascending", ["c", "b", "A"]),
        ("sortBy=meta.created&sortOrder=descending", ["c", "A", "b"]),
        ("sortBy=userName&filter=userName+pr", ["A", "b", "c"]),
    ] {
        assert_eq!(sorted(&world, query).await, order, "{query}");
    }
    assert_eq!(sorted(&world, "sortBy=userName&startIndex=2&count=1").await, ["b"]);
    assert_eq!(sorted(&world, "sortBy=active").await[0], "b");
    assert_eq!(sorted(&world, "sortBy=nobodyKnowsThis").await.len(), 3);
    world
        .send("GET", "/Users?sortBy=title&sortOrder=sideways", None)
        .await
        .is_error(400, Some("invalidValue"));
}

#[tokio::test]
async fn a_search_request_equals_the_query_in_a_url() {
    let world = World::new().await;
    for n in 0..5 {
        world.create(json!({ "userName": format!("user{n}"), "title": "Dr" })).await;
    }
    let message = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName"],
        "filter": "userName sw \"user\"", "sortBy": "userName", "sortOrder": "descending", "startIndex": 2, "count": 2,
    });
    for path in ["/Users/.search", "/.search"] {
        let found = world.send("POST", path, message.clone()).await;
        assert_eq!(found.status, 200, "{}", found.body);
        let users = found.body["Resources"].as_array().unwrap();
        let names: Vec<_> = users.iter().map(|user| user["userName"].as_str().unwrap()).collect();
        assert_eq!((&found.body["totalResults"], names), (&json!(5), vec!["user3", "user2"]));
        assert_eq!(users[0].get("title"), None);
    }
    let mut by_cursor = json!({ "filter": "title eq \"dr\"", "cursor": "", "count": 3 });
    let first = world.send("POST", "/Users/.search", by_cursor.clone()).await.body;
    by_cursor["cursor"] = first["nextCursor"].clone();
    let second = world.send("POST", "/Users/.search", by_cursor).await.body;
    assert_eq!((&second["itemsPerPage"], second.get("nextCursor")), (&json!(2), None));
    assert_eq!(world.send("POST", "/Groups/.search", json!({})).await.body["totalResults"], 0);
}

#[tokio::test]
async fn a_sort_is_limited_to_eight_mebibytes() {
    let world = World::new().await;
    let note = "x".repeat(4_000);
    let ims: Vec<_> = (0..15).map(|n| json!({ "value": format!("{n}{note}") })).collect();
    for n in 0..140 {
        if n == 130 {
            assert_eq!(world.send("GET", "/Users?sortBy=userName&count=1", None).await.status, 200);
        }
        world.create(json!({ "userName": format!("u{n}"), "ims": ims })).await;
    }
    world.send("GET", "/Users?sortBy=userName&count=1", None).await.is_error(400, Some("tooMany"));
}

#[tokio::test]
async fn search_refuses_invalid_requests() {
    let world = World::new().await;
    for (body, scim_type) in [
        (json!({ "filter": "userName" }), "invalidFilter"),
        (json!({ "filter": 5 }), "invalidSyntax"),
        (json!({ "attributes": [5] }), "invalidSyntax"),
        (json!({ "count": "many" }), "invalidValue"),
        (json!({ "cursor": "forged" }), "invalidCursor"),
    ] {
        world.send("POST", "/Users/.search", body).await.is_error(400, Some(scim_type));
    }
    world.send("GET", "/Users/.search", None).await.is_error(405, None);
    for method in ["GET", "PATCH"] {
        world.send(method, "/Me", None).await.is_error(501, None);
    }
}
