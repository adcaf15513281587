//! What is kept of refused requests, and what the operator sees of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::edge::Deadline;
use scim_lambda::operator::refusals::{Refusal, RefusalQuery};
use scim_lambda::store::{MAX_REFUSAL_ROWS, RefusalBatch};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::World;
use crate::support::connectors::{Between, Fault};
use crate::support::customer::Customer;
use crate::support::handles::{Row, id, user_path};
use crate::support::log::Log;

/// All refusals about somebody, or all.
async fn refusals(world: &World, about: Option<&str>) -> Vec<Refusal> {
    let about = about.map(str::to_owned);
    let query = RefusalQuery { since: None, about, limit: 1_000 };
    world.operator().refusals(&world.tenant, &query).await.unwrap().refusals
}

/// The rows of refusals.
async fn rows(world: &World) -> Vec<Row> {
    let mut rows = world.rows().await;
    rows.retain(|row| row.kind() == "F");
    rows
}

async fn taken(world: &World) {
    world
        .send("POST", "/Users", json!({ "userName": "anna@example.com" }))
        .await
        .is_error(409, Some("uniqueness"));
}

#[tokio::test]
async fn a_tenant_that_is_switched_off_is_told_why_nothing_happens() {
    let world = World::new().await;
    assert!(world.store.enable(world.tenant.code(), false, None).await.unwrap());
    world.clock.advance(61);
    let user = json!({ "userName": "anna@example.com" });
    world.send("POST", "/Users", user).await.is_error(403, None);
    let found = refusals(&world, None).await;
    assert_eq!((found.len(), found[0].request.code.as_str()), (1, "tenant-off"));
}

#[tokio::test]
async fn a_refusal_is_kept_with_its_sentence_and_without_the_name() {
    let world = World::new().await;
    let anna = json!({ "userName": "Anna@example.com", "displayName": "Anna Gray" });
    let anna = world.create(anna).await;
    taken(&world).await;
    let rows = rows(&world).await;
    assert_eq!(rows.len(), 1);
    let row = format!("{:?}", rows[0]).to_lowercase();
    assert!(!row.contains("anna") && !row.contains("gray"), "{row}");
    assert_eq!(rows[0].expires(), Some(world.clock.seconds() + 30 * 24 * 60 * 60));
    for who in ["anna@example.com", "ANNA@example.com", id(&anna)] {
        let found = refusals(&world, Some(who)).await;
        let request = &found[0].request;
        assert_eq!((request.code.as_str(), request.status), ("user-name-taken", 409), "{who}");
        assert_eq!((request.method.as_str(), request.route.as_str()), ("POST", "/Users"));
        assert_eq!(request.attribute.as_deref(), Some("userName"));
        assert_eq!(request.key, world.token.key_id().as_str());
        assert!(request.detail.starts_with("userName belongs to another User"));
        assert!(found[0].cure().unwrap().contains("Find out which of the two"));
    }
    assert_eq!(refusals(&world, Some("bob@example.com")).await, []);
}

#[tokio::test]
async fn the_first_is_written_with_its_request_and_others_wait_for_a_second() {
    let world = World::new().await;
    world.create(json!({ "userName": "anna@example.com" })).await;
    let writes = || world.between.count("TransactWriteItems");
    let before = writes();
    taken(&world).await;
    let own = writes() - before;
    let at_once = rows(&world).await.len();
    for _ in 0..30 {
        taken(&world).await;
    }
    assert_eq!((at_once, rows(&world).await.len()), (1, 1));
    world.clock.advance_milliseconds(999);
    world.send("GET", "/Users", None).await;
    assert_eq!(rows(&world).await.len(), 1, "not yet");
    world.clock.advance_milliseconds(1);
    let before = writes();
    assert_eq!(world.send("GET", "/Users", None).await.status, 200);
    assert_eq!(writes() - before, 1, "a later request of any kind writes what waits");
    let found = refusals(&world, None).await;
    assert_eq!((found.len(), found[0].request.count), (1, 31));
    world.clock.advance(10);
    let before = writes();
    world.send("GET", "/Users", None).await;
    assert_eq!(writes() - before, 0, "nothing waits any more");
    assert_eq!(own, 2, "the refused write, and the row of the refusal");
}

