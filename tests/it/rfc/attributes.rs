//! The attributes of a resource, and their states.

use serde_json::{Value, json};

use crate::support::handles::{patch, set};
use crate::support::{ENTERPRISE, USER, World, encode};

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
async fn null_empty_arrays_and_missing_attributes_are_one_state() {
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
async fn a_put_of_the_same_resource_changes_nothing_and_ignores_id_and_meta() {
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
