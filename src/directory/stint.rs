//! Work that takes CPU time goes in stints: between two of them others go on, and the deadline is
//! looked at.

use crate::budget;

/// What a stint takes at most, in bytes of documents that are understood or written: some
/// hundredths of a second.
const MAX_BYTES: usize = 1_000_000;
/// What a comparison takes, in such bytes.
const BYTES_OF_A_COMPARISON: usize = 10;

/// The work since others could last go on.
#[derive(Debug)]
pub(super) struct Stint {
    bytes: usize,
    /// The comparisons that were left as the stint began.
    comparisons: usize,
}

impl Stint {
    pub(super) fn begin() -> Self {
        Self { bytes: 0, comparisons: budget::comparisons() }
    }

    /// Adds work on documents of these many bytes, and the comparisons that were made meanwhile;
    /// ends the stint if that is enough.
    pub(super) async fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        let compared = self.comparisons.saturating_sub(budget::comparisons());
        if self.bytes + compared * BYTES_OF_A_COMPARISON > MAX_BYTES {
            tokio::task::yield_now().await;
            *self = Self::begin();
        }
    }
}
