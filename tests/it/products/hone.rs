//! Hone.

use std::sync::Arc;

use scim_lambda::auth::token::PlainToken;
use scim_lambda::store::SecretNumber;
use serde_json::json;

use super::person;
use crate::support::customer::{Customer, profile};
use crate::support::tokens::change_record;
use crate::support::{DAY, ENTERPRISE, World};

#[tokio::test]
async fn credentials_are_tested_on_an_empty_tenant_at_a_base_url_with_a_trailing_slash() {
    let hone = Customer::new("hone").await;
    let bearer = format!("Bearer {}", hone.token.reveal());
    for path in [
        "/scim/v2//Users?count=1",
        "/scim/v2/Users/?filter=userName%20eq%20%22x%22",
        "/scim/v2//Groups",
    ] {
        let answer = hone.raw(path, &[("authorization", &bearer)]).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["Resources"]),
            (200, &json!([])),
            "{path}"
        );
    }
    assert_eq!(
        hone.raw("/scim/v2//ServiceProviderConfig", &[("authorization", &bearer)]).await.status,
        200
    );
}

#[tokio::test]
async fn a_token_is_shown_once_and_a_lost_one_is_rotated() {
    let hone = Customer::new("hone").await;
    let (secrets, code) = (&hone.world.secrets, hone.row.code());
    let seen = secrets.shared(SecretNumber::FIRST).await.unwrap();
    let text = seen.records.text(code).unwrap();
    assert!(text.contains("\"digest\":\"sha256:"), "what is kept cannot be shown: {text}");
    assert!(secrets.kept(code).await.unwrap().tokens.is_empty());
    // As `scimctl token rotate` does it.
    let mut rotated = hone.clone();
    rotated.token = PlainToken::generate(code).unwrap();
    let now = hone.world.clock.seconds();
    change_record(secrets, SecretNumber::FIRST, code, |record| {
        record.expire(now + 7 * DAY);
        record.add(&rotated.token, None);
    })
    .await;
    hone.world.clock.advance(6 * DAY);
    assert_eq!(
        (hone.total().await, rotated.total().await),
        (0, 0),
        "both are good while they change places"
    );
    hone.world.clock.advance(DAY);
    hone.send("GET", "/Users", None).await.is_error(401, None);
    assert_eq!(rotated.total().await, 0);
}

#[tokio::test]
async fn create_update_and_deactivate_each_can_be_switched_off() {
    let mut hone = Customer::new("hone").await;
    let user = hone.create(person("a")).await;
    hone.change(&profile("hone", &[("operations.create", "off")])).await;
    hone.post(person("b")).await.is_error(403, None);
    assert_eq!(
        (hone.set(&user, "name.givenName", json!("B")).await.status.as_u16(), hone.total().await),
        (200, 1)
    );

    hone.change(&profile("hone", &[("operations.update", "off")])).await;
    hone.set(&user, "name.givenName", json!("C")).await.is_error(403, None);
    hone.put(&user, person("renamed")).await.is_error(403, None);
    assert_eq!(hone.activate(&user, false).await.status, 200, "access is taken away all the same");
    assert_eq!(hone.activate(&user, true).await.body["name"]["givenName"], "B");

    hone.change(&profile("hone", &[("operations.deactivate", "off")])).await;
    let refused = hone.activate(&user, false).await;
    refused.is_error(403, None);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("ask the operator") && !detail.contains("operations."), "{detail}");
    hone.delete(&user).await.is_error(403, None);
    assert_eq!(
        (hone.get(&user).await.body["active"].clone(), hone.total().await),
        (json!(true), 1)
    );
    assert_eq!(hone.set(&user, "name.givenName", json!("D")).await.status, 200);

    hone.change(&profile(
        "hone",
        &[("operations.deactivate", "off"), ("operations.delete", "off")],
    ))
    .await;
    hone.activate(&user, false).await.is_error(403, None);
    hone.delete(&user).await.is_error(403, None);
    assert_eq!(
        hone.get(&user).await.body["active"],
        true,
        "nobody is taken out where the operator wants it so"
    );
}

