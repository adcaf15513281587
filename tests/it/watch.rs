//! The watch over all tenants.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use scim_lambda::operator::profiles::ProfileChange;
use scim_lambda::operator::tenants::{NewTenant, Switch};
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::TenantRow;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::metrics::{embedded, metrics};
use crate::support::connectors::Fault;
use crate::support::customer::Customer;
use crate::support::events::answer;
use crate::support::log::Log;
use crate::support::{DAY, World};

async fn watch(world: &World) -> Value {
    let event = json!({ "scim": "watch" });
    answer(world, event).await.unwrap()
}

/// A tenant with a token in its list that was used.
async fn connected(world: &Arc<World>, name: &str, settings: &[(&str, &str)]) -> Customer {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings = settings.chain([("brake.share".to_owned(), "null".to_owned())]).collect();
    let profile = ProfileChange { settings, ..ProfileChange::default() };
    let new = NewTenant { name: name.into(), profile, ..NewTenant::default() };
    let created = world.operator().create_tenant(new).await.unwrap();
    let customer = Customer { world: world.clone(), row: created.row, token: created.token.token };
    assert_eq!(customer.send("GET", "/Users?count=0", None).await.status, 200);
    customer
}

fn findings(log: &Log, row: &TenantRow) -> Vec<String> {
    let mut lines = log.lines("finding");
    lines.retain(|line| line["tenant"] == row.code().as_str());
    lines.iter().map(|line| line["finding"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_watch_finds_brakes_that_are_on_full_seats_and_tokens_that_end() {
    let world = Arc::new(World::new().await);
    let log = Log::with(metrics(false));
    let operator = world.operator();
    operator.issue_token(&world.tenant, Lifetime::Unlimited, None).await.unwrap();
    let well = json!({ "tenants": 1, "unseen": 0, "brakes_on": 0, "seats_full": 0,
        "tokens_ending": 0 });
    assert_eq!(watch(&world).await, well);

    let initech = connected(&world, "initech", &[("brake.deactivations", "1")]).await;
    let globex = connected(&world, "globex", &[("seats.limit", "1")]).await;
    for n in 0..3 {
        let user = initech.create(json!({ "userName": format!("u{n}") })).await;
        initech.activate(&user, false).await;
    }
    globex.create(json!({ "userName": "u" })).await;
    let seen = watch(&world).await;
    let counts = ["tenants", "brakes_on", "seats_full", "tokens_ending"];
    assert_eq!(counts.map(|name| seen[name].as_u64().unwrap()), [3, 1, 1, 0], "{seen}");
    assert_eq!(findings(&log, &initech.row), ["brake_on"]);
    watch(&world).await;
    let measured = embedded(&log.lines("watch")[0]).into_iter().map(|(name, _)| name);
    assert_eq!(measured.collect::<Vec<_>>(), ["unseen", "brakes_on", "seats_full"]);
    watch(&world).await;
    assert_eq!(findings(&log, &globex.row), ["seats_full"]);

    operator.lift_brake(&initech.row).await.unwrap();
    world.clock.advance(352 * DAY);
    let seen = watch(&world).await;
    assert_eq!((&seen["brakes_on"], &seen["tokens_ending"]), (&json!(0), &json!(2)), "{seen}");
    assert_eq!(findings(&log, &initech.row), ["token_ending"]);
    let rotated = operator.rotate_tokens(&initech.row, None, None).await.unwrap();
    assert_eq!(watch(&world).await["tokens_ending"], 2, "the customer has the old one still");
    world.settle(&rotated.token.token).await;
    assert_eq!(watch(&world).await["tokens_ending"], 1);
    operator.switch_tenant(&globex.row, Switch::Off).await.unwrap();
    let seen = watch(&world).await;
    let counts = ["tenants", "brakes_on", "seats_full", "tokens_ending"];
    assert_eq!(counts.map(|name| seen[name].as_u64().unwrap()), [3, 0, 0, 0], "{seen}");
}

#[tokio::test]
async fn a_short_token_ends_soon_in_the_last_third_of_its_life() {
    let world = Arc::new(World::new().await);
    world.operator().issue_token(&world.tenant, Lifetime::Days(3), None).await.unwrap();
    assert_eq!(watch(&world).await["tokens_ending"], 0);
    world.clock.advance(2 * DAY + 60);
    assert_eq!(watch(&world).await["tokens_ending"], 1);
}

/// Another tenant, whose row or calls are in trouble.
async fn other(world: &Arc<World>) -> String {
    let code = connected(world, "initech", &[]).await.row.code().clone();
    world.operator().issue_token(&world.tenant, Lifetime::Unlimited, None).await.unwrap();
    format!("{code}#T")
}

#[tokio::test]
async fn a_row_of_a_newer_release_hides_only_its_own_tenant() {
    let world = Arc::new(World::new().await);
    let log = Log::with(metrics(false));
    let partition = other(&world).await;
    let client = aws_sdk_dynamodb::Client::new(&world.local.sdk_config());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let call = client.update_item().table_name(scim_local::TABLE);
    let call = call.key("p", text(&partition)).key("s", text("profile"));
    let call = call.update_expression("SET f = :newer");
    let newer = AttributeValue::N("2".to_owned());
    call.expression_attribute_values(":newer", newer).send().await.unwrap();
    let seen = watch(&world).await;
    assert_eq!((&seen["tenants"], &seen["unseen"]), (&json!(1), &json!(1)), "{seen}");
    let found = log.lines("finding").pop().unwrap();
    assert_eq!(found["finding"], "unreadable");
    assert!(partition.starts_with(found["tenant"].as_str().unwrap()));
}

#[tokio::test]
async fn a_call_that_never_ends_hides_only_its_own_tenant() {
    let world = Arc::new(World::new().await);
    let log = Log::with(metrics(false));
    let partition = other(&world).await;
    world.between.set(move |_, call| {
        let is_stalled = call["ExpressionAttributeValues"][":p"]["S"] == partition.as_str();
        is_stalled.then_some(Fault::Hang)
    });
    let seen = world.service.watch(Instant::now() + Duration::from_secs(1)).await;
    assert_eq!((&seen["tenants"], &seen["unseen"]), (&json!(1), &json!(1)), "{seen}");
    assert!(log.lines("finding").is_empty(), "the watch did not wait for the call to fail");
}

#[tokio::test]
async fn a_watch_without_a_list_of_tenants_is_heard_and_does_not_fail() {
    let world = World::new().await;
    let log = Log::with(metrics(false));
    world.between.set(|_, _| Some(Fault::Refuse(400, "ResourceNotFoundException")));
    assert_eq!(watch(&world).await["unseen"], 1);
    world.between.set(|_, _| Some(Fault::Hang));
    assert_eq!(world.service.watch(Instant::now()).await["unseen"], 1);
    let lines = log.lines("watch");
    assert!(lines.iter().all(|line| line["unseen"] == 1) && lines.len() == 2, "{lines:?}");
}
