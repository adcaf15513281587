//! `/Users`: what a client sends and what it gets back.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::support::handles::{id, set, user_path};
use crate::support::{BASE_URL, ENTERPRISE, USER, World};

#[tokio::test]
async fn a_created_user_is_returned_whole() {
    let world = World::new().await;
    let created = world
        .send(
            "POST",
            "/Users",
            json!({
                "schemas": [USER, ENTERPRISE], "externalId": "701984", "userName": "BJensen@Example.com",
                "name": { "givenName": "Barbara", "familyName": "Jensen" }, "password": "t1meMa$heen",
                "emails": [{ "value": "bjensen@example.com", "type": "work", "primary": true }],
                ENTERPRISE: { "department": "Sales", "manager": { "value": "26118915", "displayName": "John" } },
                "id": "mine", "meta": { "version": "W/\"9\"" }, "groups": [{ "value": "g" }], "favouriteColour": "red",
            }),
        )
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = id(&created.body);
    let location = format!("{BASE_URL}/Users/{id}");
    assert_eq!(created.header("location"), location);
    assert_eq!(created.header("etag"), "W/\"1\"");
    assert_eq!(created.header("content-type"), "application/scim+json");
    assert_eq!(
        created.body,
        json!({
            "schemas": [USER, ENTERPRISE], "id": id, "externalId": "701984", "userName": "BJensen@Example.com",
            "name": { "givenName": "Barbara", "familyName": "Jensen" }, "active": true,
            "emails": [{ "value": "bjensen@example.com", "type": "work", "primary": true }],
            ENTERPRISE: { "department": "Sales", "manager": { "value": "26118915" } },
            "meta": { "resourceType": "User", "created": "2027-01-15T08:00:00Z", "lastModified": "2027-01-15T08:00:00Z",
                      "location": location, "version": "W/\"1\"" },
        })
    );
    let got = world.send("GET", &format!("/Users/{id}"), None).await;
    assert_eq!((got.status.as_u16(), &got.body), (200, &created.body));
    assert_eq!(got.header("etag"), "W/\"1\"");
    assert_eq!(
        world.find("userName eq \"bjensen@EXAMPLE.com\"").await,
        std::slice::from_ref(&created.body)
    );
    assert_eq!(world.find("externalId eq \"701984\"").await, std::slice::from_ref(&created.body));
    assert_eq!(world.find("emails.value eq \"bjensen@example.com\"").await, [created.body]);
}

#[tokio::test]
async fn put_replaces_what_the_client_asserts_and_keeps_active() {
    let world = World::new().await;
    let user = world
        .user(
            json!({ "userName": "a@example.com", "externalId": "1", "active": false, "title": "Dr", "nickName": "A" }),
        )
        .await;
    world.clock.advance(5);
    let put = user.put(json!({ "userName": "a2@example.com", "title": "Prof" })).await;
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(put.body["active"], false);
    assert_eq!(
        (&put.body["title"], put.body.get("nickName"), put.body.get("externalId")),
        (&json!("Prof"), None, None)
    );
    assert_eq!(put.body["meta"]["created"], user["meta"]["created"]);
    assert_eq!(
        (put.body["meta"]["version"].as_str(), put.header("etag")),
        (Some("W/\"2\""), "W/\"2\"")
    );
    assert_eq!(put.body["meta"]["lastModified"], "2027-01-15T08:00:05Z");
    assert!(world.find("userName eq \"a@example.com\"").await.is_empty(), "the old name is free");
    assert!(world.find("externalId eq \"1\"").await.is_empty());
    assert_eq!(world.find("userName eq \"a2@example.com\"").await, [put.body]);
    world.create(json!({ "userName": "a@example.com", "externalId": "1" })).await;
}

