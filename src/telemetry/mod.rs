//! What an operator sees: one JSON line for each request on Lambda, and how many DynamoDB calls and
//! capacity units each request took.

mod json_lines;
mod metrics;

use std::cell::RefCell;
use std::future::Future;

use scim_core::NearMiss;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use json_lines::JsonLines;
pub use metrics::{Counter, DIMENSIONS, LASTING, LINES, Line, Measure, Metrics};
pub(crate) use metrics::{count, count_lasting};

/// The DynamoDB work of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Calls, including each retry of a cancelled transaction.
    pub calls: u32,
    /// Calls among them that failed or were cancelled because of other requests. A write that its
    /// conditions refused has not failed.
    pub failed_calls: u32,
    /// Transactions among them that DynamoDB cancelled because of another transaction.
    pub conflicts: u32,
    /// Calls among them that failed, or were cancelled, because the table was throttled.
    pub throttles: u32,
    /// How often the calls were sent; the SDK sends one again that was not answered.
    pub attempts: u32,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
    /// Transactions that took effect.
    pub commits: u32,
}

impl Tally {
    /// How often the SDK sent a call again.
    pub fn retries(self) -> u32 {
        self.attempts.saturating_sub(self.calls)
    }
}

tokio::task_local! {
    static LEFT_OUT: RefCell<LeftOut>;
}

/// Maximum number of attributes of a request that its log line names.
const MAX_IGNORED: usize = 10;
/// Maximum number of unknown names of a request that are collected.
const MAX_UNKNOWN: usize = 100;

/// What a request left out of messages.
#[derive(Debug, Clone, Default)]
pub struct LeftOut {
    /// Names that resemble attributes, in the form `roles (role?)`. Each is one letter away from a
    /// name that a schema defines, so it is not personal data.
    pub near_misses: Vec<String>,
    /// All names that no schema of the tenant defines, as the client wrote them.
    pub unknown: Vec<String>,
}

impl LeftOut {
    /// The near misses as the log names them; `None` if no name resembled an attribute.
    pub fn ignored(&self) -> Option<String> {
        (!self.near_misses.is_empty()).then(|| self.near_misses.join(", "))
    }
}

/// Runs `work` and collects what it left out of messages.
pub async fn noting<T>(work: impl Future<Output = T>) -> (T, LeftOut) {
    LEFT_OUT
        .scope(RefCell::default(), async {
            let done = work.await;
            (done, LEFT_OUT.with(RefCell::take))
        })
        .await
}

/// Records what was left out of a message: names of attributes, never values.
pub(crate) fn left_out(misses: &[NearMiss], unknown: &[String]) {
    let _ = LEFT_OUT.try_with(|left_out| {
        let LeftOut { near_misses, unknown: names } = &mut *left_out.borrow_mut();
        for NearMiss { sent, known } in misses {
            let miss = format!("{sent} ({known}?)");
            if near_misses.len() < MAX_IGNORED && !near_misses.contains(&miss) {
                near_misses.push(miss);
            }
        }
        let room = MAX_UNKNOWN.saturating_sub(names.len());
        names.extend(unknown.iter().take(room).cloned());
    });
}

/// An error with its causes, for a log line. Debug forms are not used, because they would show
/// whole messages of the backend, with the personal data in them.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Log lines as JSON on standard output, for CloudWatch, with the metrics of a stack. The level is
/// fixed: at TRACE the Lambda runtime would log whole events, bearer tokens included.
pub fn init_json(metrics: Metrics) {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .event_format(JsonLines::new(metrics))
        .init();
}

/// Warnings and errors for a person, on standard error, but not those of modules whose paths begin
/// with one of `said_elsewhere`: their errors are shown as sentences.
pub fn init_human(said_elsewhere: &'static [&'static str]) {
    let is_shown = move |metadata: &Metadata<'_>| {
        !said_elsewhere.iter().any(|module| metadata.target().starts_with(module))
    };
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .without_time()
        .finish()
        .with(filter_fn(is_shown))
        .init();
}
