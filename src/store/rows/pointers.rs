//! The rows that lead to a resource: its claim, its externalId, its further unique values and its
//! e-mail addresses. All of them share its state and its expiry.

use scim_core::ResourceId;

use super::identity::ID;
use super::kind::RowKind;
use super::resource::{DELETED, STATE, UNMANAGED, marked};
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Item, Key, number, text};
use crate::store::engine::transaction::Condition;
use crate::store::model::change::ResourceWrite;
use crate::store::model::collection::Collection;
use crate::store::model::names::Names;
use crate::store::model::refusal::OwnerState;
use crate::store::model::stage::Stage;
use crate::store::model::stored::{NameKeys, Stored};

/// The attributes that a row that leads to a resource may lack.
const OPTIONAL: [&str; 2] = [STATE, EXPIRES];

/// No resource holds the row: it does not exist, or it has expired.
const UNHELD: &str = "attribute_not_exists(p) OR x <= :now";
/// Like [`UNHELD`]; a row that the resource itself left behind is free too.
const UNHELD_OR_OWN: &str = "attribute_not_exists(p) OR x <= :now OR i = :id";
/// Like [`UNHELD_OR_OWN`]; a row of a deleted owner is free too.
const UNHELD_DELETED_OR_OWN: &str =
    "attribute_not_exists(p) OR x <= :now OR i = :id OR st = :deleted";
/// The row is the resource's own.
pub(crate) const OWN: &str = "i = :id";
/// The row is the resource's own, or TTL has removed it.
const ABSENT_OR_OWN: &str = "attribute_not_exists(p) OR i = :id";

/// The owner of a name's row, and what happened to it.
pub(crate) fn owner(row: &Item) -> Option<(ResourceId, OwnerState)> {
    let state = match row.text(STATE) {
        Some(DELETED) => OwnerState::Deleted,
        Some(UNMANAGED) => OwnerState::Unmanaged,
        _ => OwnerState::Live,
    };
    Some((row.text(ID)?.parse().ok()?, state))
}

/// No resource holds the row.
pub(crate) fn unheld(now: i64) -> Condition {
    Condition(UNHELD, vec![(":now", number(now))])
}

/// Whether a row that leads to a resource leads to this one.
pub(crate) fn is_own(row: &Item, id: &ResourceId) -> bool {
    row.text(ID) == Some(id.as_str())
}

/// The row is this resource's own.
pub(crate) fn own(id: &ResourceId) -> Condition {
    Condition(OWN, vec![(":id", text(id.as_str()))])
}

/// The row is this resource's own, or does not exist.
pub(crate) fn absent_or_own(id: &ResourceId) -> Condition {
    Condition(ABSENT_OR_OWN, vec![(":id", text(id.as_str()))])
}

/// The keys of all rows that lead to a resource.
pub(crate) fn keys(collection: &Collection, stored: &Stored) -> Vec<Key> {
    let Collection { tenant, .. } = collection;
    let Stored { keys: NameKeys { claim, external_id, unique }, names, resource, .. } = stored;
    let mut keys = Vec::new();
    keys.extend(claim.iter().map(|s| Key::new(collection.partition(), s)));
    keys.extend(external_id.iter().map(|s| Key::new(tenant.external_ids(), s)));
    keys.extend(unique.iter().map(|s| Key::new(tenant.unique_values(), s)));
    let emails = names.emails.iter().map(|email| collection.email(email, &resource.id));
    keys.extend(emails.map(|s| Key::new(tenant.emails(), s)));
    keys
}

/// The resource, unless it is deleted: the names of a deleted user may belong to others.
pub(crate) fn as_owner(stored: &Stored) -> Option<&Stored> {
    Some(stored).filter(|stored| stored.state != Stage::Deleted)
}

/// The sort keys under which a resource is to hold its names. An externalId that does not change
/// keeps its key.
pub(crate) fn name_keys(
    collection: &Collection,
    id: &ResourceId,
    names: &Names,
    is_further_owner: bool,
    from: Option<&Stored>,
) -> NameKeys {
    let same = from.filter(|from| from.names.external_id == names.external_id);
    let external_id = match (same, &names.external_id) {
        (Some(from), _) => from.keys.external_id.clone(),
        (None, Some(external_id)) => {
            let key = collection.external_id(external_id);
            // Its first owner holds the bare hash.
            Some(if is_further_owner { format!("{key}#{}", collection.key(id)) } else { key })
        }
        (None, None) => None,
    };
    let unique = names.unique.iter();
    NameKeys {
        claim: names.name.as_ref().map(|name| collection.claim(name, names.shared.then_some(id))),
        external_id,
        unique: unique
            .map(|unique| collection.unique_value(&unique.attribute, &unique.form))
            .collect(),
    }
}

/// The rows that should lead to a resource.
pub(crate) struct Pointers<'a> {
    pub(crate) collection: &'a Collection,
    pub(crate) write: ResourceWrite<'a>,
    pub(crate) keys: &'a NameKeys,
    pub(crate) state: Stage,
    /// The resource whose rows lead to it already.
    pub(crate) from: Option<&'a Stored>,
    pub(crate) unique_external_id: bool,
    /// In seconds since 1970.
    pub(crate) now: i64,
}

/// A row that leads to a resource.
struct Pointer {
    role: Role,
    kind: RowKind,
    key: Key,
}

