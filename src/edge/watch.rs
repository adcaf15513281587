//! The watch: once in a while the function looks at all tenants, because no request says that a
//! brake is still on or that a token is about to end. Its line is what the alarms go by.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::service::Service;
use crate::budget::{self, Limits};
use crate::operator::watch::{Finding, Watch};

/// Whether a schedule sent this event.
pub(super) fn is_due(event: &Value) -> bool {
    event.get("scim").is_some_and(|what| what == "watch")
}

impl Service {
    /// Looks at all tenants until then, and logs what an operator should know. Returns the numbers
    /// of the line.
    ///
    /// It never fails, because a failed invocation would take a release back, and nothing would say
    /// that the tenants were not seen.
    pub async fn watch(&self, until: Instant) -> Value {
        let began = Instant::now();
        let work = Box::pin(self.operator.watch(until));
        let (watch, tally) = budget::counted(Limits::NONE, work).await;
        let Watch { seen, unseen, .. } = watch;
        let [brakes_on, seats_full, tokens_ending] =
            [Finding::BrakeOn, Finding::SeatsFull, Finding::TokenEnding]
                .map(|finding| watch.count(finding));
        tracing::info!(
            tenants = seen,
            unseen,
            brakes_on,
            seats_full,
            tokens_ending,
            milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            calls = tally.calls,
            read_units = tally.read_units,
            "watch"
        );
        json!({
            "tenants": seen, "unseen": unseen, "brakes_on": brakes_on, "seats_full": seats_full,
            "tokens_ending": tokens_ending,
        })
    }
}
