//! The tables that a person edits in `docs/COST.md`, and the ledger of `docs/PERFORMANCE.md`.

use scim_lambda::telemetry::LINES;
use std::collections::BTreeMap;

use crate::support::documents::{read, rows};

pub const COST: &str = "docs/COST.md";
const LEDGER: &str = "docs/PERFORMANCE.md";

/// What AWS charges for, as the table of prices names it.
const PRICES: [&str; 16] = [
    "DynamoDB, on-demand writes",
    "DynamoDB, on-demand reads",
    "DynamoDB, storage",
    "DynamoDB, point-in-time recovery",
    "Lambda, requests",
    "Lambda, time on arm64",
    "API Gateway, HTTP API",
    "EventBridge, Pipe",
    "EventBridge, bus",
    "Secrets Manager, secrets",
    "Secrets Manager, calls",
    "CloudWatch, logs taken in",
    "CloudWatch, logs kept",
    "CloudWatch, alarms",
    "CloudWatch, custom metrics",
    "Data transfer to the internet",
];

/// What is assumed, as its table names it.
const ASSUMPTIONS: [&str; 30] = [
    "users of a tenant",
    "groups of a tenant",
    "memberships of a tenant",
    "deleted users that a tenant keeps",
    "units of this customer for each unit of the ledger",
    "log rows for each change",
    "bytes that a user takes in the table",
    "bytes that a group takes in the table",
    "bytes that a membership takes in the table",
    "bytes that a log row takes in the table",
    "bytes that a tenant's counters take in the table",
    "overhead of a row, in bytes",
    "days for which the table keeps log rows",
    "read units of a request for the tenant's own row",
    "memory of the function, in MB",
    "milliseconds of function time for each request",
    "bytes of logs for each request",
    "days for which CloudWatch keeps logs",
    "bytes of a tenant in a shared secret",
    "bytes to which a shared secret is filled",
    "tenants for each further instance",
    "secret calls of the operator's tool for each tenant",
    "records that pass the Pipe for each change",
    "milliseconds of function time for each record",
    "watches a month",
    "tenants that a watch sees at most",
    "read units of a watch for each tenant",
    "milliseconds of function time of a watch for each tenant",
    "alarms",
    "custom metrics",
];

/// A row of the table of requests.
#[derive(Debug)]
pub struct Work {
    /// How many requests a month.
    pub requests: f64,
    pub read_units: f64,
    pub write_units: f64,
    /// The size of an answer with its headers, in bytes.
    pub answer: f64,
}

#[derive(Debug)]
pub struct Inputs {
    prices: BTreeMap<String, f64>,
    assumptions: BTreeMap<String, f64>,
    pub work: Vec<Work>,
}

impl Inputs {
    pub fn read() -> Self {
        Self {
            prices: named("prices", &PRICES, |cells| number(&cells[1]) / number(&cells[2])),
            assumptions: named("assumptions", &ASSUMPTIONS, |cells| number(&cells[1])),
            work: rows(COST, "requests").iter().map(|cells| work(cells)).collect(),
        }
    }

    /// The price of one unit, in dollars.
    pub fn price(&self, name: &str) -> f64 {
        *self.prices.get(name).unwrap_or_else(|| panic!("{COST} has no price {name}"))
    }

    pub fn assumed(&self, name: &str) -> f64 {
        *self.assumptions.get(name).unwrap_or_else(|| panic!("{COST} does not assume {name}"))
    }
}

/// The rows of a table, which are these and no others.
fn named(table: &str, names: &[&str], value: impl Fn(&[String]) -> f64) -> BTreeMap<String, f64> {
    let values: BTreeMap<_, _> =
        rows(COST, table).iter().map(|cells| (cells[0].clone(), value(cells))).collect();
    let mut expected: Vec<_> = names.to_vec();
    expected.sort_unstable();
    assert_eq!(values.keys().collect::<Vec<_>>(), expected, "{COST}, {table}: rows that are used");
    values
}

/// The number at the beginning of a cell.
fn number(cell: &str) -> f64 {
    let digits = cell.trim_start_matches('$').split(' ').next().unwrap_or_default();
    digits.replace(',', "").parse().unwrap_or_else(|_| panic!("{cell:?} is not a number"))
}

/// A row: what happens, how often a month, the row of the ledger, the bytes of an answer.
fn work(cells: &[String]) -> Work {
    let (read_units, write_units) = units(&cells[2]);
    Work { requests: number(&cells[1]), read_units, write_units, answer: number(&cells[3]) }
}

/// The read and write units of an operation in the largest tenant of the ledger.
pub fn units(operation: &str) -> (f64, f64) {
    if operation == "no call" {
        return (0.0, 0.0);
    }
    let ledger = ["users", "groups"].into_iter().flat_map(|table| rows(LEDGER, table));
    let row = ledger.into_iter().find(|cells| cells[0] == operation);
    let row = row.unwrap_or_else(|| panic!("{LEDGER} has no operation {operation:?}"));
    let cell = row.last().expect("a row has cells").trim_start_matches("≤ ").to_owned();
    let parts: Vec<f64> = cell.split(" / ").map(number).collect();
    (parts[2], parts[3])
}

#[test]
fn the_assumptions_agree_with_the_template() {
    let (inputs, template) = (Inputs::read(), read("template.yaml"));
    let count = |text: &str| template.matches(text).count() as f64;
    // A stack without canary deployments has no alarms about them.
    let alarm = "Type: AWS::CloudWatch::Alarm\n";
    let of_canaries = count(&format!("{alarm}    Condition: Gradual\n"));
    // One is made only with a topic. One on several metrics costs as much as several.
    let with_topic = count(&format!("{alarm}    Condition: Heard\n"));
    let of_the_queue = count("- Queued\n          - Id: ");
    let (sums, summands) = (count(", Expression: "), count("MetricStat:"));
    let alarms = count(alarm) - of_canaries - with_topic - sums + summands - of_the_queue;
    assert_eq!(inputs.assumed("alarms"), alarms);
    // Calls, cold starts, tenants not looked at, and the time of successful and of refused requests.
    let always = LINES.iter().flat_map(|line| line.measures).filter(|one| one.has_zeros).count();
    let of_classes = LINES.iter().map(|line| 2 * line.of_class.len()).sum::<usize>();
    assert_eq!(inputs.assumed("custom metrics"), (always + of_classes + 1) as f64);
    let minutes = 365.0 / 12.0 * 24.0 * 60.0 / inputs.assumed("watches a month");
    assert!(template.contains(&format!("rate({minutes} minutes)")), "{minutes}");
    let set = |name: &str, text: &str| {
        let value = inputs.assumed(name);
        assert!(template.contains(&format!("{text}{value}\n")), "template.yaml: {text}{value}");
    };
    set("memory of the function, in MB", "MemorySize: ");
    let days = "Type: Number\n    Default: ";
    set("days for which CloudWatch keeps logs", &format!("LogRetentionDays:\n    {days}"));
    set("days for which the table keeps log rows", &format!("AuditRetentionDays:\n    {days}"));
}