#[tokio::test]
async fn patch_changes_active_and_simple_paths_in_every_dialect() {
    let world = World::new().await;
    let user = world
        .user(
            json!({ "userName": "a@example.com", "name": { "givenName": "A", "familyName": "B" } }),
        )
        .await;
    let patch = async |operations: serde_json::Value| {
        let answer = user.patch(operations).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    for (value, expected) in [
        (json!(false), false),
        (json!("True"), true),
        (json!("False"), false),
        (json!(true), true),
        (json!("false"), false),
    ] {
        let body = patch(json!([{ "op": "Replace", "path": "active", "value": value }])).await;
        assert_eq!(body["active"], expected, "{value}");
    }
    for silent in [
        json!({ "op": "remove", "path": "active" }),
        json!({ "op": "replace", "path": "active", "value": "" }),
    ] {
        let body = patch(json!([silent])).await;
        assert_eq!(body["active"], false, "nobody comes back by a message that says nothing");
    }
    let body = patch(json!([{ "op": "replace", "value": { "active": true } }])).await;
    assert_eq!(body["active"], true);
    let body = patch(json!([
        { "op": "add", "path": "name.familyName", "value": "C" },
        { "op": "replace", "path": "displayName", "value": "A C" },
        { "op": "add", "path": format!("{ENTERPRISE}:department"), "value": "Sales" },
        { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "work@example.com" },
        { "op": "add", "value": { "name.givenName": "Anna", "title": "Dr" } },
    ]))
    .await;
    assert_eq!(body["name"], json!({ "givenName": "Anna", "familyName": "C" }));
    assert_eq!((&body["displayName"], &body["title"]), (&json!("A C"), &json!("Dr")));
    assert_eq!(body[ENTERPRISE]["department"], "Sales");
    assert_eq!(body["emails"], json!([{ "type": "work", "value": "work@example.com" }]));
    assert_eq!(world.find("emails.value eq \"WORK@example.com\"").await.len(), 1);
    let body =
        patch(json!([{ "op": "remove", "path": "title" }, { "op": "replace", "path": "displayName", "value": null }]))
            .await;
    assert_eq!((body.get("title"), body.get("displayName")), (None, None));
    let got = user.read().await;
    assert_eq!(got.body, body, "what was answered is what is stored");
}

#[tokio::test]
async fn malformed_but_clear_patches_are_applied() {
    let world = World::new().await;
    let manager = json!({ "value": "A", "$ref": "https://scim.example.com/scim/v2/Users/A" });
    let user = world
        .user(json!({ "userName": "a@example.com", ENTERPRISE: { "manager": manager } }))
        .await;
    let patch = async |operation: serde_json::Value| {
        let answer = user.patch(json!([operation])).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    let body = patch(
        json!({ "op": "replace", "value": { "active": false, "Job Title": "x", "emails[": 1 } }),
    )
    .await;
    assert_eq!(body["active"], false, "a name that is not a path does not keep the user active");
    let body = patch(json!({ "op": "replace", "path": "manager", "value": "B" })).await;
    assert_eq!(
        body[ENTERPRISE]["manager"],
        json!({ "value": "B" }),
        "the old manager's $ref is gone"
    );
    assert_eq!(world.find("manager eq \"B\"").await.len(), 1);
    assert_eq!(world.find(&format!("id eq \"{}\" and manager eq \"A\"", id(&user))).await.len(), 0);
}

#[tokio::test]
async fn a_failing_operation_undoes_those_before_it() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a@example.com" })).await;
    let operations = json!([
        { "op": "replace", "path": "title", "value": "Dr" },
        { "op": "remove", "path": "userName" },
    ]);
    user.patch(operations).await.is_error(400, Some("mutability"));
    assert_eq!(user.read().await.body, *user);
}

#[tokio::test]
async fn a_change_without_effect_keeps_version_and_time() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a@example.com", "title": "Dr" })).await;
    world.clock.advance(5);
    let patched = user.patch(json!([{ "op": "add", "path": "title", "value": "Dr" }])).await;
    let put = user.put(json!({ "title": "Dr", "userName": "a@example.com" })).await;
    assert_eq!((&patched.body, &put.body), (&*user, &*user));
    assert_eq!(patched.tally.write_units + put.tally.write_units, 0.0);
}

