//! Tries of a change that others make at the same time.

use std::time::Duration;

use super::deployment::Operator;
use super::error::OperatorError;
use crate::auth::secrets_manager::Version;
use crate::random;
use crate::store::StoreError;

/// How often a change is tried.
pub(super) const TRIES: u32 = 30;
/// The longest pause after the first try. It doubles with each further one.
const FIRST: Duration = Duration::from_millis(20);
/// The longest pause.
const MAX: Duration = Duration::from_secs(1);

/// How often a call of the table that did not answer is sent again by work that takes long.
const PATIENT_TRIES: u32 = 12;
/// The longest pause between these tries.
const PATIENT_MAX: Duration = Duration::from_secs(15);

/// Waits before a try, except before the first one, which has number 0. The pauses differ at
/// random, so that two operators do not meet again.
pub(super) async fn before(attempt: u32) {
    if attempt == 0 {
        return;
    }
    let longest = FIRST.saturating_mul(1 << (attempt - 1).min(16)).min(MAX);
    let random = random::bytes::<4>().map(u32::from_le_bytes).unwrap_or(u32::MAX / 2);
    tokio::time::sleep(longest.mul_f64(f64::from(random) / f64::from(u32::MAX))).await;
}

impl Operator {
    /// Tries work until it is done, which `Some` says; `None` after the last try. An error that the
    /// operator can mend is followed by another try.
    pub(super) async fn tried<T>(
        &self,
        mut work: impl AsyncFnMut() -> Result<Option<T>, OperatorError>,
    ) -> Result<Option<T>, OperatorError> {
        for attempt in 0..TRIES {
            before(attempt).await;
            // The SDK's futures are large. Boxing this one keeps those above it small.
            match Box::pin(work()).await {
                Ok(Some(done)) => return Ok(Some(done)),
                Ok(None) => {}
                Err(error) => self.recover(error).await?,
            }
        }
        Ok(None)
    }

    /// Sends a call of the table again while the table does not answer, for about two minutes.
    pub(super) async fn patiently<T>(
        &self,
        work: impl AsyncFn() -> Result<T, StoreError>,
    ) -> Result<T, OperatorError> {
        let mut longest = FIRST * 10;
        for _ in 1..PATIENT_TRIES {
            match Box::pin(work()).await {
                Err(StoreError::Unavailable(_) | StoreError::Throttled(_)) => {}
                other => return Ok(other?),
            }
            self.pause.wait(longest).await;
            longest = (longest * 2).min(PATIENT_MAX);
        }
        Ok(Box::pin(work()).await?)
    }
}

/// How often each version of a secret was to be replaced.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    last: Option<(Version, u32)>,
}

impl Attempts {
    /// The number of the attempt to replace a version; the first one is 0.
    pub(super) fn next(&mut self, version: Option<&Version>) -> u32 {
        let Some(version) = version else { return 0 };
        let number = match &self.last {
            Some((last, number)) if last == version => number + 1,
            _ => 0,
        };
        self.last = Some((version.clone(), number));
        number
    }
}