#[tokio::test]
async fn an_entry_is_bounded_and_the_rest_is_counted() {
    let world = World::new().await;
    world.send("GET", "/Nothing", None).await;
    for number in 0..30 {
        let body = json!({ "userName": format!("u{number}"), "active": 7 });
        world.send("POST", "/Users", body).await.is_error(400, Some("invalidValue"));
    }
    world.clock.advance(2);
    world.send("GET", "/Users", None).await;
    let rows = rows(&world).await;
    assert_eq!(rows.len(), 2);
    let last = rows.iter().max_by_key(|row| row.s().to_owned()).unwrap();
    let entries: Vec<Value> = serde_json::from_str(last.text("en").unwrap()).unwrap();
    assert_eq!((entries.len(), last.number("more")), (20, Some(10)));
}

#[tokio::test]
async fn strangers_and_usual_reads_leave_nothing() {
    let world = World::new().await;
    let forged = PlainToken::generate(world.tenant.code()).unwrap();
    for _ in 0..3 {
        assert_eq!(world.send_as(&forged, "POST", "/Users", json!({})).await.status, 401);
        world.clock.advance(2);
    }
    assert_eq!(world.send("GET", "/Users/unknown", None).await.status, 404);
    world.clock.advance(2);
    assert_eq!(world.send("GET", "/Users", None).await.status, 200);
    assert_eq!(rows(&world).await.len(), 0);
    // A change of what does not exist is one that somebody misses.
    assert_eq!(world.send("DELETE", "/Users/anna.gray", None).await.status, 404);
    assert_eq!(refusals(&world, Some("anna.gray")).await[0].request.code, "not-found");
    assert!(!format!("{:?}", rows(&world).await).contains("anna"), "it may be a name");
}

#[tokio::test]
async fn what_a_client_writes_in_place_of_an_id_or_an_attribute_is_not_kept() {
    let mut world = World::new().await;
    (world.tenant, world.token) = world.tenant("strict", "strict").await;
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x",
        "anna@example.com": "admin",
    });
    world.send("POST", "/Users", user).await.is_error(400, Some("invalidSyntax"));
    for (method, path) in [("PUT", "/Users/anna.gray"), ("POST", "/Users/anna.gray")] {
        world.clock.advance(1);
        assert!(world.send(method, path, json!(["no object"])).await.status.as_u16() >= 400);
    }
    let kept = format!("{:?}", rows(&world).await);
    assert!(!kept.contains("anna"), "{kept}");
    let mut found: Vec<_> = refusals(&world, Some("anna.gray")).await;
    assert_eq!(found.len(), 2, "it is found by its mark");
    found = refusals(&world, None).await;
    let unknown = found.iter().find(|one| one.request.code == "unknown-attribute").unwrap();
    assert_eq!(unknown.request.attribute.as_deref(), Some("other"));
}

#[tokio::test]
async fn what_waits_can_be_written_without_another_request() {
    let world = World::new().await;
    for _ in 0..2 {
        world.send("GET", "/Nothing", None).await;
        world.send("POST", "/Users", json!({ "displayName": "x" })).await;
    }
    assert_eq!(refusals(&world, None).await.len(), 1, "the others wait for a second");
    world.clock.advance(1);
    world.service.flush_refusals().await;
    let found = refusals(&world, None).await;
    assert_eq!(found.iter().map(|one| one.request.count).sum::<u64>(), 4);
    world.service.flush_refusals().await;
    assert_eq!(rows(&world).await.len(), 2);
}