#[tokio::test]
async fn attributes_and_excluded_attributes_shape_every_answer() {
    let world = World::new().await;
    let body = json!({ "userName": "a@example.com", "name": { "givenName": "A", "familyName": "B" }, "title": "Dr" });
    let answer = world.send("POST", "/Users?attributes=name.givenName", body).await;
    let id = id(&answer.body);
    assert_eq!(answer.body, json!({ "schemas": [USER], "id": id, "name": { "givenName": "A" } }));
    let listed = world
        .send("GET", "/Users?attributes=TITLE&attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName", None)
        .await;
    let expected =
        json!({ "schemas": [USER], "id": id, "userName": "a@example.com", "title": "Dr" });
    assert_eq!(listed.body["Resources"], json!([expected]));
    let got = world
        .send(
            "GET",
            &format!("/Users/{id}?excludedAttributes=name.familyName,meta,active,id"),
            None,
        )
        .await;
    let expected = json!({ "schemas": [USER], "id": id, "userName": "a@example.com", "name": { "givenName": "A" }, "title": "Dr" });
    assert_eq!(got.body, expected);
}

#[tokio::test]
async fn two_tenants_do_not_see_each_other() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a@example.com", "externalId": "1" })).await;
    let (_, other) = world.tenant("globex", "default").await;
    let path = user.path().to_owned();
    // The tenant's row is read once a minute; from here on it is known.
    world.send_as(&other, "GET", "/ServiceProviderConfig", None).await;
    let unknown = "/Users/00000000-0000-8000-8000-000000000000";
    for (method, body) in [
        ("GET", None),
        ("PUT", Some(json!({ "userName": "b@example.com" }))),
        ("PATCH", Some(set("active", false))),
        ("DELETE", None),
    ] {
        let foreign = world.send_as(&other, method, &path, body.clone()).await;
        let nobody = world.send_as(&other, method, unknown, body).await;
        foreign.is_error(404, None);
        assert_eq!((foreign.body, foreign.tally), (nobody.body, nobody.tally), "{method}");
    }
    let list = world.send_as(&other, "GET", "/Users", None).await;
    assert_eq!(list.body["totalResults"], 0);
    let same = world
        .send_as(
            &other,
            "POST",
            "/Users",
            json!({ "userName": "A@example.com", "externalId": "1" }),
        )
        .await;
    assert_eq!(same.status, 201);
    assert_eq!(user.read().await.body, *user);
}

#[tokio::test]
async fn an_external_id_may_have_several_owners() {
    let world = World::new().await;
    let first = world.create(json!({ "userName": "a@example.com", "externalId": "same" })).await;
    let second = world.create(json!({ "userName": "b@example.com", "externalId": "same" })).await;
    let mut found = world.find("externalId eq \"same\"").await;
    found.sort_by_key(|user| user["userName"].to_string());
    assert_eq!(found, [first, second]);
    assert!(world.find("externalId eq \"SAME\"").await.is_empty(), "externalId is case-exact");
}

#[tokio::test]
async fn the_strict_profile_refuses_what_no_schema_defines() {
    let world = World::new().await;
    let (_, strict) = world.tenant("strict", "strict").await;
    let body = json!({ "schemas": [USER], "userName": "a@example.com", "favouriteColour": "red" });
    let refused = world.send_as(&strict, "POST", "/Users", body).await;
    refused.is_error(400, Some("invalidSyntax"));
    assert!(
        refused.body["detail"].as_str().unwrap().contains("favouriteColour"),
        "{}",
        refused.body
    );
}

