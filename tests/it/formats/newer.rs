//! A row of a newer format is neither read nor written: the release that answers would lose what it
//! does not understand.

use aws_sdk_dynamodb::types::AttributeValue;
use scim_lambda::directory::RestoreOptions;
use scim_lambda::operator::tenants::Switch;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::handles::{Row, set, user_path, values};
use crate::support::log::Log;

impl Scene {
    /// Sends a request after rows have got another format, and requires that it is 503, changes
    /// nothing and is logged; then gives the rows their format back.
    async fn expect_refused(&self, which: impl Fn(&Row) -> bool, (method, path, body): Request) {
        let rows = self.rows().await;
        let newer: Vec<&Row> = rows.iter().filter(|row| which(row)).collect();
        assert!(!newer.is_empty(), "no row for {method} {path}");
        for row in &newer {
            self.mark(row, "f", AttributeValue::N("2".to_owned())).await;
        }
        let before = self.rows_of_its_directory().await;
        let log = Log::begin();
        let answer = self.customer.send(method, &path, Some(body).filter(|b| !b.is_null())).await;
        answer.is_error(503, None);
        assert_eq!(answer.header("retry-after"), "1", "{method} {path}");
        assert_eq!(self.rows_of_its_directory().await, before, "{method} {path}");
        let kind = newer[0].text("k").unwrap();
        let words = format!("a row of kind {kind} has format 2");
        let errors = log.errors();
        let told = errors.iter().any(|line| line["error"].to_string().contains(&words));
        assert!(told, "{method} {path} is not logged: {errors:?}");
        for row in newer {
            self.mark(row, "f", AttributeValue::N("1".to_owned())).await;
        }
    }
}

type Request = (&'static str, String, Value);

/// Whether a row is of this kind and about this resource, by its owner or its key.
fn of<'r>(kind: &'r str, resource: &'r Value) -> impl Fn(&Row) -> bool + 'r {
    let id = resource["id"].as_str().unwrap();
    move |row| {
        let about = row.text("i") == Some(id) || row.s().contains(id) || row.p().contains(id);
        row.text("k") == Some(kind) && about
    }
}

fn kind(kind: &str) -> impl Fn(&Row) -> bool + '_ {
    move |row| row.text("k") == Some(kind)
}

#[tokio::test]
async fn a_row_of_a_newer_format_is_left_alone_with_503_and_a_line_in_the_log() {
    let scene = Scene::new().await;
    let (ada, bob, eve) = (&scene.ada, &scene.bob, &scene.eve);
    let path = user_path(ada);
    let title = || set("title", "Dr");
    for (method, body) in [
        ("GET", Value::Null),
        ("PATCH", title()),
        ("PUT", json!({ "userName": "ada@example.com" })),
        ("DELETE", Value::Null),
    ] {
        scene.expect_refused(of("U", ada), (method, path.clone(), body)).await;
    }
    scene.expect_refused(of("U", ada), ("GET", "/Users".into(), Value::Null)).await;
    // Rows that a write changes without having read them.
    let new = || json!({ "userName": "new@example.com", "active": true });
    let named = json!({ "userName": "bob@example.com" });
    let rename = || set("userName", "ada3@example.com");
    let shared = json!({ "userName": "x@example.com", "externalId": "ada" });
    let badge = json!({ "userName": "x@example.com", "badge": "b-bob" });
    let post = |body: Value| ("POST", "/Users".to_owned(), body);
    scene.expect_refused(of("K", bob), post(named)).await;
    scene.expect_refused(of("K", ada), ("PATCH", path.clone(), rename())).await;
    scene.expect_refused(of("X", ada), post(shared)).await;
    scene.expect_refused(of("X", ada), ("DELETE", path.clone(), Value::Null)).await;
    scene.expect_refused(of("Q", bob), post(badge)).await;
    scene.expect_refused(of("E", ada), ("DELETE", path.clone(), Value::Null)).await;
    scene.expect_refused(kind("C"), ("DELETE", path.clone(), Value::Null)).await;
    scene.expect_refused(kind("S"), post(new())).await;
    scene.expect_refused(kind("B"), ("PATCH", path.clone(), set("active", false))).await;
    scene.expect_refused(kind("D"), ("PATCH", user_path(eve), set("active", true))).await;
    // Groups.
    let group = scene.group_path();
    let eves = values(&[eve["id"].as_str().unwrap().to_owned()]);
    let join = || json!({ "Operations": [{ "op": "add", "path": "members", "value": eves }] });
    scene.expect_refused(of("G", &scene.group), ("GET", group.clone(), Value::Null)).await;
    scene.expect_refused(kind("H"), ("PATCH", group.clone(), join())).await;
    scene.expect_refused(of("M", &scene.group), ("GET", group.clone(), Value::Null)).await;
    scene.expect_refused(of("U", eve), ("PATCH", group.clone(), join())).await;
    let bobs = values(&[bob["id"].as_str().unwrap().to_owned()]);
    let leave = json!({ "Operations": [{ "op": "remove", "path": "members", "value": bobs }] });
    scene.expect_refused(of("R", bob), ("PATCH", group.clone(), leave)).await;
    // The tenant itself: never 401, after which an identity provider stops.
    scene.world().clock.advance(61);
    scene.expect_refused(kind("T"), ("GET", path, Value::Null)).await;
}

#[tokio::test]
async fn the_operator_leaves_rows_of_a_newer_format_alone() {
    let scene = Scene::new().await;
    let (customer, operator) = (&scene.customer, scene.world().operator());
    let token = operator.tokens(&customer.row).await.unwrap().pop().unwrap();
    scene.leave_unfinished().await;
    for kind in ["A", "N", "O", "T", "W"] {
        let rows = scene.rows().await;
        let newer: Vec<&Row> = rows.iter().filter(|row| row.text("k") == Some(kind)).collect();
        assert!(!newer.is_empty(), "no row {kind}");
        for row in &newer {
            scene.mark(row, "f", AttributeValue::N("2".to_owned())).await;
        }
        let of_kind = async || {
            let mut rows = scene.rows().await;
            rows.retain(|row| row.text("k") == Some(kind));
            rows
        };
        let before = of_kind().await;
        let result = match kind {
            "A" => operator.revoke_token(&customer.row, &token.key_id).await,
            "N" => operator.tenant(&customer.row.name).await.map(drop),
            "O" => operator.move_tokens(&customer.row).await.map(drop),
            "W" => {
                let options = RestoreOptions::default();
                operator.restore_user(&customer.row, &"x".parse().unwrap(), options).await.map(drop)
            }
            _ => operator.switch_tenant(&customer.row, Switch::Off).await,
        };
        let told = result.unwrap_err().to_string();
        // What the directory refuses, the operator is told as an identity provider would be.
        let own = format!("a row of kind {kind} has format 2");
        assert!(told.contains(&own) || told.starts_with("A newer release"), "{kind}: {told}");
        assert_eq!(of_kind().await, before, "{kind}");
        for row in newer {
            scene.mark(row, "f", AttributeValue::N("1".to_owned())).await;
        }
    }
}
