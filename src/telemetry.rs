//! What an operator sees: one JSON line a request on Lambda, and how many DynamoDB calls and
//! capacity units each request took.

use std::cell::Cell;
use std::future::Future;

use tracing::level_filters::LevelFilter;

/// The DynamoDB work of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Calls, each re-send of a cancelled transaction counted.
    pub calls: u32,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
    /// Transactions that took effect.
    pub commits: u32,
}

tokio::task_local! {
    static TALLY: Cell<Tally>;
}

/// Runs `work` and counts its DynamoDB calls.
pub async fn counted<T>(work: impl Future<Output = T>) -> (T, Tally) {
    TALLY
        .scope(Cell::new(Tally::default()), async {
            let done = work.await;
            (done, TALLY.with(Cell::get))
        })
        .await
}

/// How many transactions took effect in this request so far.
pub(crate) fn commits() -> u32 {
    TALLY.try_with(|cell| cell.get().commits).unwrap_or_default()
}

/// Counts one read.
pub(crate) fn read(units: Option<f64>) {
    add(|tally| tally.read_units += units.unwrap_or_default());
}

/// Counts one transaction that took effect.
pub(crate) fn committed(units: f64) {
    add(|tally| {
        tally.write_units += units;
        tally.commits += 1;
    });
}

/// Counts one transaction that was sent and did not take effect, as far as is known.
pub(crate) fn cancelled() {
    add(|_| {});
}

fn add(change: impl FnOnce(&mut Tally)) {
    // Outside of a request (the operator's tool) nobody counts.
    let _ = TALLY.try_with(|cell| {
        let mut tally = cell.get();
        tally.calls += 1;
        change(&mut tally);
        cell.set(tally);
    });
}

/// What CloudWatch counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// So many users of a tenant were deactivated that the brake stopped it.
    BrakeTripped,
}

impl Metric {
    /// Its name in CloudWatch.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BrakeTripped => "BrakeTripped",
        }
    }
}

/// Counts one for a tenant: a warning in the log, which the stack's metric filter finds and alarms on.
pub(crate) fn count(metric: Metric, tenant: &str) {
    tracing::warn!(metric = metric.as_str(), tenant, "metric");
}

/// An error with its causes, for a log line. Their debug forms are left out: they would show whole
/// messages of the backend, and with them personal data.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Log lines as JSON on standard output, for CloudWatch. The level is fixed: at TRACE the Lambda
/// runtime would log whole events, bearer tokens included.
pub fn init_json() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(LevelFilter::INFO)
        .with_current_span(false)
        .with_span_list(false)
        .init();
}

/// Warnings and errors for a person, on standard error.
pub fn init_human() {
    tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(std::io::stderr).without_time().init();
}
