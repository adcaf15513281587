//! The watch over all tenants, and the metrics that lines carry.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use scim_lambda::operator::profiles::ProfileChange;
use scim_lambda::operator::tenants::NewTenant;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::TenantRow;
use scim_lambda::telemetry::{Counter, DIMENSIONS, LINES, Metrics};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::customer::Customer;
use crate::support::events::answer;
use crate::support::log::Log;
use crate::support::{DAY, World};
use crate::tokens::helpers::down;

fn metrics(routes: bool) -> Metrics {
    Metrics { namespace: Some("scim/test".into()), routes }
}

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
    assert_eq!(measured.collect::<Vec<_>>(), ["brakes_on", "seats_full"]);
    watch(&world).await;
    assert_eq!(findings(&log, &globex.row), ["seats_full"]);

    operator.lift_brake(&initech.row).await.unwrap();
    world.clock.advance(352 * DAY);
    let seen = watch(&world).await;
    assert_eq!((&seen["brakes_on"], &seen["tokens_ending"]), (&json!(0), &json!(2)), "{seen}");
    assert_eq!(findings(&log, &initech.row), ["token_ending"]);
    operator.rotate_tokens(&initech.row, None, None).await.unwrap();
    assert_eq!(watch(&world).await["tokens_ending"], 1);
}

#[tokio::test]
async fn a_watch_whose_time_is_over_says_how_many_it_has_not_seen() {
    let world = Arc::new(World::new().await);
    connected(&world, "initech", &[]).await;
    let seen = world.service.watch(Instant::now() - Duration::from_secs(1)).await.unwrap();
    assert_eq!((&seen["tenants"], &seen["unseen"]), (&json!(0), &json!(2)));
}

/// The metrics of a line in the embedded metric format, each with its dimensions. Fails if the line
/// breaks a rule of that format.
fn embedded(line: &Value) -> Vec<(String, Vec<Vec<String>>)> {
    let aws = &line["_aws"];
    assert!(aws["Timestamp"].as_u64().is_some_and(|at| at > 1_700_000_000_000), "{line}");
    let mut found = Vec::new();
    for directive in aws["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(directive["Namespace"], "scim/test");
        let sets: Vec<Vec<String>> =
            serde_json::from_value(directive["Dimensions"].clone()).unwrap();
        for dimension in sets.iter().flatten() {
            assert!(line[dimension].is_string() && DIMENSIONS.contains(&dimension.as_str()));
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name} of {line}");
            found.push((name.to_owned(), sets.clone()));
        }
    }
    found
}

#[tokio::test]
async fn lines_carry_their_metrics_in_the_embedded_format() {
    let world = World::new().await;
    for routes in [false, true] {
        let log = Log::with(metrics(routes));
        assert_eq!(world.send("GET", "/Users?count=0", None).await.status, 200);
        let line = log.requests().pop().unwrap();
        let measured = embedded(&line);
        let names: BTreeSet<&str> = measured.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.is_superset(&BTreeSet::from(["calls", "milliseconds"])), "{names:?}");
        assert!(!names.contains("conflicts"), "what is zero is not measured");
        let (_, sets) = measured.last().unwrap();
        assert!(sets.contains(&vec!["class".to_owned()]));
        assert_eq!(sets.len(), if routes { 2 } else { 1 });
        assert_eq!((&line["class"], &line["retries"]), (&json!("2xx"), &Value::Null));
    }
    let log = Log::begin();
    assert_eq!(world.send("GET", "/Users?count=0", None).await.status, 200);
    assert!(log.requests()[0].get("_aws").is_none(), "no metrics without a stack");
}

#[tokio::test]
async fn a_failure_of_secrets_manager_is_counted() {
    let world = World::new().await;
    let log = Log::with(metrics(false));
    down(&world);
    assert_eq!(world.send("GET", "/Users?count=0", None).await.status, 503);
    let line = log.lines("metric").pop().unwrap();
    assert_eq!(line["metric"], Counter::SecretsFailed.as_str());
    assert_eq!(embedded(&line), [("SecretsFailed".to_owned(), vec![vec![]])]);
}

/// The names of the stack's own metrics in a text, after each of these words.
fn named<'t>(text: &'t str, before: &str) -> BTreeSet<&'t str> {
    let names =
        text.split(before).skip(1).filter_map(|rest| rest.split(['"', '\n', ' ', ',']).next());
    names.collect()
}

#[test]
fn alarms_and_dashboard_have_the_metrics_that_the_code_emits() {
    let template = std::fs::read_to_string("template.yaml").unwrap();
    let measures = LINES.iter().flat_map(|line| line.measures.iter().chain(line.of_class));
    let counters = Counter::ALL.into_iter().map(Counter::as_str);
    let emitted: BTreeSet<&str> = measures.map(|one| one.name).chain(counters).collect();
    let shown = named(&template, "[\"scim/${AWS::StackName}\",\"");
    assert_eq!(shown, emitted);
    let alarms = named(&template, "Namespace: !Sub scim/${AWS::StackName}\n      MetricName: ");
    let parts = named(&template, "Namespace: !Sub 'scim/${AWS::StackName}', MetricName: ");
    assert!(alarms.len() == 5 && parts.len() == 2, "{alarms:?} {parts:?}");
    assert!(alarms.union(&parts).all(|name| emitted.contains(name)), "{alarms:?} {parts:?}");
}