#[tokio::test]
async fn users_are_provisioned_without_group_requests() {
    let hone = Customer::new("hone").await;
    let types = hone.send("GET", "/ResourceTypes", None).await.body;
    let names: Vec<&str> = types["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["User"], "discovery shows no groups");
    let schemas = hone.send("GET", "/Schemas", None).await.body.to_string();
    assert!(!schemas.contains("core:2.0:Group\""), "{schemas}");
    let user = hone.create(person("a")).await;
    assert_eq!(user.get("groups"), None);
    for (method, path, body) in [
        ("POST", "/Groups", json!({ "displayName": "A" })),
        ("PUT", "/Groups/1", json!({ "displayName": "A" })),
        ("PATCH", "/Groups/1", json!({ "Operations": [] })),
    ] {
        let refused = hone.send(method, path, body).await;
        refused.is_error(403, None);
        assert!(refused.body["detail"].as_str().unwrap().contains("Groups"), "{}", refused.body);
    }
    hone.send("GET", "/Groups/1", None).await.is_error(404, None);
    hone.send("DELETE", "/Groups/1", None).await.is_error(403, None);
}

#[tokio::test]
async fn the_user_name_is_the_e_mail_and_unique() {
    let hone = Customer::new("hone").await;
    let mut other = person("a");
    other["emails"] = json!([{ "value": "private@example.org", "type": "home" }]);
    let user = hone.create(other).await;
    assert_eq!(
        user["emails"],
        json!([{ "value": "a@example.com", "type": "work", "primary": true }])
    );
    let mut again = person("a");
    again["userName"] = json!("A@EXAMPLE.com");
    hone.post(again).await.is_error(409, Some("uniqueness"));
    let renamed = hone.set(&user, "userName", json!("b@example.com")).await.body;
    assert_eq!(renamed["emails"][0]["value"], "b@example.com", "the address follows the name");
    assert_eq!(hone.find("emails.value eq \"B@example.com\"").await, [renamed]);
    assert!(hone.find("emails.value eq \"a@example.com\"").await.is_empty());
}

#[tokio::test]
async fn names_complete_addresses_manager_and_department_are_kept() {
    let hone = Customer::new("hone").await;
    let address = json!({ "type": "work", "streetAddress": "1 Way", "locality": "Oslo", "region": "O", "postalCode": "1",
        "country": "NO", "formatted": "1 Way, Oslo", "primary": true });
    for manager in [json!("m1"), json!({ "value": "m1" })] {
        let mut body = person(&format!("a{}", manager.is_string()));
        body["addresses"] = json!([address]);
        body["title"] = json!("Dr");
        body[ENTERPRISE] = json!({ "department": "R", "manager": manager, "costCenter": "7" });
        let user = hone.create(body).await;
        assert_eq!(user["addresses"], json!([address]));
        assert_eq!(user[ENTERPRISE], json!({ "department": "R", "manager": { "value": "m1" } }));
        assert_eq!(user["name"], json!({ "givenName": "Barbara", "familyName": "Jensen" }));
        assert_eq!(user.get("title"), None, "outside of the mapping");
    }
}

#[tokio::test]
async fn deactivation_unassignment_and_deletion_all_make_a_user_inactive_at_once() {
    let hone = Customer::new("hone").await;
    let deactivated = hone.create(person("deactivated")).await;
    let removed = hone.create(person("removed")).await;
    let deleted = hone.create(person("deleted")).await;
    assert_eq!(hone.activate(&deactivated, false).await.body["active"], false);
    let put = json!({ "userName": "removed@example.com", "active": "False" });
    assert_eq!(hone.put(&removed, put).await.body["active"], false);
    assert_eq!(hone.delete(&deleted).await.status, 204);
    hone.get(&deleted).await.is_error(404, None);
    assert_eq!(hone.find("active eq true").await.len(), 0);
    let back = hone.create(person("deleted")).await;
    assert_eq!(
        (&back["id"], &back["active"]),
        (&deleted["id"], &json!(true)),
        "the same person finds it again"
    );
    assert_eq!(hone.delete(&back).await.status, 204);
    // The product keeps the user indefinitely.
    hone.world.clock.advance(9 * 365 * 86_400);
    hone.world.local.engine.sweep().unwrap();
    assert!(hone.stored(&deleted).await.is_some());
    let kept = hone.stored(&deleted).await.unwrap();
    assert_eq!(kept.text("st"), Some("deleted"));
    assert_eq!(
        kept.0["a"],
        aws_sdk_dynamodb::types::AttributeValue::Bool(false),
        "inactive in the product"
    );
}

#[tokio::test]
async fn scim_can_be_disabled_for_the_tenant_and_changes_no_user_then() {
    let hone = Customer::new("hone").await;
    let user = hone.create(person("a")).await;
    assert!(hone.world.store.enable(hone.row.code(), false, None).await.unwrap());
    hone.world.clock.advance(61);
    for answer in [
        hone.get(&user).await,
        hone.activate(&user, false).await,
        hone.delete(&user).await,
        hone.post(person("b")).await,
        hone.send("GET", "/ServiceProviderConfig", None).await,
    ] {
        answer.is_error(403, None);
        assert!(
            answer.body["detail"].as_str().unwrap().contains("switched off"),
            "{}",
            answer.body
        );
    }
    assert!(hone.world.store.enable(hone.row.code(), true, None).await.unwrap());
    hone.world.clock.advance(61);
    assert_eq!(hone.get(&user).await.body, user, "nothing changed");
    assert_eq!(hone.total().await, 1);
}

#[tokio::test]
async fn an_hr_system_can_change_the_same_users() {
    let world = Arc::new(World::new().await);
    let hone = Customer::of(&world, "hone", &[]).await;
    let user = hone.create(person("a")).await;
    let writers: Vec<_> = (0..20)
        .map(|n| {
            let (hone, user) = (hone.clone(), user.clone());
            let path = if n % 2 == 0 { "name.givenName" } else { "name.familyName" };
            async move { hone.set(&user, path, json!(format!("N{n}"))).await.status.as_u16() }
        })
        .collect();
    assert_eq!(futures_util::future::join_all(writers).await, [200; 20]);
    let name = hone.get(&user).await.body["name"].clone();
    assert!(
        name["givenName"].as_str().unwrap().starts_with('N')
            && name["familyName"].as_str().unwrap().starts_with('N')
    );
}
