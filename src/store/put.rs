//! The rows of a resource: its own, and those that lead to it.

use scim_core::ResourceId;

use super::item::Row;
use super::keys::Collection;
use super::log::Audit;
use super::resources::{self, GROUPED, Keys, Names, State, Stored};
use super::transaction::{Condition, Role, Transaction, number, text};
use super::transition::{ResourceWrite, Transition};
use super::{StoreError, due};

/// A row that no resource holds: there is none, or it has expired.
const UNHELD: &str = "attribute_not_exists(p) OR x <= :now";
/// As [`UNHELD`]; a row that the resource itself left behind is free too.
const UNHELD_OR_OWN: &str = "attribute_not_exists(p) OR x <= :now OR i = :id";
/// As [`UNHELD_OR_OWN`], or the holder was deleted.
const UNHELD_DELETED_OR_OWN: &str =
    "attribute_not_exists(p) OR x <= :now OR i = :id OR st = :deleted";

/// A resource's row and those that lead to it, over the rows that it has already.
pub(super) struct Put<'a> {
    pub(super) collection: &'a Collection,
    pub(super) write: ResourceWrite<'a>,
    /// What the resource shall be.
    pub(super) state: State,
    /// The resource whose rows they replace.
    pub(super) from: Option<&'a Stored>,
    pub(super) audit: &'a Audit,
    pub(super) unique_external_id: bool,
}

impl<'a> Put<'a> {
    /// The rows of a transition's target; `from` is the resource without names that it has lost.
    pub(super) fn new(
        transition: &'a Transition<'a>,
        write: ResourceWrite<'a>,
        state: State,
        from: Option<&'a Stored>,
    ) -> Self {
        Self {
            collection: transition.collection,
            write,
            state,
            from,
            audit: transition.audit,
            unique_external_id: transition.guards.unique_external_id,
        }
    }

    /// Adds the rows; `condition` is that on the resource's own.
    pub(super) fn add(
        &self,
        transaction: &mut Transaction,
        condition: Condition,
    ) -> Result<(), StoreError> {
        let Self { collection, state, from, audit, .. } = *self;
        let ResourceWrite { resource, names, takeover, expires } = self.write;
        let beside = takeover.external_id && !self.unique_external_id;
        let keys = keys(collection, &resource.id, names, beside, from.and_then(owner));
        let row_version = from.map_or(1, |from| from.row_version + 1);
        let row = resources::row(collection, resource, row_version, names, &keys, audit)?;
        // A deleted user has left all groups before it comes back.
        let grouped = from.and_then(owner).is_some_and(|from| from.grouped);
        let row = if grouped { row.flag(GROUPED, true) } else { row };
        transaction.put(Role::Resource, marked(row, state, expires), Some(condition))?;
        // The due row of a visible user who expires.
        let before = from.filter(|from| from.state == State::Live).and_then(|from| from.expires);
        if before != expires {
            if let Some(due) = before {
                transaction.delete(Role::Other, due::row(collection, due, &resource.id), None)?;
            }
            if let Some(due) = expires {
                transaction.put(Role::Other, due::row(collection, due, &resource.id), None)?;
            }
        }
        self.lead(transaction, &keys)?;
        from.map_or(Ok(()), |from| leave(transaction, collection, from, names, &keys))
    }

