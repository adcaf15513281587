//! The progress of removing many rows.

use tokio::time::Instant;

use crate::budget;
use crate::store::engine::ranges::MAX_PARTS;

/// Calls of one part, and of the parts that run in parallel.
const CALLS_OF_A_PART: usize = 2 * MAX_PARTS;

/// The progress of removing rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// No rows are left.
    Done,
    /// Some rows are left.
    Unfinished,
}

/// What is recorded with the removal of the last rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// That the resource no longer has unfinished work.
    Finished,
    /// Nothing: no row says that its work was unfinished, or another step notes it.
    Nothing,
}

/// Whether the time is up or the request has too few calls left for another step.
pub(crate) fn must_stop(until: Instant) -> bool {
    Instant::now() >= until || !budget::left().suffices(CALLS_OF_A_PART, 0)
}
