//! The attributes in which a row tells what wrote it, for the event that the product hears. A row
//! that is removed cannot tell: the actor of its removal is unknown.

use crate::store::engine::item::{Item, Row};
use crate::store::model::audit::{Audit, Detail, Operation};
use crate::store::model::trace::Trace;

/// The change that wrote the row: an [`Operation`], and after a dot a [`Detail`].
pub(crate) const EVENT: &str = "ev";
/// A token's id, `operator`, or `expiry`.
pub(crate) const ACTOR: &str = "ac";
/// The id of the request.
pub(crate) const REQUEST: &str = "rq";
/// The id of the resync that touched the row last.
pub(crate) const RESYNC: &str = "rs";

/// A row with what an audit says.
pub(crate) fn traced(row: Row, audit: &Audit) -> Row {
    row.text(EVENT, &event(audit)).text(ACTOR, &audit.actor).text(REQUEST, &audit.request_id)
}

fn event(audit: &Audit) -> String {
    let operation = audit.operation.as_str();
    audit
        .detail
        .map_or_else(|| operation.to_owned(), |detail| format!("{operation}.{}", detail.as_str()))
}

/// What a row tells.
pub(crate) fn read(row: &Item) -> Trace {
    let event = row.text(EVENT).unwrap_or_default();
    let (operation, detail) = event.split_once('.').unwrap_or((event, ""));
    Trace {
        operation: Operation::of(operation),
        detail: Detail::of(detail),
        actor: row.text(ACTOR).map(str::to_owned),
        request: row.text(REQUEST).map(str::to_owned),
    }
}
