//! OneHash Connect, a Zulip.

use std::sync::Arc;

use serde_json::json;

use super::person;
use crate::support::customer::Customer;
use crate::support::handles::user_path;
use crate::support::log::Log;
use crate::support::{USER, World};

#[tokio::test]
async fn role_is_an_attribute_of_the_core_schema_shown_and_filterable() {
    let zulip = Customer::new("zulip").await;
    let schema = zulip.send("GET", &format!("/Schemas/{USER}"), None).await.body;
    let role = schema["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|attribute| attribute["name"] == "role")
        .unwrap();
    assert_eq!(
        role["canonicalValues"],
        json!(["owner", "administrator", "moderator", "member", "guest"])
    );
    let mut body = person("a");
    body["role"] = json!("Owner");
    let user = zulip.create(body).await;
    assert_eq!((&user["role"], &user["schemas"]), (&json!("owner"), &json!([USER])));
    zulip.create(person("b")).await;
    assert_eq!(zulip.find("role eq \"owner\"").await, std::slice::from_ref(&user));
    assert_eq!(zulip.set(&user, "role", json!("guest")).await.body["role"], "guest");
    assert!(zulip.find("role eq \"owner\"").await.is_empty());
}

#[tokio::test]
async fn a_wrong_role_is_refused_with_the_legal_ones() {
    let zulip = Customer::new("zulip").await;
    let mut body = person("a");
    body["role"] = json!("king");
    let user = zulip.create(person("b")).await;
    for refused in [zulip.post(body).await, zulip.set(&user, "role", json!("king")).await] {
        refused.is_error(400, Some("invalidValue"));
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(
            detail.contains("role must be one of: owner, administrator, moderator, member, guest"),
            "{detail}"
        );
    }
    assert_eq!(zulip.total().await, 1);
}

#[tokio::test]
async fn a_minimal_user_has_a_user_name_and_a_name() {
    let zulip = Customer::new("zulip").await;
    let minimal =
        json!({ "userName": "a@example.com", "name": { "givenName": "B", "familyName": "J" } });
    let user = zulip.create(minimal).await;
    assert_eq!(
        (&user["active"], &user["emails"][0]["value"]),
        (&json!(true), &json!("a@example.com"))
    );
    for (name, missing) in [
        (json!(null), "name.familyName and name.givenName are"),
        (json!({ "givenName": "B" }), "name.familyName is"),
        (json!({ "familyName": "J" }), "name.givenName is"),
        (json!({ "givenName": "", "familyName": "J" }), "name.givenName is"),
    ] {
        let refused = zulip.post(json!({ "userName": "c@example.com", "name": name })).await;
        refused.is_error(400, Some("invalidValue"));
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(
            detail.starts_with(&format!("{missing} required")) && detail.contains("map"),
            "{detail}"
        );
        for path in
            ["name.familyName", "name.givenName"].iter().filter(|path| missing.contains(*path))
        {
            assert!(detail.contains(&format!("map a value to {path}.")), "{detail}");
        }
    }
}

#[tokio::test]
async fn renaming_is_routine() {
    let zulip = Customer::new("zulip").await;
    let user = zulip.create(person("n0")).await;
    for n in 1..=5 {
        let name = format!("n{n}@example.com");
        let renamed = zulip.set(&user, "userName", json!(name)).await;
        assert_eq!((renamed.status.as_u16(), &renamed.body["id"]), (200, &user["id"]));
        assert_eq!(renamed.body["emails"][0]["value"], name.as_str());
        assert_eq!(zulip.find(&format!("userName eq \"{name}\"")).await, [renamed.body]);
    }
    assert_eq!(
        zulip.create(person("n0")).await["userName"],
        "n0@example.com",
        "the old name is free"
    );
}

#[tokio::test]
async fn a_new_user_must_be_active() {
    let zulip = Customer::new("zulip").await;
    let mut body = person("a");
    body["active"] = json!(false);
    let refused = zulip.post(body).await;
    refused.is_error(400, Some("invalidValue"));
    assert!(
        refused.body["detail"].as_str().unwrap().contains("new user must be active"),
        "{}",
        refused.body
    );
    assert_eq!(zulip.total().await, 0);
}

#[tokio::test]
async fn oktas_header_authentication_sends_the_token_with_or_without_bearer() {
    let zulip = Customer::new("zulip").await;
    let token = zulip.token.reveal();
    for header in [token.to_owned(), format!("Bearer {token}"), format!("bearer {token}")] {
        assert_eq!(
            zulip.raw("/scim/v2/Users", &[("authorization", &header)]).await.status,
            200,
            "{header}"
        );
    }
    let wrong = format!("Token {token}");
    zulip.raw("/scim/v2/Users", &[("authorization", &wrong)]).await.is_error(401, None);
    // If the profile requires the word, a token alone is not enough.
    let hone = Customer::of(&zulip.world, "hone", &[]).await;
    hone.raw("/scim/v2/Users", &[("authorization", hone.token.reveal())]).await.is_error(401, None);
}

#[tokio::test]
async fn a_token_is_good_at_its_own_sub_domain_only() {
    let world = Arc::new(World::new().await);
    let own = [
        ("address.host", "acme.chat.example.com"),
        ("address.base_url", "https://acme.chat.example.com/scim/v2"),
    ];
    let acme = Customer::of(&world, "zulip", &own).await;
    let other = Customer::of(&world, "zulip", &[("address.host", "other.chat.example.com")]).await;
    let bearer = format!("Bearer {}", acme.token.reveal());
    for (host, status) in [
        ("acme.chat.example.com", 200),
        ("ACME.chat.example.com:443", 200),
        ("other.chat.example.com", 401),
        ("acme.chat.example.com.evil.com", 401),
        ("", 401),
    ] {
        let answer =
            acme.raw("/scim/v2/Users", &[("authorization", &bearer), ("host", host)]).await;
        assert_eq!(answer.status, status, "{host}");
        if status == 401 {
            answer.is_error(401, None);
        }
    }
    acme.raw("/scim/v2/Users", &[("authorization", &bearer)]).await.is_error(401, None);
    let bearer = format!("Bearer {}", other.token.reveal());
    let host = ("host", "other.chat.example.com");
    assert_eq!(other.raw("/scim/v2/Users", &[("authorization", &bearer), host]).await.status, 200);
}

#[tokio::test]
async fn a_user_is_not_deleted_and_groups_are_off_or_on() {
    let zulip = Customer::new("zulip").await;
    let user = zulip.create(person("a")).await;
    let refused = zulip.delete(&user).await;
    refused.is_error(400, None);
    assert!(
        refused.body["detail"].as_str().unwrap().contains("Set active to false"),
        "{}",
        refused.body
    );
    assert_eq!(zulip.get(&user).await.body, user);
    zulip.delete(&json!({ "id": "nobody" })).await.is_error(404, None);
    let on = Customer::of(&zulip.world, "zulip", &[("groups.enabled", "true")]).await;
    let member = on.create(person("a")).await;
    let group = json!({ "displayName": "Staff", "members": [{ "value": member["id"] }] });
    assert_eq!(on.send("POST", "/Groups", group).await.status, 201);
}

#[tokio::test]
async fn a_near_miss_of_an_attribute_is_reported_in_the_log_or_in_the_error() {
    let log = Log::begin();
    let zulip = Customer::new("zulip").await;
    let mut body = person("a");
    body["Roles"] = json!([{ "value": "secret-role" }]);
    body["shoeSize"] = json!(47);
    let user = zulip.create(body.clone()).await;
    assert_eq!(user.get("role"), None);
    assert_eq!(zulip.put(&user, body.clone()).await.status, 200);
    assert_eq!(
        zulip
            .patch(&user, json!([{ "op": "add", "value": { "roles": ["secret-role"] } }]))
            .await
            .status,
        200
    );
    let bulk =
        json!({ "Operations": [{ "method": "PUT", "path": user_path(&user), "data": body }] });
    assert_eq!(zulip.send("POST", "/Bulk", bulk).await.body["Operations"][0]["status"], "200");
    let lines = log.requests();
    let ignored: Vec<&str> = lines.iter().map(|line| line["ignored"].as_str().unwrap()).collect();
    assert_eq!(ignored, ["Roles (role?)", "Roles (role?)", "roles (role?)", "Roles (role?)"]);
    assert!(
        !format!("{lines:?}").contains("secret-role") && !format!("{lines:?}").contains("shoeSize")
    );
    // If nothing resembles the name, nothing is reported.
    zulip.create(person("b")).await;
    assert_eq!(log.requests()[0].get("ignored"), None);
    // A name that a client wrote is cut to what a log can show.
    let mut odd = person("c");
    odd["ro\u{202e}le"] = json!("x");
    zulip.create(odd).await;
    let line = log.requests()[0]["ignored"].as_str().unwrap_or_default().to_owned();
    assert!(line.is_ascii(), "{line}");

    let refusing = Customer::with("zulip", &[("attributes.unknown", "refuse")]).await;
    let refused = refusing.post(body).await;
    refused.is_error(400, Some("invalidSyntax"));
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("Roles") && detail.contains("did you mean role?"), "{detail}");
    let by_path = zulip.set(&user, "roles[primary eq \"True\"].value", json!("guest")).await;
    by_path.is_error(400, Some("invalidPath"));
    assert!(
        by_path.body["detail"].as_str().unwrap().contains("did you mean role?"),
        "{}",
        by_path.body
    );
    let within = refusing
        .post(json!({ "userName": "d", "name": { "givenNames": "D", "familyName": "E" } }))
        .await;
    assert!(
        within.body["detail"].as_str().unwrap().contains("did you mean givenName?"),
        "{}",
        within.body
    );
    let mut other = person("e");
    other["shoeSize"] = json!(47);
    let plain = refusing.post(other).await.body;
    assert!(!plain["detail"].as_str().unwrap().contains("did you mean"), "{plain}");
}
