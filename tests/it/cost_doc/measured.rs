//! Rows, logs and answers are measured: no assumption of `docs/COST.md` about them is too low, or
//! more than twice too high.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use scim_lambda::auth::shared_secrets::MAX_SECRET_BYTES;
use scim_lambda::operator::tenants::NewTenant;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::SecretNumber;
use scim_lambda::telemetry::Metrics;
use scim_local::meter::Written;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::customer::{employee, written};
use super::inputs::{Inputs, units};
use crate::events::passes::passes;
use crate::support::World;
use crate::support::customer::Customer;
use crate::support::documents::read;
use crate::support::handles::{group_path, id, members, values};
use crate::support::log::Log;
use crate::support::stream::StreamReader;

/// The rows of counters that a tenant has at most for its users, and those for twenty groups.
const COUNTERS: usize = 64 + 20;
const LARGER: &str = "units of this customer for each unit of the ledger";
/// What CloudWatch adds to the bytes of each log event.
const EVENT: usize = 26;
/// Values of the API's access log.
const ACCESS: [(&str, &str); 9] = [
    ("$context.requestTime", "22/Nov/2026:12:00:00 +0000"),
    ("$context.requestId", "JKJaXmPLvHcESHA="),
    ("$context.identity.sourceIp", "203.0.113.195"),
    ("$context.httpMethod", "PATCH"),
    ("$context.status", "200"),
    ("$context.responseLength", "1400"),
    ("$context.responseLatency", "101"),
    ("$context.integrationStatus", "200"),
    ("$context.integrationErrorMessage", "-"),
];

#[track_caller]
fn holds(inputs: &Inputs, name: &str, measured: usize) {
    let (assumed, measured) = (inputs.assumed(name), measured as f64);
    assert!(
        measured <= assumed && assumed <= 2.0 * measured,
        "{name}: {measured} measured, {assumed} assumed"
    );
}

/// Rows of these kinds as they are billed.
fn stored(inputs: &Inputs, rows: &BTreeMap<String, Vec<Written>>, kinds: &[&str]) -> usize {
    let overhead = inputs.assumed("overhead of a row, in bytes") as usize;
    let written = kinds.iter().flat_map(|kind| &rows[*kind]);
    written.map(|written| written.bytes + written.rows as usize * overhead).sum()
}

#[tokio::test]
async fn rows_are_as_large_as_assumed() {
    let (inputs, world) = (Inputs::read(), World::metered().await);
    world.meter.take();
    let user = world.create(employee("one")).await;
    let rows = written(&world);
    holds(
        &inputs,
        "bytes that a user takes in the table",
        stored(&inputs, &rows, &["U", "X", "E"]),
    );
    holds(&inputs, "bytes that a log row takes in the table", stored(&inputs, &rows, &["L"]));
    let counters = COUNTERS * stored(&inputs, &rows, &["C"]);
    holds(&inputs, "bytes that a tenant's counters take in the table", counters);

    let group = world.group("Customer Success, Europe", &[]).await;
    let rows = written(&world);
    holds(&inputs, "bytes that a group takes in the table", stored(&inputs, &rows, &["G"]));
    let body = members("add", values(&[id(&user).to_owned()]));
    assert_eq!(world.send("PATCH", group.path(), body).await.status, 200);
    let rows = written(&world);
    let membership = stored(&inputs, &rows, &["M", "R"]);
    holds(&inputs, "bytes that a membership takes in the table", membership);
}

#[tokio::test]
async fn a_tenants_record_in_a_secret_is_as_large_as_assumed() {
    let (inputs, world) = (Inputs::read(), World::new().await);
    let secret = async || world.secrets.shared(SecretNumber::FIRST).await.unwrap();
    let before = secret().await.bytes;
    let operator = world.operator();
    let tenant = NewTenant { name: "initech".to_owned(), ..NewTenant::default() };
    let tenant = operator.create_tenant(tenant).await.unwrap();
    operator.issue_token(&tenant.row, Lifetime::Profile, None).await.unwrap();
    let signing_key = r#""signing_key":"","#.len() + 43;
    let measured = secret().await.bytes - before + signing_key;
    holds(&inputs, "bytes of a tenant in a shared secret", measured);
    let filled = inputs.assumed("bytes to which a shared secret is filled") as usize;
    assert_eq!(filled, MAX_SECRET_BYTES * 3 / 4);
}

#[tokio::test]
async fn this_customer_takes_more_units_than_the_ledger_as_assumed() {
    let (inputs, world) = (Inputs::read(), World::metered().await);
    world.settle(&world.token).await;
    world.meter.take();
    let user = world.user(employee("one")).await;
    let create = world.meter.take().write / units("create").1;
    assert_eq!(user.set("title", "Engineer").await.status, 200);
    let patch = world.meter.take().write / units("PATCH").1;
    let (assumed, measured) = (inputs.assumed(LARGER), create.max(patch));
    assert!(measured <= assumed && assumed <= 2.0 * measured, "{create} and {patch}, {assumed}");
}

