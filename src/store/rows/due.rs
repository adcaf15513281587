//! When visible users expire: one row for each, in order of time. One read finds the users who have
//! expired, so that they leave lists and counts at the right moment.

use scim_core::ResourceId;

use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Row};
use crate::store::model::collection::Collection;
use crate::store::model::stored::Stored;

/// A sort key before that of every due row.
pub(crate) const FIRST: &str = "0";

/// The row of a user who expires at this time, in seconds since 1970.
pub(crate) fn row(collection: &Collection, expires: i64, id: &ResourceId) -> Row {
    Row::new(&collection.tenant.due(), &format!("{}#{id}", moment(expires)))
}

/// A sort key after those of all users who expire up to this time, in seconds since 1970.
pub(crate) fn end(now: i64) -> String {
    format!("{}~", moment(now))
}

/// The second and the user that a row names.
pub(crate) fn read(row: &Item) -> Result<(i64, ResourceId), StoreError> {
    let parts = row.s().split_once('#');
    parts
        .and_then(|(moment, id)| Some((moment.parse().ok()?, id.parse().ok()?)))
        .ok_or_else(|| StoreError::broken("a due row names no user"))
}

/// Adds the removal of the due row of a visible user who would expire.
pub(crate) fn remove(
    transaction: &mut Transaction,
    collection: &Collection,
    from: &Stored,
) -> Result<(), StoreError> {
    match from.due() {
        Some(expires) => {
            transaction.delete(Role::Other, row(collection, expires, &from.resource.id), None)
        }
        None => Ok(()),
    }
}

/// Seconds as text that sorts in order of time.
fn moment(seconds: i64) -> String {
    format!("{seconds:012}")
}
