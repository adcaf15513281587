//! The watch: once in a while the function looks at all tenants, because no request says that a
//! brake is still on or that a token is about to end. Its line is what the alarms go by.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::service::Service;
use crate::operator::watch::{Finding, Watch};

/// Whether a schedule sent this event.
pub(super) fn is_due(event: &Value) -> bool {
    event.get("scim").is_some_and(|what| what == "watch")
}

impl Service {
    /// Looks at all tenants until then, and logs what an operator should know. Returns the numbers
    /// of the line.
    ///
    /// # Errors
    /// If the list of tenants cannot be read. The next watch is a new try.
    pub async fn watch(&self, until: Instant) -> Result<Value, lambda_http::Error> {
        let watch = Box::pin(self.operator.watch(until)).await?;
        for (tenant, finding) in &watch.findings {
            tracing::warn!(%tenant, finding = finding.word(), "finding");
        }
        let Watch { seen, unseen, .. } = watch;
        let [brakes_on, seats_full, tokens_ending, unreadable] =
            [Finding::BrakeOn, Finding::SeatsFull, Finding::TokenEnding, Finding::Unreadable]
                .map(|finding| watch.count(finding));
        tracing::info!(
            tenants = seen,
            unseen = unseen + unreadable,
            brakes_on,
            seats_full,
            tokens_ending,
            "watch"
        );
        Ok(json!({
            "tenants": seen, "unseen": unseen + unreadable, "brakes_on": brakes_on,
            "seats_full": seats_full, "tokens_ending": tokens_ending,
        }))
    }
}