#[tokio::test]
async fn a_failed_write_neither_changes_nor_delays_the_answer_and_is_tried_again() {
    let world = World::with(Between::default()).await;
    world.send("GET", "/Users", None).await;
    let is_refusal = |body: &Value| body.to_string().contains("#F");
    for fault in [Fault::Refuse(400, "ValidationException"), Fault::Hang, Fault::BreakAfter] {
        let log = Log::begin();
        let hit = fault.clone();
        world.between.set(move |_, body| is_refusal(body).then(|| hit.clone()));
        let began = std::time::Instant::now();
        let answer = world.send("POST", "/Users", json!({ "displayName": "x" })).await;
        answer.is_error(400, Some("invalidValue"));
        assert!(began.elapsed() < Duration::from_secs(5), "{fault:?}");
        let warnings = log.lines("refusals could not be kept").len();
        drop(log);
        assert!(warnings <= 1);
        world.between.clear();
        world.clock.advance(2);
    }
    world.send("GET", "/Users", None).await;
    let found = refusals(&world, None).await;
    assert_eq!((found.len(), found[0].request.count), (1, 3), "none is lost or counted twice");
    assert_eq!(rows(&world).await.len(), 1);
}

#[tokio::test]
async fn each_failed_operation_of_a_bulk_request_is_kept() {
    let world = World::new().await;
    let anna = world.create(json!({ "userName": "anna" })).await;
    let path = user_path(&anna);
    let operations = json!([
        { "method": "POST", "path": "/Users", "bulkId": "1", "data": { "userName": "Anna" } },
        { "method": "POST", "path": "/Users", "bulkId": "2", "data": { "userName": "bob" } },
        { "method": "PUT", "path": path, "data": { "userName": 7 } },
    ]);
    let answer = world.send("POST", "/Bulk", json!({ "Operations": operations })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let found = refusals(&world, Some("anna")).await;
    let mut codes: Vec<&str> = found.iter().map(|one| one.request.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["user-name-taken", "wrong-type"]);
    assert_eq!(found.iter().map(|one| one.request.route.as_str()).max(), Some("/Users/{id}"));
}

#[tokio::test]
async fn a_request_that_ran_into_the_deadline_is_kept() {
    let world = World::new().await;
    let anna = world.create(json!({ "userName": "anna" })).await;
    world.between.set(|operation, body| {
        let waits = operation == "TransactWriteItems" && !body.to_string().contains("#F");
        waits.then_some(Fault::Hang)
    });
    let body = crate::support::handles::set("title", "x").to_string();
    let mut request = Request::patch(format!("/scim/v2{}", user_path(&anna)))
        .header("authorization", format!("Bearer {}", world.token.reveal()))
        .body(Bytes::from(body))
        .unwrap();
    request.extensions_mut().insert(Deadline(Instant::now() + Duration::from_millis(200)));
    assert_eq!(world.service.call(request).await.status(), 503);
    world.between.clear();
    let found = refusals(&world, Some(id(&anna))).await;
    assert_eq!((found[0].request.code.as_str(), found[0].request.status), ("took-too-long", 503));
}

#[tokio::test]
async fn the_ring_keeps_the_newest_rows() {
    let world = World::new().await;
    let key = world.tenant.key();
    for number in 0..MAX_REFUSAL_ROWS + 30 {
        let id = format!("0199{number:04}-0000-7000-8000-000000000000");
        let at = world.clock.seconds();
        let batch = RefusalBatch { id, at, entries: Vec::new(), more: 0 };
        world.store.add_refusals(&key, &batch).await.unwrap();
    }
    // One of fifty writes of an instance removes some, unless the table is slow.
    let mut writes = 0;
    while rows(&world).await.len() > MAX_REFUSAL_ROWS + 50 || writes < 50 {
        world.clock.advance(1);
        world.send("GET", "/Nothing", None).await;
        writes += 1;
        assert!(writes < 1_000, "nothing is removed");
    }
    world.store.trim_refusals(&key).await.unwrap();
    let left = rows(&world).await;
    assert_eq!(left.len(), MAX_REFUSAL_ROWS);
    let last = format!("0199{:04}-0000-7000-8000-000000000000", MAX_REFUSAL_ROWS + 29);
    let newest = left.iter().any(|row| row.s() == last);
    let oldest = left.iter().any(|row| row.s() == "01990000-0000-7000-8000-000000000000");
    assert!(newest && !oldest, "the oldest go");
    assert_eq!(refusals(&world, None).await[0].request.count, writes);
}

#[tokio::test]
async fn tenants_do_not_see_each_others_refusals() {
    let world = Arc::new(World::new().await);
    let other = Customer::of(&world, "default", &[]).await;
    other.send("POST", "/Users", json!({ "displayName": "x" })).await;
    let query = RefusalQuery { since: None, about: None, limit: 10 };
    assert_eq!(refusals(&world, None).await, []);
    assert_eq!(world.operator().refusals(&other.row, &query).await.unwrap().refusals.len(), 1);
    assert_ne!(other.row.key().mark("anna"), world.tenant.key().mark("anna"));
}

#[tokio::test]
async fn only_refusals_since_a_time_are_shown_and_at_most_so_many() {
    let world = World::new().await;
    world.send("GET", "/Nothing", None).await;
    world.clock.advance(3_600);
    world.send("POST", "/Users", json!({})).await;
    world.clock.advance(60);
    world.send("GET", "/Nothing", None).await;
    let ask = async |since: Option<i64>, limit| {
        let query = RefusalQuery { since, about: None, limit };
        let found = world.operator().refusals(&world.tenant, &query).await.unwrap().refusals;
        found.into_iter().map(|one| one.request.code).collect::<Vec<_>>()
    };
    let all = ["endpoint-unknown", "missing-attribute", "endpoint-unknown"];
    assert_eq!(ask(None, 10).await, all, "the newest first, and equal ones apart");
    assert_eq!(ask(None, 1).await, all[..1]);
    assert_eq!(ask(Some(world.clock.seconds() - 60), 10).await, all[..2]);
    assert_eq!(ask(Some(world.clock.seconds() + 1), 10).await, all[..0]);
}

#[tokio::test]
async fn what_a_profile_drops_is_counted_by_names_that_a_schema_has() {
    let zulip = Customer::new("zulip").await;
    let world = zulip.world.clone();
    let post = async |name: &str| {
        let name_of = json!({ "givenName": "A", "familyName": "B" });
        let user = json!({
            "userName": name, "name": name_of, "title": "Dr", "roles": ["x"],
            "anna@example.com": 1, "secret": 2,
        });
        assert_eq!(zulip.post(user).await.status, 201);
    };
    let kept = async || {
        let query = RefusalQuery { since: None, about: None, limit: 100 };
        let found = world.operator().refusals(&zulip.row, &query).await.unwrap().refusals;
        let mut kept: Vec<_> = found
            .into_iter()
            .map(|one| (one.request.attribute.unwrap(), one.request.status, one.request.count))
            .collect();
        kept.sort();
        kept
    };
    let entry = |name: &str, count| (name.to_owned(), 200, count);
    post("a").await;
    let first = [entry("other", 1), entry("roles (role?)", 1), entry("title", 1)];
    assert_eq!(kept().await, first, "the first request of an hour writes it");
    assert_eq!(rows(&world).await.len(), 1);
    let row = format!("{:?}", rows(&world).await);
    assert!(!row.contains("anna") && !row.contains("secret"), "{row}");
    world.clock.advance(2);
    post("b").await;
    world.clock.advance(2);
    post("c").await;
    assert_eq!(rows(&world).await.len(), 1, "a good request alone writes nothing in the same hour");
    world.clock.advance(3_600);
    zulip.find("userName eq \"a\"").await;
    let all = [entry("other", 3), entry("roles (role?)", 3), entry("title", 3)];
    assert_eq!(kept().await, all);
}
