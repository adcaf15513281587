//! Five products on one service: one test for each statement that they make about their SCIM, and
//! one in which they contradict each other. Each product is a profile, and nothing else.

mod holaspirit;
mod hone;
mod hoxhunt;
mod identity_hub;
mod zulip;

use std::sync::Arc;

use scim_lambda::store::Bounds;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::customer::Customer;

/// A user that all five products accept.
fn person(name: &str) -> Value {
    json!({
        "userName": format!("{name}@example.com"), "externalId": name, "active": true,
        "name": { "givenName": "Barbara", "familyName": "Jensen" },
        "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }],
    })
}

/// What one product answers to seven requests.
async fn answers(customer: &Customer) -> Vec<String> {
    let world = &customer.world;
    let mut answers = Vec::new();
    // 1. DELETE, and what is left of the user in the product after ninety days.
    let user = customer.create(person("deleted")).await;
    let status = customer.delete(&user).await.status.as_u16();
    let kept = |row: Option<_>| if row.is_some() { "kept" } else { "erased" };
    let at_once = kept(customer.stored(&user).await);
    world.clock.advance(91 * 86_400);
    world.local.engine.sweep().unwrap();
    answers.push(format!("{status} {at_once} {}", kept(customer.stored(&user).await)));
    // 2. `active` becomes false.
    let user = customer.create(person("suspended")).await;
    let shown = customer.activate(&user, false).await;
    assert_eq!((shown.status.as_u16(), &shown.body["active"]), (200, &json!(false)));
    world.clock.advance(91 * 86_400);
    answers.push(customer.get(&user).await.status.as_u16().to_string());
    // 3. POST with `active` false.
    let mut inactive = person("inactive");
    inactive["active"] = json!(false);
    let answer = customer.post(inactive).await;
    answers.push(format!(
        "{} {}",
        answer.status.as_u16(),
        answer.body.get("active").unwrap_or(&Value::Null)
    ));
    // 4. POST for a person that the product already has.
    let report = customer
        .import(&[json!({ "userName": "before@example.com", "externalId": "before" })])
        .await;
    let answer = customer.post(person("before")).await;
    let adopted = answer
        .body
        .get("id")
        .is_some_and(|id| *id == report.lines[0].id.as_ref().unwrap().as_str());
    answers.push(format!("{} {}", answer.status.as_u16(), if adopted { "adopted" } else { "-" }));
    // 5. An attribute outside the mapping.
    let mut nick = person("nick");
    nick["nickName"] = json!("Babs");
    let nick = customer.create(nick).await;
    let patched = customer.set(&nick, "nickName", json!("Barb")).await;
    let nick_name = patched.body.get("nickName").unwrap_or(&Value::Null);
    answers.push(format!("{} {nick_name}", patched.status.as_u16()));
    // 6. Groups.
    let listed = customer.send("GET", "/Groups", None).await;
    assert_eq!((listed.status.as_u16(), &listed.body["totalResults"]), (200, &json!(0)));
    assert_eq!(listed.body["Resources"], json!([]));
    answers.push(
        customer
            .send("POST", "/Groups", json!({ "displayName": "A" }))
            .await
            .status
            .as_u16()
            .to_string(),
    );
    // 7. A user without an e-mail address.
    let mut plain = person("plain");
    plain.as_object_mut().unwrap().remove("emails");
    let answer = customer.post(plain).await;
    answers.push(format!("{} {}", answer.status.as_u16(), answer.body["emails"][0]["value"]));
    answers
}

#[tokio::test]
async fn five_products_answer_the_same_seven_requests_differently() {
    let world = Arc::new(World::new().await);
    let table = [
        (
            "hone",
            [
                "204 kept kept",
                "200",
                "201 false",
                "409 -",
                "200 null",
                "403",
                "201 \"plain@example.com\"",
            ],
        ),
        (
            "hoxhunt",
            ["204 kept erased", "404", "201 false", "201 adopted", "200 null", "403", "201 null"],
        ),
        (
            "zulip",
            [
                "400 kept kept",
                "200",
                "400 null",
                "409 -",
                "400 null",
                "403",
                "201 \"plain@example.com\"",
            ],
        ),
        (
            "holaspirit",
            ["204 erased erased", "200", "201 true", "409 -", "200 null", "403", "400 null"],
        ),
        (
            "identity-hub",
            [
                "204 kept erased",
                "200",
                "201 false",
                "201 adopted",
                "200 \"Barb\"",
                "201",
                "201 null",
            ],
        ),
    ];
    for (product, expected) in table {
        let customer = Customer::of(&world, product, &[]).await;
        assert_eq!(answers(&customer).await, expected, "{product}");
    }
}

#[tokio::test]
async fn tenants_cannot_see_or_change_each_other() {
    let world = Arc::new(World::new().await);
    let mut customers = Vec::new();
    for product in ["hone", "hoxhunt", "zulip", "holaspirit", "identity-hub"] {
        let customer = Customer::of(&world, product, &[]).await;
        let user = customer.create(person("same")).await;
        customers.push((customer, user));
    }
    for (customer, own) in &customers {
        assert_eq!(customer.total().await, 1);
        for (_, other) in customers.iter().filter(|(_, other)| other["id"] != own["id"]) {
            customer.get(other).await.is_error(404, None);
            customer.activate(other, false).await.is_error(404, None);
            customer.delete(other).await.is_error(404, None);
        }
        assert_eq!(customer.get(own).await.body["active"], true);
    }
}

#[tokio::test]
async fn a_profile_has_versions_and_takes_effect_within_a_minute() {
    let mut customer = Customer::new("default").await;
    let before = customer.row.clone();
    let off = crate::support::customer::profile("default", &[("operations.create", "off")]);
    let set = async |row| {
        customer
            .world
            .store
            .set_profile(row, &off.write().unwrap(), Bounds::default(), None)
            .await
            .unwrap()
    };
    customer.create(person("a")).await;
    assert!(set(&before).await);
    assert!(!set(&before).await, "another operator set it in between");
    customer.create(person("b")).await;
    customer.world.clock.advance(61);
    customer.post(person("c")).await.is_error(403, None);
    assert_eq!(
        customer.world.store.tenant(customer.row.code()).await.unwrap().unwrap().profile_version,
        2
    );
    // A profile that this version cannot read is an error of the service and changes no user.
    customer.row = customer.world.store.tenant(customer.row.code()).await.unwrap().unwrap();
    let odd = "{\"deprovision\":{\"on_delete\":\"freeze\"}}";
    assert!(
        customer
            .world
            .store
            .set_profile(&customer.row, odd, Bounds::default(), None)
            .await
            .unwrap()
    );
    customer.world.clock.advance(61);
    customer.send("GET", "/Users", None).await.is_error(503, None);
}
