//! How resources are removed: users softly, with an expiry on every row, and all others at once.

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Key, number, text};
use crate::store::engine::time::instant;
use crate::store::engine::transaction::Condition;
use crate::store::model::change::Transition;
use crate::store::model::departure::Departure;
use crate::store::model::stage::Stage;
use crate::store::model::stored::Stored;
use crate::store::rows::due;
use crate::store::rows::pointers::{self, OWN, absent_or_own, is_own, own};
use crate::store::rows::resource::{self, DELETED, OPTIONAL, departed, marked};
use crate::store::rows::role::{Role, Transaction};
use crate::store::rows::unfinished::{self, Cause, Work};

impl Store {
    /// Adds the removal of a row that led to a resource, if the row still leads to it: another
    /// resource may have taken the name in the meantime. One call.
    pub(in crate::store) async fn remove_if_own(
        &self,
        transaction: &mut Transaction,
        key: Key,
        id: &ResourceId,
    ) -> Result<(), StoreError> {
        if self.get(key.clone()).await?.is_some_and(|row| is_own(&row, id)) {
            transaction.delete(Role::Other, key, Some(absent_or_own(id)))?;
        }
        Ok(())
    }
}

/// Adds the soft deletion of a user: the user, its claim and its pointers get an expiry, in seconds
/// since 1970, and the user keeps these attributes. Memberships that the user may have are recorded
/// as unfinished work.
pub(crate) fn delete_softly(
    transaction: &mut Transaction,
    transition: &Transition<'_>,
    from: &Stored,
    (kept, expires): (&Attributes, i64),
    condition: Condition,
) -> Result<(), StoreError> {
    let Transition { collection, audit, .. } = transition;
    let mut user = from.resource.clone();
    user.attributes = kept.clone();
    user.meta.version = user.meta.version.next();
    user.meta.last_modified = instant(audit.milliseconds)?;
    let row_version = from.row_version + 1;
    let row = resource::row(collection, &user, row_version, (&from.names, &from.keys), audit)?;
    // A restore by the operator may not have brought the user back into all groups yet.
    let earlier = from.departure.map(|departure| *departure.versions().start());
    let departure = Departure { version: row_version, standing: from.standing(), earlier };
    let row = departed(marked(row, Stage::Deleted, Some(expires)), Some(departure));
    transaction.set(Role::Resource, row, &OPTIONAL, Some(condition))?;
    for key in pointers::keys(collection, from) {
        let own = (":id", text(user.id.as_str()));
        let values = vec![(":x", number(expires)), (":deleted", text(DELETED)), own];
        transaction.update(Role::Other, key, "SET x = :x, st = :deleted", values, OWN)?;
    }
    due::remove(transaction, collection, from)?;
    leave_unfinished(transaction, transition, from)
}

/// Adds the removal of a resource and of the rows that lead to it. Memberships and members that it
/// may have are recorded as unfinished work.
pub(crate) fn delete(
    transaction: &mut Transaction,
    transition: &Transition<'_>,
    from: &Stored,
    condition: Condition,
) -> Result<(), StoreError> {
    let collection = transition.collection;
    let id = &from.resource.id;
    transaction.delete(Role::Resource, resource::key(collection, id), Some(condition))?;
    for key in pointers::keys(collection, from) {
        transaction.delete(Role::Other, key, Some(own(id)))?;
    }
    due::remove(transaction, collection, from)?;
    leave_unfinished(transaction, transition, from)
}

/// Records that memberships must still be ended, if there may be any.
fn leave_unfinished(
    transaction: &mut Transaction,
    transition: &Transition<'_>,
    from: &Stored,
) -> Result<(), StoreError> {
    if !from.leaves_rows() {
        return Ok(());
    }
    let work = Work { cause: Cause::Deletion, deletion: transition.soft_deletion() };
    let (id, now) = (&from.resource.id, transition.audit.now);
    unfinished::begin(transaction, transition.collection, id, work, now)
}
