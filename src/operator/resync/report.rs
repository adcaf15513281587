//! What a resync has done.

use crate::store::ResyncCounts;

/// A resync that has finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResyncReport {
    /// Its id, which its snapshots carry.
    pub id: String,
    /// How many rows it has touched.
    pub counts: ResyncCounts,
    /// How many of the ids in its scope are not in the directory.
    pub missing: u64,
    /// Whether it continued one that had been interrupted.
    pub is_continued: bool,
}

/// How far a resync has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResyncProgress {
    /// How many rows it has touched.
    pub touched: u64,
    /// How many it expects to touch, as far as it knows; at least those that it has touched.
    pub expected: u64,
}
