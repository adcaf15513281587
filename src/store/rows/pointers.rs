//! The rows that lead to a resource: its claim, its externalId, its further unique values and its
//! e-mail addresses. All of them share its state and its expiry.

use scim_core::ResourceId;

use super::resource::{DELETED, STATE, UNMANAGED, marked};
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Row, number, text};
use crate::store::engine::transaction::Condition;
use crate::store::model::change::{ResourceWrite, Takeover};
use crate::store::model::collection::Collection;
use crate::store::model::names::Names;
use crate::store::model::refusal::OwnerState;
use crate::store::model::stage::Stage;
use crate::store::model::stored::{NameKeys, Stored};

/// The owner.
pub(crate) const OWNER: &str = "i";

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
    Some((row.text(OWNER)?.parse().ok()?, state))
}

/// No resource holds the row.
pub(crate) fn unheld(now: i64) -> Condition {
    Condition(UNHELD, vec![(":now", number(now))])
}

/// Whether a row that leads to a resource leads to this one.
pub(crate) fn is_own(row: &Item, id: &ResourceId) -> bool {
    row.text(OWNER) == Some(id.as_str())
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
pub(crate) fn keys(collection: &Collection, stored: &Stored) -> Vec<(String, String)> {
    let Collection { tenant, .. } = collection;
    let Stored { keys: NameKeys { claim, external_id, unique }, names, resource, .. } = stored;
    let mut keys = Vec::new();
    keys.extend(claim.clone().map(|key| (collection.partition(), key)));
    keys.extend(external_id.clone().map(|key| (tenant.external_ids(), key)));
    keys.extend(unique.iter().map(|key| (tenant.unique_values(), key.clone())));
    let emails = names.emails.iter();
    keys.extend(emails.map(|email| (tenant.emails(), collection.email(email, &resource.id))));
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
            Some(if is_further_owner { format!("{key}#{id}") } else { key })
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

impl Pointers<'_> {
    /// Adds the rows. Those that stay as they are need not be written.
    pub(crate) fn add(&self, transaction: &mut Transaction) -> Result<(), StoreError> {
        let Self { collection, keys, unique_external_id, .. } = *self;
        let ResourceWrite { resource, names, takeover: Takeover { name, external_id }, .. } =
            self.write;
        let nothing = NameKeys::default();
        let same = self.unchanged();
        let held = same.map_or(&nothing, |from| &from.keys);
        if let Some(claim) = keys.claim.as_ref().filter(|claim| held.claim.as_ref() != Some(*claim))
        {
            let may_take = name || self.from.is_some();
            let free = if may_take { self.unheld_deleted_or_own() } else { unheld(self.now) };
            let row = self.pointer(&collection.partition(), claim);
            transaction.put(Role::Claim, row, Some(free))?;
        }
        if let Some(key) =
            keys.external_id.as_ref().filter(|key| held.external_id.as_ref() != Some(*key))
        {
            let may_take = external_id && unique_external_id;
            let free = if may_take { self.unheld_deleted_or_own() } else { self.unheld_or_own() };
            let row = self.pointer(&collection.tenant.external_ids(), key);
            transaction.put(Role::ExternalId, row, Some(free))?;
        }
        let unique = keys.unique.iter().enumerate();
        for (index, key) in unique.filter(|(_, key)| !held.unique.contains(key)) {
            let row = self.pointer(&collection.tenant.unique_values(), key);
            transaction.put(Role::Unique(index), row, Some(self.unheld_deleted_or_own()))?;
        }
        let emails = same.map_or(&[][..], |from| &from.names.emails);
        for email in names.emails.iter().filter(|email| !emails.contains(email)) {
            let key = collection.email(email, &resource.id);
            transaction.put(Role::Other, self.pointer(&collection.tenant.emails(), &key), None)?;
        }
        Ok(())
    }

    /// The resource, if its rows already have the right state and expiry.
    fn unchanged(&self) -> Option<&Stored> {
        let from = self.from.and_then(as_owner);
        from.filter(|from| from.state == self.state && from.expires == self.write.expires)
    }

    fn pointer(&self, p: &str, s: &str) -> Row {
        let row = Row::new(p, s).text(OWNER, self.write.resource.id.as_str());
        marked(row, self.state, self.write.expires)
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
    rows.extend(left(&owned.claim, &keys.claim).map(|key| (collection.partition(), key)));
    let external_id = left(&from.keys.external_id, &keys.external_id);
    rows.extend(external_id.map(|key| (tenant.external_ids(), key)));
    let unique = owned.unique.iter().filter(|key| !keys.unique.contains(key));
    rows.extend(unique.map(|key| (tenant.unique_values(), key.clone())));
    let emails = from.names.emails.iter().filter(|email| !names.emails.contains(email));
    rows.extend(emails.map(|email| (tenant.emails(), collection.email(email, id))));
    for (p, s) in rows {
        transaction.delete(Role::Other, Row::new(&p, &s), Some(absent_or_own(id)))?;
    }
    Ok(())
}
