//! What CloudWatch measures and counts. The lines of the log carry it themselves, in the embedded
//! metric format: no agent, no call, and no filter of the log.

use serde_json::{Map, Value, json};

/// Which metrics the lines carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Their namespace, `scim/` and the name of the stack; without one, lines carry no metrics.
    pub namespace: Option<String>,
    /// Whether the time of requests with an accepted token is also measured for each method and
    /// route. CloudWatch bills a metric for each class, method and route that occur together.
    pub routes: bool,
}

/// A number in a line, which is a metric of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// The field of the line.
    pub name: &'static str,
    /// The unit, as CloudWatch names it.
    pub unit: &'static str,
    /// Whether zero is measured too. CloudWatch bills a metric for each hour in which it gets a
    /// value, so what is nearly always zero costs nothing while it is.
    pub has_zeros: bool,
}

/// A number that is measured unless it is zero.
const fn rare(name: &'static str) -> Measure {
    Measure { name, unit: "Count", has_zeros: false }
}

/// A kind of line, by its message.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// The message.
    pub message: &'static str,
    /// What is measured as a whole.
    pub measures: &'static [Measure],
    /// What is measured for each class of answers, and for each route if the stack wants it.
    pub of_class: &'static [Measure],
}

/// All kinds of lines with metrics.
pub const LINES: [Line; 2] = [
    Line {
        message: "request",
        measures: &[
            Measure { name: "calls", unit: "Count", has_zeros: true },
            rare("failed_calls"),
            rare("conflicts"),
            rare("throttles"),
            rare("retries"),
            rare("cold_start"),
        ],
        of_class: &[Measure { name: "milliseconds", unit: "Milliseconds", has_zeros: true }],
    },
    Line {
        message: "watch",
        measures: &[
            // The watch must be heard even if all is well: its silence is an alarm.
            Measure { name: "unseen", unit: "Count", has_zeros: true },
            rare("brakes_on"),
            rare("seats_full"),
            rare("tokens_ending"),
        ],
        of_class: &[],
    },
];

/// The fields that are dimensions. None of them has personal data, and each has few values: the
/// class of a status, eight methods, and the endpoints without ids.
pub const DIMENSIONS: [&str; 3] = ["class", "method", "route"];

/// Something that is counted when it happens, for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// The brake stopped a deactivation, because too many users of a tenant were deactivated.
    BrakeTripped,
    /// A record of the table's stream could not be read, so that the product was told only that.
    EventUnshaped,
    /// Secrets Manager did not answer for a token.
    SecretsFailed,
}

impl Counter {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BrakeTripped, Self::EventUnshaped, Self::SecretsFailed];

    /// Its name in CloudWatch.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BrakeTripped => "BrakeTripped",
            Self::EventUnshaped => "EventUnshaped",
            Self::SecretsFailed => "SecretsFailed",
        }
    }
}

/// How often something counts that does not pass by itself. An alarm that waits for three failures
/// is raised at once.
pub const LASTING: u32 = 3;

/// Counts one for a tenant: a warning in the log, which is a metric too.
pub(crate) fn count(counter: Counter, tenant: &str) {
    tracing::warn!(metric = counter.as_str(), times = 1, tenant, "metric");
}

/// Counts [`LASTING`] for a tenant: this does not pass by itself.
pub(crate) fn count_lasting(counter: Counter, tenant: &str) {
    tracing::warn!(metric = counter.as_str(), times = LASTING, tenant, "metric");
}

impl Metrics {
    /// Adds to a line what makes it a metric, if lines of its kind are.
    pub(super) fn add(&self, line: &mut Map<String, Value>, milliseconds: u64) {
        let Some(namespace) = &self.namespace else { return };
        if let Some(counter) = counter_of(line) {
            let times = line.get("times").cloned().unwrap_or_else(|| 1.into());
            line.insert(counter.as_str().to_owned(), times);
        }
        let directive = |(dimensions, measures): (Value, Vec<Measure>)| {
            let metrics = measures.iter().map(|one| json!({ "Name": one.name, "Unit": one.unit }));
            let metrics: Vec<Value> = metrics.collect();
            json!({ "Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics })
        };
        let measured = self.measured(line).into_iter().filter(|(_, measures)| !measures.is_empty());
        let directives: Vec<Value> = measured.map(directive).collect();
        if !directives.is_empty() {
            let directives = json!({ "Timestamp": milliseconds, "CloudWatchMetrics": directives });
            line.insert("_aws".to_owned(), directives);
        }
    }

    /// What a line measures, each with its sets of dimensions.
    fn measured(&self, line: &Map<String, Value>) -> Vec<(Value, Vec<Measure>)> {
        let whole = json!([[]]);
        if let Some(counter) = counter_of(line) {
            return vec![(whole, vec![rare(counter.as_str())])];
        }
        let message = line.get("message").and_then(Value::as_str);
        let Some(kind) = LINES.iter().find(|kind| message == Some(kind.message)) else {
            return Vec::new();
        };
        // What a stranger sends must not make metrics.
        let classes = if self.routes && line.contains_key("key") {
            json!([["class"], ["class", "method", "route"]])
        } else {
            json!([["class"]])
        };
        vec![(whole, present(line, kind.measures)), (classes, present(line, kind.of_class))]
    }
}

/// Those of the measures that a line has.
fn present(line: &Map<String, Value>, measures: &[Measure]) -> Vec<Measure> {
    let has = |measure: &&Measure| {
        line.get(measure.name).is_some_and(|value| measure.has_zeros || *value != 0)
    };
    measures.iter().filter(has).copied().collect()
}

/// What a line counts.
fn counter_of(line: &Map<String, Value>) -> Option<Counter> {
    let name = line.get("metric")?.as_str()?;
    Counter::ALL.into_iter().find(|counter| counter.as_str() == name)
}
