//! What a write must not break, in addition to its conditions.

use std::time::Duration;

/// The limits of a profile that a write must keep. The default has none of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guards {
    /// Whether each active user takes one of a limited number of seats.
    pub seats: bool,
    /// Whether two users may not have the same externalId.
    pub unique_external_id: bool,
    /// The window in which deactivations are counted; `None` without a brake.
    pub brake_window: Option<Duration>,
}
