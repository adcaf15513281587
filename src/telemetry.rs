//! What an operator sees: one JSON line a request on Lambda, and how many DynamoDB calls and
//! capacity units each request took.

use std::cell::RefCell;
use std::future::Future;

use scim_core::NearMiss;
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
    static IGNORED: RefCell<Vec<String>>;
}

/// Most attributes of a request that its log line names.
const MAX_IGNORED: usize = 10;

/// Runs `work` and collects what it left out of messages though it resembles an attribute, as
/// `roles (role?), ...`; `None` if there is nothing of the kind.
pub async fn noting<T>(work: impl Future<Output = T>) -> (T, Option<String>) {
    IGNORED
        .scope(RefCell::default(), async {
            let done = work.await;
            let names = IGNORED.with(|names| names.borrow().join(", "));
            (done, Some(names).filter(|names| !names.is_empty()))
        })
        .await
}

/// Notes what was left out of a message. These are names of attributes, never values, each a letter
/// from one that a schema defines: no personal data.
pub(crate) fn ignored(misses: &[NearMiss]) {
    let _ = IGNORED.try_with(|names| {
        let mut names = names.borrow_mut();
        for NearMiss { sent, known } in misses {
            let miss = format!("{sent} ({known}?)");
            if names.len() < MAX_IGNORED && !names.contains(&miss) {
                names.push(miss);
            }
        }
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

/// Counts one for a tenant: a warning in the log, which the stack's metric filter finds and alarms
/// on.
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
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .without_time()
        .init();
}
