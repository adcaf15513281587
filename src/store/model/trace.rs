//! What a changed row tells about its last change.

use super::audit::{Detail, Operation};

/// What a row tells about the change that wrote it, for the event that the product hears.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The kind of change, and what more there is to say about it; `None` if the row does not tell,
    /// or an unknown release wrote it.
    pub operation: Option<Operation>,
    /// What more there is to say about it.
    pub detail: Option<Detail>,
    /// A token's id, `operator`, or `expiry`.
    pub actor: Option<String>,
    /// The id of the request.
    pub request: Option<String>,
}
