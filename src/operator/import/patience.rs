//! An import waits while DynamoDB throttles, for as long as that lasts: a table that grows with its
//! load needs minutes, and nothing is lost meanwhile.

use std::time::Duration;

use super::context::Import;
use super::report::Line;
use crate::operator::error::OperatorError;
use crate::random;
use crate::store::StoreError;

/// The longest pause after the first throttle. It doubles with each further one of the same call.
const FIRST: Duration = Duration::from_millis(500);
/// The longest pause.
const MAX: Duration = Duration::from_secs(20);

/// What an import tells while it runs.
#[derive(Debug)]
pub enum Progress<'r> {
    /// The outcome for further records, which is final.
    Done(&'r [Line]),
    /// DynamoDB throttled a call, which is sent again after this pause.
    Throttled(Duration),
}

impl Import {
    /// Sends calls again while DynamoDB throttles them. A call that was throttled wrote nothing.
    pub(super) async fn past_throttles<T>(
        &self,
        progress: &impl Fn(Progress<'_>),
        work: impl AsyncFn() -> Result<T, OperatorError>,
    ) -> Result<T, OperatorError> {
        let mut longest = FIRST;
        loop {
            // The SDK's futures are large. Boxing this one keeps those above it small.
            match Box::pin(work()).await {
                Err(OperatorError::Store(StoreError::Throttled(_))) => {}
                other => return other,
            }
            let pause = drawn(longest);
            progress(Progress::Throttled(pause));
            self.pause.wait(pause).await;
            longest = (longest * 2).min(MAX);
        }
    }
}

/// A pause drawn at random from the second half of `longest`, so that calls that were throttled
/// together do not meet again.
fn drawn(longest: Duration) -> Duration {
    let random = random::bytes::<4>().map(u32::from_le_bytes).unwrap_or(u32::MAX / 2);
    longest.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}
