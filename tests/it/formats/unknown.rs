//! A writer keeps attributes that it does not know: a newer release may have added them.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::handles::{Row, set, user_path, values};

/// What a newer release may have added to a row.
const ADDED: &str = "zz";

impl Scene {
    /// Adds an attribute to every row.
    async fn add_to_all(&self) {
        for row in self.rows().await {
            self.mark(&row, ADDED, AttributeValue::S("added".to_owned())).await;
        }
    }

    /// Requires that every row that was there before and is there now has kept what was added.
    async fn expect_kept(&self, before: &BTreeSet<(String, String)>, step: &str) {
        for row in self.rows().await {
            let key = (row.p().to_owned(), row.s().to_owned());
            assert!(row.has(ADDED) || !before.contains(&key), "{step} lost a part of {row:?}");
        }
    }

    async fn keys(&self) -> BTreeSet<(String, String)> {
        let rows = self.rows().await;
        rows.iter().map(|row| (row.p().to_owned(), row.s().to_owned())).collect()
    }

    async fn request(&self, step: &str, method: &str, path: &str, body: Value, status: u16) {
        self.add_to_all().await;
        let before = self.keys().await;
        let body = Some(body).filter(|body| !body.is_null());
        let answer = self.customer.send(method, path, body).await;
        assert_eq!(answer.status, status, "{step}: {}", answer.body);
        self.expect_kept(&before, step).await;
    }
}

#[tokio::test]
async fn a_change_keeps_what_a_newer_release_added_to_a_row() {
    let scene = Scene::new().await;
    let (ada, bob, eve) = (user_path(&scene.ada), user_path(&scene.bob), user_path(&scene.eve));
    let (group, person) = (
        scene.group_path(),
        |name: &str| json!({ "userName": format!("{name}@example.com"), "externalId": name }),
    );
    let bob_id = scene.bob["id"].as_str().unwrap().to_owned();
    let bobs = values(std::slice::from_ref(&bob_id));
    let member =
        |op: &str| json!({ "Operations": [{ "op": op, "path": "members", "value": bobs }] });
    for (step, method, path, body, status) in [
        ("PATCH of a user", "PATCH", &ada, set("title", "Dr"), 200),
        ("PUT of a user", "PUT", &ada, json!({ "userName": "ada@example.com", "badge": "1" }), 200),
        ("rename of a user", "PATCH", &ada, set("userName", "ada2@example.com"), 200),
        ("suspension", "PATCH", &bob, set("active", false), 200),
        ("reactivation", "PATCH", &bob, set("active", true), 200),
        ("reactivation of a user who would expire", "PATCH", &eve, set("active", true), 200),
        ("removal of a member", "PATCH", &group, member("remove"), 200),
        ("addition of a member", "PATCH", &group, member("add"), 200),
        ("rename of a group", "PATCH", &group, set("displayName", "All"), 200),
        ("deletion", "DELETE", &bob, Value::Null, 204),
        ("return of the same person", "POST", &"/Users".to_owned(), person("bob"), 201),
        ("adoption of an imported user", "POST", &"/Users".to_owned(), person("imp"), 201),
        ("deletion of a group", "DELETE", &group, Value::Null, 204),
    ] {
        scene.request(step, method, path, body, status).await;
    }
}

#[tokio::test]
async fn the_operator_keeps_what_a_newer_release_added_to_a_row() {
    let scene = Scene::new().await;
    let customer = &scene.customer;
    let (store, code) = (&scene.world().store, customer.row.code());
    assert_eq!(customer.delete(&scene.eve).await.status, 204);
    scene.add_to_all().await;
    let before = scene.keys().await;
    customer.restore(&scene.eve).await.unwrap();
    scene.expect_kept(&before, "a restore by the operator").await;
    assert!(
        store.enable(code, false, None).await.unwrap()
            && store.enable(code, true, None).await.unwrap()
    );
    scene.expect_kept(&before, "switching a tenant").await;
    let profile = Profile::read(&customer.row.profile).unwrap();
    let more = profile.with("seats.limit", "60").unwrap();
    let (written, bounds) = (more.write().unwrap(), more.bounds(&profile));
    assert!(store.set_profile(&customer.row, &written, bounds, None).await.unwrap());
    store.count_seats(&customer.users()).await.unwrap();
    scene.expect_kept(&before, "another profile").await;
    let (tenant, now) = (customer.row.key(), scene.world().clock.seconds());
    let seen = store.brake(&tenant).await.unwrap();
    assert!(seen.is_some());
    store.open_brake(&tenant, seen, now + 1, 5).await.unwrap();
    scene.expect_kept(&before, "a new window of the brake").await;
}

#[tokio::test]
async fn a_row_that_passes_to_another_owner_keeps_nothing_of_the_former_one() {
    let scene = Scene::new().await;
    let customer = &scene.customer;
    assert_eq!(customer.delete(&scene.bob).await.status, 204);
    scene.add_to_all().await;
    let other = json!({ "userName": "bob@example.com", "externalId": "other", "badge": "b-bob" });
    let other = customer.create(other).await;
    assert_ne!(other["id"], scene.bob["id"]);
    let rows = scene.rows().await;
    for kind in ["K", "Q"] {
        let is_taken =
            |row: &&Row| row.text("k") == Some(kind) && row.text("i") == other["id"].as_str();
        let taken: Vec<&Row> = rows.iter().filter(is_taken).collect();
        assert_eq!(taken.len(), 1, "{kind}");
        assert!(!taken[0].has(ADDED), "{:?}", taken[0]);
    }
}