#[tokio::test]
async fn a_page_of_this_customer_takes_no_more_units_than_assumed() {
    let (inputs, world) = (Inputs::read(), World::metered().await);
    for n in 0..110 {
        world.create(employee(&format!("employee{n}"))).await;
    }
    world.meter.take();
    let page = world.send("GET", "/Users?startIndex=11&count=100", None).await;
    assert_eq!(page.body["itemsPerPage"], 100);
    let read = world.meter.take().read;
    let assumed = inputs.assumed(LARGER) * units("page of 100 at any `startIndex`").0;
    assert!(read <= assumed, "{read} read units, {assumed} assumed");
}

/// The bytes of the logs of one request.
fn logged(lines: &[Value]) -> usize {
    let template = read("template.yaml");
    let format = template.split("Format: '").nth(1).and_then(|rest| rest.split('\'').next());
    let access = ACCESS.iter().fold(format.unwrap().to_owned(), |line, (name, value)| {
        assert!(line.contains(name), "{name}");
        line.replace(&format!("\"{name}\""), &format!("\"{value}\""))
    });
    assert!(!access.contains('$'), "{access}");
    let lines = lines.iter().map(|line| line.to_string().len());
    // Lambda's own lines about each request are below the level that the template sets.
    assert!(template.contains("SystemLogLevel: WARN"));
    lines.chain([access.len()]).map(|length| length + EVENT).sum()
}

/// The log as the function of a stack writes it.
fn on_aws() -> Log {
    Log::with(Metrics { namespace: Some("scim/production".into()), routes: false })
}

#[tokio::test]
async fn logs_and_answers_are_as_large_as_assumed() {
    let (inputs, world, log) = (Inputs::read(), World::new().await, on_aws());
    let answer = world.send("POST", "/Users", employee("one")).await;
    assert_eq!(answer.status, 201);
    let lines = log.requests();
    assert_eq!(lines.len(), 1);
    holds(&inputs, "bytes of logs for each request", logged(&lines));

    let headers = answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let headers = headers.sum::<usize>() as f64;
    let body = json!(answer.body).to_string().len() as f64;
    let largest = inputs.work.iter().map(|work| work.answer).fold(0.0, f64::max);
    assert!(100.0 * body + headers <= largest, "a page of 100 users of {body} bytes");
    let resources = inputs.work.iter().filter(|work| work.write_units > 0.0);
    for work in resources {
        assert!(body + headers <= work.answer, "{body} and {headers} bytes: {work:?}");
    }
}

#[tokio::test]
async fn no_change_has_more_records_for_the_pipe_than_assumed() {
    let (inputs, world) = (Inputs::read(), World::new().await);
    let stream = StreamReader::on(&world.local.engine);
    let mut most = 0;
    let mut count = || most = most.max(stream.records().iter().filter(|r| passes(r)).count());
    let user = world.user(employee("one")).await;
    count();
    for name in ["A", "B"] {
        let group = world.send("POST", "/Groups", json!({ "displayName": name })).await.body;
        count();
        let joins = members("add", values(&[user.id().to_owned()]));
        assert_eq!(world.send("PATCH", &group_path(&group), joins).await.status, 200);
        count();
    }
    assert_eq!(user.set("active", false).await.status, 200);
    count();
    assert_eq!(world.send("DELETE", user.path(), None).await.status, 204);
    count();
    assert_eq!(inputs.assumed("records that pass the Pipe for each change"), most as f64);
}

/// The read units of a watch.
async fn watched(world: &World) -> f64 {
    let log = Log::begin();
    let seen = world.service.watch(Instant::now() + Duration::from_secs(20)).await;
    assert_eq!(seen["unseen"], 0);
    log.lines("watch")[0]["read_units"].as_f64().unwrap()
}

#[tokio::test]
async fn a_watch_reads_as_much_as_assumed() {
    let (inputs, world) = (Inputs::read(), Arc::new(World::metered().await));
    let before = watched(&world).await;
    let settings = [("seats.limit", "9"), ("brake.deactivations", "5")];
    let customer = Customer::of(&world, "default", &settings).await;
    world.operator().issue_token(&customer.row, Lifetime::Profile, None).await.unwrap();
    let user = customer.create(employee("one")).await;
    assert_eq!(customer.activate(&user, false).await.status, 200);
    let units = watched(&world).await - before;
    holds(&inputs, "read units of a watch for each tenant", units.ceil() as usize);
}
