//! Work that takes CPU time is done in stints. Between two stints other tasks run, and the deadline
//! is checked.

use crate::budget;

/// The longest stint, in bytes of documents that are parsed or written: a few hundredths of a
/// second.
const MAX_BYTES: usize = 1_000_000;
/// The work of a comparison, in the same unit.
const BYTES_OF_A_COMPARISON: usize = 10;

/// The work since other tasks could last run.
#[derive(Debug)]
pub(super) struct Stint {
    bytes: usize,
    /// How many comparisons the request had left when the stint began.
    comparisons: usize,
}

impl Stint {
    pub(super) fn begin() -> Self {
        Self { bytes: 0, comparisons: budget::comparisons() }
    }

    /// Adds work on documents of this many bytes, and the comparisons that were made in the
    /// meantime. Ends the stint if that is enough.
    pub(super) async fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        let compared = self.comparisons.saturating_sub(budget::comparisons());
        if self.bytes + compared * BYTES_OF_A_COMPARISON > MAX_BYTES {
            tokio::task::yield_now().await;
            *self = Self::begin();
        }
    }
}