impl Pointers<'_> {
    /// Adds the rows. Those that stay as they are need not be written.
    pub(crate) fn add(&self, transaction: &mut Transaction) -> Result<(), StoreError> {
        let nothing = NameKeys::default();
        let held = self.unchanged().map_or(&nothing, |same| &same.keys);
        if let Some(claim) = self.keys.claim.as_ref().filter(|_| held.claim != self.keys.claim) {
            self.add_claim(transaction, claim)?;
        }
        let external_id = self.keys.external_id.as_ref();
        if let Some(s) = external_id.filter(|_| held.external_id != self.keys.external_id) {
            self.add_external_id(transaction, s)?;
        }
        let unique = self.keys.unique.iter().enumerate();
        for (index, s) in unique.filter(|(_, s)| !held.unique.contains(s)) {
            self.add_unique_value(transaction, index, s)?;
        }
        let held = self.unchanged().map_or(&[][..], |same| &same.names.emails);
        let emails = self.write.names.emails.iter();
        emails
            .filter(|email| !held.contains(email))
            .try_for_each(|email| self.add_email(transaction, email))
    }

    fn add_claim(&self, transaction: &mut Transaction, s: &str) -> Result<(), StoreError> {
        let may_take = self.write.takeover.name || self.from.is_some();
        let free = if may_take { self.unheld_deleted_or_own() } else { unheld(self.now) };
        let key = Key::new(self.collection.partition(), s);
        let pointer = Pointer { role: Role::Claim, kind: RowKind::Claim, key };
        let held = self.from.is_some_and(|from| from.keys.claim.as_deref() == Some(s));
        self.write(transaction, pointer, held, Some(free))
    }

    fn add_external_id(&self, transaction: &mut Transaction, s: &str) -> Result<(), StoreError> {
        let may_take = self.write.takeover.external_id && self.unique_external_id;
        let free = if may_take { self.unheld_deleted_or_own() } else { self.unheld_or_own() };
        let key = Key::new(self.collection.tenant.external_ids(), s);
        let pointer = Pointer { role: Role::ExternalId, kind: RowKind::ExternalId, key };
        let held = self.from.is_some_and(|from| from.keys.external_id.as_deref() == Some(s));
        self.write(transaction, pointer, held, Some(free))
    }

    fn add_unique_value(
        &self,
        transaction: &mut Transaction,
        index: usize,
        s: &String,
    ) -> Result<(), StoreError> {
        let key = Key::new(self.collection.tenant.unique_values(), s);
        let pointer = Pointer { role: Role::Unique(index), kind: RowKind::UniqueValue, key };
        let held = self.from.is_some_and(|from| from.keys.unique.contains(s));
        self.write(transaction, pointer, held, Some(self.unheld_deleted_or_own()))
    }

    fn add_email(&self, transaction: &mut Transaction, email: &String) -> Result<(), StoreError> {
        let s = self.collection.email(email, &self.write.resource.id);
        let key = Key::new(self.collection.tenant.emails(), s);
        let pointer = Pointer { role: Role::Other, kind: RowKind::Email, key };
        let held = self.from.is_some_and(|from| from.names.emails.contains(email));
        self.write(transaction, pointer, held, None)
    }

    /// Adds one row. A row that the resource has `held` before keeps what this release does not
    /// know; otherwise what the row said about its former owner is lost.
    fn write(
        &self,
        transaction: &mut Transaction,
        Pointer { role, kind, key }: Pointer,
        held: bool,
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        let row = kind.row(key).text(ID, self.write.resource.id.as_str());
        let row = marked(row, self.state, self.write.expires);
        if held {
            transaction.set(role, row, &OPTIONAL, condition)
        } else {
            transaction.put(role, row, condition)
        }
    }

    /// The resource, if its rows already have the right state and expiry.
    fn unchanged(&self) -> Option<&Stored> {
        let from = self.from.and_then(as_owner);
        from.filter(|from| from.state == self.state && from.expires == self.write.expires)
    }

    fn unheld_or_own(&self) -> Condition {
        let own = (":id", text(self.write.resource.id.as_str()));
        Condition(UNHELD_OR_OWN, vec![(":now", number(self.now)), own])
    }

    fn unheld_deleted_or_own(&self) -> Condition {
        let Condition(_, mut values) = self.unheld_or_own();
        values.push((":deleted", text(DELETED)));
        Condition(UNHELD_DELETED_OR_OWN, values)
    }
}

/// Adds the removal of the rows that led to a resource under names that it no longer has.
pub(crate) fn remove_old(
    transaction: &mut Transaction,
    collection: &Collection,
    from: &Stored,
    (names, keys): (&Names, &NameKeys),
) -> Result<(), StoreError> {
    let id = &from.resource.id;
    let nothing = NameKeys::default();
    let owned = as_owner(from).map_or(&nothing, |from| &from.keys);
    let left = |old: &Option<String>, new: &Option<String>| {
        old.clone().filter(|key| Some(key) != new.as_ref())
    };
    let Collection { tenant, .. } = collection;
    let mut rows = Vec::new();
    // A claim is taken over as a whole, or stays with its new owner.
    let claim = left(&owned.claim, &keys.claim);
    rows.extend(claim.map(|s| Key::new(collection.partition(), s)));
    let external_id = left(&from.keys.external_id, &keys.external_id);
    rows.extend(external_id.map(|s| Key::new(tenant.external_ids(), s)));
    let unique = owned.unique.iter().filter(|key| !keys.unique.contains(key));
    rows.extend(unique.map(|s| Key::new(tenant.unique_values(), s)));
    let emails = from.names.emails.iter().filter(|email| !names.emails.contains(email));
    let emails = emails.map(|email| collection.email(email, id));
    rows.extend(emails.map(|s| Key::new(tenant.emails(), s)));
    for key in rows {
        transaction.delete(Role::Other, key, Some(absent_or_own(id)))?;
    }
    Ok(())
}
