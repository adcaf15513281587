//! The metrics that lines of the log carry.

use std::collections::BTreeSet;

use scim_lambda::store::SecretNumber;
use scim_lambda::telemetry::{Counter, DIMENSIONS, LASTING, LINES, Metrics};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::connectors::{Between, Fault};
use crate::support::events::{answer, get, invoke};
use crate::support::log::Log;
use crate::support::tokens::change_secret;
use crate::tokens::helpers::{GET, down, forged};

pub fn metrics(routes: bool) -> Metrics {
    Metrics { namespace: Some("scim/test".into()), routes }
}

/// The metrics of a line in the embedded metric format, each with its dimensions. Fails if the line
/// breaks a rule of that format.
pub fn embedded(line: &Value) -> Vec<(String, Vec<Vec<String>>)> {
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
        assert_eq!(line["failed_calls"], 0);
        assert!(!names.contains("failed_calls"), "what is zero is not measured");
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
    assert_eq!(line["SecretsFailed"], 1);
}

/// How often a request counted that its secret could not be read.
async fn failures(world: &World) -> Value {
    let log = Log::with(metrics(false));
    assert_eq!(world.send("GET", "/Users?count=0", None).await.status, 503);
    log.lines("metric").pop().unwrap()["SecretsFailed"].clone()
}

#[tokio::test]
async fn a_secret_that_needs_the_operator_raises_the_alarm_at_once() {
    let template = std::fs::read_to_string("template.yaml").unwrap();
    let alarm = template.split("\n  SecretsAlarm:\n").nth(1).unwrap();
    let threshold = alarm.split("Threshold: ").nth(1).unwrap().lines().next().unwrap();
    assert_eq!(threshold, LASTING.to_string());

    let world = World::new().await;
    world.between.once(GET, Fault::Refuse(400, "AccessDeniedException"));
    assert_eq!(failures(&world).await, LASTING);
    let world = World::new().await;
    change_secret(&world.secrets, SecretNumber::FIRST, |all| all.remove(world.tenant.code())).await;
    assert_eq!(failures(&world).await, LASTING);
}

#[tokio::test]
async fn what_a_stranger_sends_makes_no_metric_of_a_route() {
    let world = World::new().await;
    let log = Log::with(metrics(true));
    assert_eq!(world.send("BREW", "/Users", None).await.status, 405);
    let line = log.requests().pop().unwrap();
    assert_eq!(line["method"], "other");
    assert_eq!(embedded(&line).pop().unwrap().1.len(), 2);
    let forged = forged(&world);
    assert_eq!(world.send_as(&forged, "GET", "/Users", None).await.status, 401);
    let line = log.requests().pop().unwrap();
    assert_eq!(embedded(&line).pop().unwrap().1, [["class"]]);
}

#[tokio::test]
async fn every_code_of_a_throttle_is_counted() {
    for code in ["ThrottlingError", "ThrottlingException", "RequestLimitExceeded"] {
        // With pauses as on AWS, the SDK may give up before it says what it was answered.
        let world = World::hasty(Between::default()).await;
        let user = world.create(json!({ "userName": "u" })).await;
        world
            .between
            .set(move |operation, _| (operation != GET).then_some(Fault::Refuse(400, code)));
        let path = format!("/Users/{}", user["id"].as_str().unwrap());
        let log = Log::with(metrics(false));
        assert_eq!(world.send("GET", &path, None).await.status, 503, "{code}");
        assert!(log.requests()[0]["throttles"].as_u64() > Some(0), "{code}");
    }
}

#[tokio::test]
async fn only_the_first_invocation_is_a_cold_start() {
    let log = Log::with(metrics(false));
    for is_watched in [false, true] {
        let world = World::new().await;
        if is_watched {
            answer(&world, json!({ "scim": "watch" })).await.unwrap();
        }
        let reply = invoke(&world, get(&world, "url", "/scim/v2/Users", "count=0")).await;
        assert_eq!(reply.status, 200);
        let cold = if is_watched { Value::Null } else { json!(1) };
        assert_eq!(log.requests()[0]["cold_start"], cold);
        assert_eq!(world.send("GET", "/Users?count=0", None).await.status, 200);
        assert_eq!(log.requests()[0]["cold_start"], Value::Null);
    }
    let world = World::new().await;
    assert_eq!(world.send("GET", "/Users?count=0", None).await.status, 200);
    assert_eq!(log.requests()[0]["cold_start"], 1, "without Lambda too");
}

#[tokio::test]
async fn an_invocation_that_fails_is_logged() {
    let world = World::new().await;
    let log = Log::begin();
    answer(&world, json!({ "no": "request" })).await.unwrap_err();
    assert_eq!(log.errors()[0]["message"], "invocation failed");
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
    assert!(alarms.len() == 6 && parts.len() == 2, "{alarms:?} {parts:?}");
    assert!(alarms.union(&parts).all(|name| emitted.contains(name)), "{alarms:?} {parts:?}");
}
