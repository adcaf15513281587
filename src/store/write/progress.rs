//! How far the removal of many rows has come.

use tokio::time::Instant;

use crate::budget;
use crate::store::engine::ranges::MAX_PARTS;

/// Calls of one part, and of the parts that run in parallel.
const CALLS_OF_A_PART: usize = 2 * MAX_PARTS;

/// How far the removal of rows has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// No rows are left.
    Done,
    /// Some rows are left.
    Unfinished,
}

/// What is noted with the last rows that are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// That the resource has no unfinished work any more.
    Finished,
    /// Nothing: no row says that its work was unfinished, or another step notes it.
    Nothing,
}

/// Whether the time is up or the request has too few calls left for another step.
pub(crate) fn must_stop(until: Instant) -> bool {
    Instant::now() >= until || !budget::left().suffices(CALLS_OF_A_PART, 0)
}
