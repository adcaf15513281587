//! The condition on a resource's row, for each possible change.

use crate::store::engine::error::StoreError;
use crate::store::engine::item::{number, text, version};
use crate::store::engine::transaction::{Condition, Values};
use crate::store::model::change::{Target, Transition};
use crate::store::model::stage::Stage;
use crate::store::model::stored::Stored;
use crate::store::rows::pointers::unheld;
use crate::store::rows::resource::{LIVE, UNMANAGED};

/// The condition on the resource's row. It depends on the state that was read and on the target
/// state.
///
/// A user who has expired is removed under another condition, on its due row
/// ([`crate::store::Store::expire`]).
///
/// # Errors
/// [`StoreError::Broken`] for a change that is not possible.
pub(crate) fn condition(transition: &Transition<'_>) -> Result<Condition, StoreError> {
    let now = transition.audit.now;
    match (transition.from.map(|from| (from.state, from)), &transition.to) {
        (None, Target::Live(_)) => Ok(unheld(now)),
        (Some((Stage::Live, from)), Target::Live(_)) => Ok(unchanged(from, now)),
        (Some((Stage::Live, from)), Target::Deleted { .. } | Target::Gone) => Ok(as_seen(from)),
        (Some((Stage::Deleted, from)), Target::Live(_)) => Ok(absent_or_as_seen(from)),
        (Some((Stage::Unmanaged, from)), Target::Live(_) | Target::Gone) => Ok(unmanaged(from)),
        (None, Target::Deleted { .. } | Target::Gone)
        | (Some((Stage::Deleted | Stage::Unmanaged, _)), Target::Deleted { .. })
        | (Some((Stage::Deleted, _)), Target::Gone) => Err(impossible()),
    }
}

/// The error for a change that is not possible.
pub(crate) fn impossible() -> StoreError {
    StoreError::broken("a resource cannot change in this way")
}

/// The resource is as it was read and its time has not come.
fn unchanged(from: &Stored, now: i64) -> Condition {
    let mut values = seen(from);
    values.extend([(":live", text(LIVE)), (":now", number(now))]);
    Condition("v = :seen AND st = :live AND (attribute_not_exists(x) OR x > :now)", values)
}

/// The resource is as it was read, and in no group unless it was in one then.
fn as_seen(from: &Stored) -> Condition {
    let expression = if from.grouped {
        "v = :seen AND st = :live"
    } else {
        "v = :seen AND st = :live AND attribute_not_exists(g)"
    };
    let mut values = seen(from);
    values.push((":live", text(LIVE)));
    Condition(expression, values)
}

/// The deleted user is as it was read, or TTL has removed the row.
fn absent_or_as_seen(from: &Stored) -> Condition {
    Condition("attribute_not_exists(p) OR v = :seen", seen(from))
}

/// The imported user is as it was read, and not provisioned.
fn unmanaged(from: &Stored) -> Condition {
    let mut values = seen(from);
    values.push((":unmanaged", text(UNMANAGED)));
    Condition("v = :seen AND st = :unmanaged", values)
}

fn seen(from: &Stored) -> Values {
    vec![(":seen", version(from.row_version))]
}
