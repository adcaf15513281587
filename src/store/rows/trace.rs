//! The attributes in which a row tells what wrote it, for the event that the product hears. A row
//! that is removed cannot tell: the actor of its removal is unknown.

use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key, Row, number, text, version};
use crate::store::engine::transaction::Transaction;
use crate::store::model::audit::{Audit, Detail, Operation};
use crate::store::model::trace::Trace;

/// The change that wrote the row: an [`Operation`], and after dots the words of a [`Detail`].
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
    let words = std::iter::once(audit.operation.as_str()).chain(audit.detail.words());
    words.collect::<Vec<_>>().join(".")
}

/// What a row tells.
pub(crate) fn read(row: &Item) -> Trace {
    let mut words = row.text(EVENT).unwrap_or_default().split('.');
    Trace {
        operation: words.next().and_then(Operation::of),
        detail: Detail::of(words),
        actor: row.text(ACTOR).map(str::to_owned),
        request: row.text(REQUEST).map(str::to_owned),
    }
}

/// Adds the touch of a row by a resync: of a resource in this version that has not expired, or of a
/// membership. `index` tells the row in a refusal.
pub(crate) fn touch(
    transaction: &mut Transaction<usize>,
    index: usize,
    (key, seen): (&Key, Option<u64>),
    resync: &str,
    now: i64,
) -> Result<(), StoreError> {
    let mut values = vec![(":rs", text(resync))];
    let condition = match seen {
        None => "attribute_exists(p)",
        Some(seen) => {
            values.extend([(":seen", version(seen)), (":now", number(now))]);
            "v = :seen AND (attribute_not_exists(x) OR x > :now)"
        }
    };
    transaction.update(index, key.clone(), "SET rs = :rs", values, condition)
}