    /// Adds the rows that lead to the resource. Those that stay as they are need not be written;
    /// all of them share its state and expiry.
    fn lead(&self, transaction: &mut Transaction, keys: &Keys) -> Result<(), StoreError> {
        let Self { collection, state, from, unique_external_id, .. } = *self;
        let ResourceWrite { resource, names, takeover, expires } = self.write;
        let id = &resource.id;
        let same =
            from.and_then(owner).filter(|from| from.state == state && from.expires == expires);
        let nothing = Keys::default();
        let held = same.map_or(&nothing, |old| &old.keys);
        let pointer =
            |p: &str, s: &str| marked(Row::new(p, s).text("i", id.as_str()), state, expires);
        let now = || (":now", number(self.audit.now));
        let own = || (":id", text(id.as_str()));
        let unheld_deleted_or_own =
            || Condition(UNHELD_DELETED_OR_OWN, vec![now(), own(), (":deleted", text("deleted"))]);
        if let Some(claim) = keys.claim.as_ref().filter(|claim| held.claim.as_ref() != Some(*claim))
        {
            let free = match takeover.name || from.is_some() {
                true => unheld_deleted_or_own(),
                false => Condition(UNHELD, vec![now()]),
            };
            transaction.put(Role::Claim, pointer(&collection.rows(), claim), Some(free))?;
        }
        if let Some(key) =
            keys.external_id.as_ref().filter(|key| held.external_id.as_ref() != Some(*key))
        {
            let free = match takeover.external_id && unique_external_id {
                true => unheld_deleted_or_own(),
                false => Condition(UNHELD_OR_OWN, vec![now(), own()]),
            };
            transaction.put(
                Role::ExternalId,
                pointer(&collection.tenant.external_ids(), key),
                Some(free),
            )?;
        }
        for (index, key) in
            keys.unique.iter().enumerate().filter(|(_, key)| !held.unique.contains(key))
        {
            let row = pointer(&collection.tenant.unique_values(), key);
            transaction.put(Role::Unique(index), row, Some(unheld_deleted_or_own()))?;
        }
        let emails = same.map_or(&[][..], |old| &old.names.emails);
        for email in names.emails.iter().filter(|email| !emails.contains(email)) {
            transaction.put(
                Role::Other,
                pointer(&collection.tenant.emails(), &collection.email(email, id)),
                None,
            )?;
        }
        Ok(())
    }
}

/// The resource as the owner of its names: a deleted user's may belong to others by now.
fn owner(old: &Stored) -> Option<&Stored> {
    Some(old).filter(|old| old.state != State::Deleted)
}

/// Removes the rows that led to a resource under names that it has no more.
fn leave(
    transaction: &mut Transaction,
    collection: &Collection,
    old: &Stored,
    names: &Names,
    keys: &Keys,
) -> Result<(), StoreError> {
    let id = &old.resource.id;
    let nothing = Keys::default();
    let owned = owner(old).map_or(&nothing, |old| &old.keys);
    let mut left = Vec::new();
    let gone = |old: &Option<String>, new: &Option<String>| {
        old.clone().filter(|key| Some(key) != new.as_ref())
    };
    // A claim is taken over as a whole or left to who took it.
    left.extend(gone(&owned.claim, &keys.claim).map(|key| (collection.rows(), key)));
    left.extend(
        gone(&old.keys.external_id, &keys.external_id)
            .map(|key| (collection.tenant.external_ids(), key)),
    );
    let unique = owned.unique.iter().filter(|key| !keys.unique.contains(key));
    left.extend(unique.map(|key| (collection.tenant.unique_values(), key.clone())));
    let emails = old.names.emails.iter().filter(|email| !names.emails.contains(email));
    left.extend(emails.map(|email| (collection.tenant.emails(), collection.email(email, id))));
    for (p, s) in left {
        let own = Condition("attribute_not_exists(p) OR i = :id", vec![(":id", text(id.as_str()))]);
        transaction.delete(Role::Other, Row::new(&p, &s), Some(own))?;
    }
    Ok(())
}

/// Where the names are to be held; an externalId that stays is held where it is.
fn keys(
    collection: &Collection,
    id: &ResourceId,
    names: &Names,
    beside: bool,
    old: Option<&Stored>,
) -> Keys {
    let same = old.filter(|old| old.names.external_id == names.external_id);
    let external_id = match (same, &names.external_id) {
        (Some(old), _) => old.keys.external_id.clone(),
        (None, Some(external_id)) => {
            let key = collection.external_id(external_id);
            // Its first owner holds the bare hash.
            Some(if beside { format!("{key}#{id}") } else { key })
        }
        (None, None) => None,
    };
    Keys {
        claim: names.name.as_ref().map(|name| collection.claim(name, names.shared.then_some(id))),
        external_id,
        unique: names
            .unique
            .iter()
            .map(|unique| collection.unique_value(&unique.attribute, &unique.form))
            .collect(),
    }
}

/// A row of a resource, or one that leads to it, with what has become of the resource.
fn marked(row: Row, state: State, expires: Option<i64>) -> Row {
    let row = expires.into_iter().fold(row, |row, collection| row.number("x", collection));
    match state {
        State::Live => row,
        state => row.text("st", state.as_str()),
    }
}
