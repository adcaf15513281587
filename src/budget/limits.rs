//! The limits of a request, and what individual reads can take.

/// Most DynamoDB calls of a request.
pub const MAX_CALLS: u32 = 1_200;
/// Maximum number of read units of a request.
pub const MAX_READ_UNITS: u32 = 5_000;
/// Maximum number of comparisons of a short value that filters make in a request: about a second of
/// CPU time.
pub const MAX_COMPARISONS: usize = 10_000_000;
/// Maximum number of comparisons for one resource, which is judged in one go.
pub const MAX_COMPARISONS_OF_A_RESOURCE: usize = 300_000;
/// Maximum number of calls of one request that remove the rows that deleted groups left. These
/// calls have separate limits.
pub const MAX_TIDYING_CALLS: u32 = 5_000;

/// Calls that reads leave for writes, so that a write can be made once it is decided on.
pub(super) const CALLS_OF_WRITES: u32 = 100;
/// Read units of the largest answer to a query: DynamoDB returns at most a megabyte.
pub(crate) const QUERY_UNITS: u32 = 257;
/// Read units of the largest row.
pub(crate) const ROW_UNITS: u32 = 25;
/// Read units of the largest group with its heads.
pub(crate) const GROUP_UNITS: u32 = ROW_UNITS + 3;
/// Rows of members and memberships in a read unit, at least: each has at most 512 bytes.
pub(crate) const SMALL_ROWS_IN_A_UNIT: usize = 8;

/// Maximum number of read units of a query that returns this number of rows of members or
/// memberships.
pub(crate) fn units_of_small_rows(rows: usize) -> usize {
    (rows / SMALL_ROWS_IN_A_UNIT + 1).min(QUERY_UNITS as usize)
}

/// What a piece of work may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Calls.
    pub calls: u32,
    /// Read units.
    pub read_units: u32,
}

impl Limits {
    /// No limits: what the work takes is only counted.
    pub const NONE: Self = Self { calls: u32::MAX, read_units: u32::MAX };
    /// The limits of a request.
    pub const REQUEST: Self = Self { calls: MAX_CALLS, read_units: MAX_READ_UNITS };
    /// The limits of removing the rows that deleted groups left.
    pub const TIDYING: Self = Self { calls: MAX_TIDYING_CALLS, read_units: 2 * MAX_READ_UNITS };
    /// The share of its own limits that a request spends on work that earlier requests left, before
    /// its own.
    pub const SHARE_OF_TIDYING: Self = Self { calls: 300, read_units: 1_000 };
}
