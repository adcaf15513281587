//! How resources go: users softly, with an expiry on every row; all others at once.

use scim_core::resource::Attributes;

use super::item::Row;
use super::keys::Collection;
use super::log::Audit;
use super::resources::{self, GROUPED, State, Stored};
use super::transaction::{Condition, Role, Transaction, number, text};
use super::transition::Transition;
use super::unfinished::{self, Cause};
use super::{StoreError, due};

const OWN: &str = "i = :id";

/// Adds the soft deletion of a user: the user, its claim and its pointers get an expiry, in seconds
/// since 1970, and the user keeps these attributes. Memberships that it may have are noted as
/// unfinished.
pub(super) fn delete_softly(
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
    user.meta.last_modified = resources::instant(audit.milliseconds)?;
    let row =
        resources::row(collection, &user, from.row_version + 1, &from.names, &from.keys, audit)?;
    let row = row.text("st", "deleted").number("x", expires);
    let row = if from.grouped { row.flag(GROUPED, true) } else { row };
    transaction.put(Role::Resource, row, Some(condition))?;
    for (p, s) in pointers(collection, from) {
        let own = (":id", text(user.id.as_str()));
        let values = vec![(":x", number(expires)), (":deleted", text("deleted")), own];
        transaction.update(
            Role::Other,
            Row::new(&p, &s),
            "SET x = :x, st = :deleted",
            values,
            Some(OWN),
        )?;
    }
    undue(transaction, collection, from)?;
    leave_unfinished(transaction, collection, from, audit)
}

/// Adds the removal of a resource and of the rows that lead to it. Memberships and members that it
/// may have are noted as unfinished.
pub(super) fn delete(
    transaction: &mut Transaction,
    transition: &Transition<'_>,
    from: &Stored,
    condition: Condition,
) -> Result<(), StoreError> {
    let Transition { collection, audit, .. } = transition;
    let id = &from.resource.id;
    let row = Row::new(&collection.rows(), &collection.key(id));
    transaction.delete(Role::Resource, row, Some(condition))?;
    for (p, s) in pointers(collection, from) {
        let own = Condition(OWN, vec![(":id", text(id.as_str()))]);
        transaction.delete(Role::Other, Row::new(&p, &s), Some(own))?;
    }
    undue(transaction, collection, from)?;
    leave_unfinished(transaction, collection, from, audit)
}

/// Notes that memberships are still to be ended, if there may be any.
fn leave_unfinished(
    transaction: &mut Transaction,
    collection: &Collection,
    old: &Stored,
    audit: &Audit,
) -> Result<(), StoreError> {
    match old.leaves_rows() {
        true => unfinished::begin(
            transaction,
            &collection.tenant,
            (&collection.kind, &old.resource.id),
            Cause::Deletion,
            audit,
        ),
        false => Ok(()),
    }
}

/// Takes back the notice of when a visible user expires.
fn undue(
    transaction: &mut Transaction,
    collection: &Collection,
    old: &Stored,
) -> Result<(), StoreError> {
    match old.expires.filter(|_| old.state == State::Live) {
        Some(expires) => {
            transaction.delete(Role::Other, due::row(collection, expires, &old.resource.id), None)
        }
        None => Ok(()),
    }
}

/// The rows that lead to a resource.
pub(super) fn pointers(collection: &Collection, old: &Stored) -> Vec<(String, String)> {
    let mut pointers = Vec::new();
    pointers.extend(old.keys.claim.clone().map(|key| (collection.rows(), key)));
    pointers
        .extend(old.keys.external_id.clone().map(|key| (collection.tenant.external_ids(), key)));
    pointers
        .extend(old.keys.unique.iter().map(|key| (collection.tenant.unique_values(), key.clone())));
    let emails = old.names.emails.iter();
    pointers.extend(
        emails.map(|email| (collection.tenant.emails(), collection.email(email, &old.resource.id))),
    );
    pointers
}