/// RFC 7643, 3.1: meta.location "MUST be the same as the "Content-Location" HTTP response header".
#[tokio::test]
async fn every_answer_that_is_a_resource_says_where_it_is() {
    let world = World::new().await;
    let created = world.send("POST", "/Users", json!({ "userName": "a@example.com" })).await;
    let path = user_path(&created.body);
    let location = created.body["meta"]["location"].as_str().unwrap().to_owned();
    let title = json!({ "Operations": [{ "op": "add", "path": "title", "value": "Dr" }] });
    let mut answers = vec![
        created,
        world.send("GET", &path, None).await,
        world.send("GET", &format!("{path}?attributes=userName"), None).await,
        world.send("PUT", &path, json!({ "userName": "b@example.com" })).await,
        world.send("PATCH", &path, title).await,
    ];
    let known = Request::get(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {}", world.token.reveal()))
        .header("if-none-match", "*")
        .body(Bytes::new());
    answers.push(world.raw(known.unwrap()).await);
    assert_eq!(answers.last().unwrap().status, 304);
    assert!(
        answers.iter().all(|answer| answer.header("content-location") == location),
        "{answers:?}"
    );
    let group = world.send("POST", "/Groups", json!({ "displayName": "Staff" })).await;
    assert_eq!(group.body["meta"]["location"], group.header("content-location"));
    let schema = format!("/Schemas/{USER}");
    for path in ["/ServiceProviderConfig", "/ResourceTypes/User", &schema] {
        let answer = world.send("GET", path, None).await;
        assert_eq!(answer.body["meta"]["location"], answer.header("content-location"), "{path}");
    }
    // Lists, errors and empty answers are not resources.
    for (method, path) in [("GET", "/Users"), ("GET", "/Users/nobody"), ("DELETE", path.as_str())] {
        assert_eq!(
            world.send(method, path, None).await.header("content-location"),
            "",
            "{method} {path}"
        );
    }
}

/// RFC 7643, 2.4: "SHOULD NOT return the same (type, value) combination more than once per
/// attribute".
#[tokio::test]
async fn a_value_that_is_sent_twice_is_kept_once() {
    let world = World::new().await;
    let email = |value: &str, kind: &str| json!({ "value": value, "type": kind });
    let mut primary = email("a@example.com", "Work");
    primary["primary"] = json!(true);
    let sent = json!([
        email("a@example.com", "work"), email("a@example.com", "home"), primary, email("A@example.com", "work"),
        primary, { "value": "a@example.com" }, { "value": "a@example.com", "display": "A" },
    ]);
    let kept = json!([
        { "value": "a@example.com", "type": "work", "primary": true }, email("a@example.com", "home"),
        { "value": "a@example.com", "display": "A" },
    ]);
    let address = json!({ "type": "work", "country": "DE" });
    let other = json!({ "type": "work", "country": "FR" });
    let body = json!({ "userName": "a", "emails": sent, "addresses": [address, other, address], "roles": ["x", "x"] });
    let user = world.user(body.clone()).await;
    let patch = async |op: &str, value: Value| {
        let body = json!({ "Operations": [{ "op": op, "path": "emails", "value": value }] });
        world.send("PATCH", user.path(), body).await.body
    };
    let replaced = user.put(body).await.body;
    assert_eq!(replaced, *user, "and the version stays");
    let answers = [
        user.clone(),
        replaced,
        patch("replace", sent).await,
        patch("add", json!([email("a@example.com", "HOME")])).await,
    ];
    for answer in answers {
        assert_eq!(answer["emails"][0], kept[0]);
        assert_eq!(answer["emails"].as_array().unwrap().len(), 3, "{answer}");
        assert_eq!(
            (&answer["addresses"], &answer["roles"]),
            (&json!([address, other]), &json!([{ "value": "x" }]))
        );
    }
    // An added value is merged with an equal one: here it becomes the primary.
    let mut home = email("a@example.com", "home");
    home["primary"] = json!(true);
    let emails = patch("add", json!([home])).await["emails"].clone();
    let primaries: Vec<bool> =
        emails.as_array().unwrap().iter().map(|email| email["primary"] == true).collect();
    assert_eq!(primaries, [false, true, false], "{emails}");
    // Two values that become equal are kept once.
    let same = set("emails.type", "other");
    assert_eq!(
        world.send("PATCH", user.path(), same).await.body["emails"].as_array().unwrap().len(),
        1
    );
}
