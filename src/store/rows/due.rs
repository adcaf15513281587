//! When visible users expire: one row for each, in order of time. One read finds the users who have
//! expired, so that they leave lists and counts at the right moment.

use scim_core::ResourceId;

use super::identity::{self, about};
use super::kind::RowKind;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key};
use crate::store::model::collection::Collection;
use crate::store::model::stored::Stored;

/// A sort key before that of every due row.
pub(crate) const FIRST: &str = "0";

/// The key of the row of a user who expires at this time, in seconds since 1970.
pub(crate) fn key(collection: &Collection, expires: i64, id: &ResourceId) -> Key {
    let s = format!("{}#{}", moment(expires), collection.key(id));
    Key::new(collection.tenant.due(), s)
}

/// Adds the row of a user who expires at this time, in seconds since 1970.
pub(crate) fn set(
    transaction: &mut Transaction,
    collection: &Collection,
    expires: i64,
    id: &ResourceId,
) -> Result<(), StoreError> {
    let row = RowKind::Due.row(key(collection, expires, id));
    transaction.set(Role::Other, about(row, id), &[], None)
}

/// A sort key after those of all users who expire up to this time, in seconds since 1970.
pub(crate) fn end(now: i64) -> String {
    format!("{}~", moment(now))
}

/// The second and the user that a row names.
pub(crate) fn read(row: &Item) -> Result<(i64, ResourceId), StoreError> {
    let parts = row.s().split_once('#');
    let parts = parts.and_then(|(moment, id)| Some((moment.parse().ok()?, id)));
    let (moment, in_key) = parts.ok_or_else(|| StoreError::broken("a due row names no time"))?;
    Ok((moment, identity::id(row, in_key)?))
}

/// Adds the removal of the due row of a visible user who would expire.
pub(crate) fn remove(
    transaction: &mut Transaction,
    collection: &Collection,
    from: &Stored,
) -> Result<(), StoreError> {
    match from.due() {
        Some(expires) => {
            transaction.delete(Role::Other, key(collection, expires, &from.resource.id), None)
        }
        None => Ok(()),
    }
}

/// Seconds as text that sorts in order of time.
fn moment(seconds: i64) -> String {
    format!("{seconds:012}")
}
