//! The writes of a resource: its row, claim, pointers, counter and log in one transaction each.

use aws_sdk_dynamodb::types::AttributeValue;
use scim_core::resource::Attributes;
use scim_core::{Resource, ResourceId};

use super::item::{Item, Row};
use super::keys::{Collection, Kind};
use super::log::{self, Act};
use super::members::{self, Move, Seen};
use super::resources::{self, Keys, Names, State, Stored, is_active};
use super::transaction::{Condition, Outcome, Role, Transaction, number, text};
use super::{Store, StoreError, counters, due, guards};

/// A row that nobody holds: there is none, or it has expired.
pub(super) const UNHELD: &str = "attribute_not_exists(p) OR x <= :now";
/// As [`UNHELD`]; a row that the resource itself left behind is free too.
const UNHELD_OR_OWN: &str = "attribute_not_exists(p) OR x <= :now OR i = :id";
/// As [`UNHELD_OR_OWN`], or the holder was deleted.
const UNHELD_DELETED_OR_OWN: &str = "attribute_not_exists(p) OR x <= :now OR i = :id OR st = :deleted";

/// Whose names a write may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taking {
    /// Take the name of a deleted user that can still be restored.
    pub name: bool,
    /// Be one more owner of the externalId, beside its first; where it is unique, take it from who was deleted.
    pub external_id: bool,
}

/// A resource to be written.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// As it shall be.
    pub resource: &'a Resource,
    /// The names in its attributes.
    pub names: &'a Names,
    /// Whose names it may take.
    pub taking: Taking,
    /// When it expires while it is visible, in seconds since 1970.
    pub expires: Option<i64>,
}

/// What the holder of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Visible.
    Live,
    /// Deleted, and kept.
    Deleted,
    /// Imported, and not provisioned yet.
    Unmanaged,
}

/// Who holds a resource's names.
#[derive(Debug, Default)]
pub struct Holders {
    /// The owner of the name.
    pub name: Option<(ResourceId, Holding)>,
    /// The first owner of the externalId; take it beside that one.
    pub external_id: Option<(ResourceId, Holding)>,
}

/// What became of a write.
#[derive(Debug)]
pub enum Wrote {
    /// It is stored.
    Stored,
    /// Nothing was written.
    Refused(Refusal),
}

/// Why nothing was written. Several reasons may hold at once.
#[derive(Debug, Default)]
pub struct Refusal {
    /// The row (or, with a precondition, the membership) is not what it was: read it and decide again.
    pub changed: bool,
    /// Who holds the names that it may not take.
    pub held: Holders,
    /// An index into the further unique values: another resource has it.
    pub unique: Option<usize>,
    /// There is no such group.
    pub no_group: bool,
    /// Indices of moves that are as they should be already.
    pub moved: Vec<usize>,
    /// Indices of moves whose member does not live.
    pub unknown: Vec<usize>,
    /// No seat is left, if nothing changed.
    pub full: bool,
    /// The brake stops it, or its window must be opened first, if nothing changed.
    pub braked: bool,
}

impl Store {
    /// Stores a new resource, a group with these members and those that are prepared. One call: row,
    /// claim, externalId, e-mails, counter, log.
    ///
    /// Losing a race shows as a refusal; a claim that is this resource's own already (a lost answer,
    /// sent again) counts as stored.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn create(
        &self,
        at: &Collection,
        new: New<'_>,
        members: &[Move],
        prepared: &[Move],
        act: &Act,
    ) -> Result<Wrote, StoreError> {
        let unheld = Condition(UNHELD, vec![(":now", number(act.now))]);
        let mut transaction = Transaction::on(self);
        put(&mut transaction, at, new, State::Live, None, unheld, act)?;
        if at.kind == Kind::Group {
            members::open(&mut transaction, at, &new.resource.id, members, prepared, act)?;
        }
        self.account(
            &mut transaction,
            at,
            act,
            new.resource,
            &Attributes::default(),
            (1, activity(new.resource)),
            members,
        )?;
        match self.conclude(transaction).await? {
            Wrote::Refused(refusal)
                if refusal.held.name.as_ref().is_some_and(|(owner, _)| *owner == new.resource.id) =>
            {
                Ok(Wrote::Stored)
            }
            wrote => Ok(wrote),
        }
    }

    /// Stores a deleted user anew, live and whole. Rows are put, not updated: TTL may have removed
    /// any of them meanwhile. One call, one more under another name.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn restore(&self, at: &Collection, old: &Stored, new: New<'_>, act: &Act) -> Result<Wrote, StoreError> {
        let seen = Condition("attribute_not_exists(p) OR v = :seen", vec![(":seen", version(old.row_version))]);
        let mut transaction = Transaction::on(self);
        let claim = new.names.name.as_ref().map(|name| at.claim(name, None));
        if let Some(left) = old.keys.claim.as_ref().filter(|left| Some(*left) != claim.as_ref()) {
            let own = text(old.resource.id.as_str());
            // The name that the user had is free now, or somebody else's already.
            if self.get(&at.rows(), left).await?.is_some_and(|row| row.0.get("i") == Some(&own)) {
                let own = Condition("attribute_not_exists(p) OR i = :id", vec![(":id", own)]);
                transaction.delete(Role::Other, Row::new(&at.rows(), left), Some(own))?;
            }
        }
        self.enter(transaction, at, old, new, seen, act).await
    }

    /// Stores an imported user as provisioned, if it is still as `old`: its id and what leads to it stay.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn link(&self, at: &Collection, old: &Stored, new: New<'_>, act: &Act) -> Result<Wrote, StoreError> {
        let seen = vec![(":seen", version(old.row_version)), (":unmanaged", text("unmanaged"))];
        let seen = Condition("v = :seen AND st = :unmanaged", seen);
        self.enter(Transaction::on(self), at, old, new, seen, act).await
    }

    /// Stores as visible who was not.
    async fn enter(
        &self,
        mut transaction: Transaction,
        at: &Collection,
        old: &Stored,
        new: New<'_>,
        condition: Condition,
        act: &Act,
    ) -> Result<Wrote, StoreError> {
        put(&mut transaction, at, new, State::Live, Some(old), condition, act)?;
        let more = (1, activity(new.resource));
        self.account(&mut transaction, at, act, new.resource, &old.resource.attributes, more, &[])?;
        self.conclude(transaction).await
    }

    /// Stores a changed resource if it is still as `old`, with changes of a group's members. One call;
    /// claims, pointers and counters only where they change. With [`Seen::All`] the members must be as
    /// they were too.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn update(
        &self,
        at: &Collection,
        old: &Stored,
        new: New<'_>,
        moves: &[Move],
        seen: Seen,
        act: &Act,
    ) -> Result<Wrote, StoreError> {
        let unchanged = "v = :seen AND st = :live AND (attribute_not_exists(x) OR x > :now)";
        let values = vec![(":seen", version(old.row_version)), (":live", text("live")), (":now", number(act.now))];
        let mut transaction = Transaction::on(self);
        put(&mut transaction, at, new, State::Live, Some(old), Condition(unchanged, values), act)?;
        if at.kind == Kind::Group {
            let heads = if seen == Seen::All { Some(old.heads.as_slice()) } else { None };
            members::push(&mut transaction, at, &new.resource.id, moves, heads, act)?;
        }
        let active = activity(new.resource) - activity(&old.resource);
        self.account(&mut transaction, at, act, new.resource, &old.resource.attributes, (0, active), moves)?;
        self.conclude(transaction).await
    }

    /// What every write adds: the counters by (live, active) resources more, and the log row.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the account")]
    pub(super) fn account(
        &self,
        transaction: &mut Transaction,
        at: &Collection,
        act: &Act,
        resource: &Resource,
        before: &Attributes,
        (live, active): (i64, i64),
        moves: &[Move],
    ) -> Result<(), StoreError> {
        counters::add(transaction, at, [(&resource.id, live, active)])?;
        if at.kind == Kind::User {
            guards::add(transaction, &at.tenant, act, active)?;
        }
        let mut changes = log::changes(&at.tenant, before, &resource.attributes);
        changes.extend(log::moves(&at.tenant, moves));
        log::add(transaction, &at.tenant, act, &resource.id, Some(resource.meta.version.0), &changes)
    }

    pub(super) async fn conclude(&self, transaction: Transaction) -> Result<Wrote, StoreError> {
        let Outcome::Refused(rows) = transaction.commit(self).await? else { return Ok(Wrote::Stored) };
        let mut refusal = Refusal::default();
        for (role, item) in rows {
            let holder = item.as_ref().and_then(holder);
            match role {
                Role::Claim if holder.is_some() => refusal.held.name = holder,
                Role::ExternalId if holder.is_some() => refusal.held.external_id = holder,
                Role::Unique(index) => refusal.unique = Some(index),
                Role::Seats => refusal.full = true,
                Role::Brake => refusal.braked = true,
                Role::Head if item.is_none() => refusal.no_group = true,
                Role::Moved(index) => refusal.moved.push(index),
                Role::Alive(index) => refusal.unknown.push(index),
                _ => refusal.changed = true,
            }
        }
        if refusal.changed {
            // Perhaps it is done already, and takes no seat any more.
            (refusal.full, refusal.braked) = (false, false);
        }
        Ok(Wrote::Refused(refusal))
    }
}

/// The row and what leads to it in this state, over those that `old` has.
pub(super) fn put(
    transaction: &mut Transaction,
    at: &Collection,
    New { resource, names, taking, expires }: New<'_>,
    state: State,
    old: Option<&Stored>,
    condition: Condition,
    act: &Act,
) -> Result<(), StoreError> {
    let id = &resource.id;
    // A deleted user's names may belong to others by now.
    let owner = old.filter(|old| old.state != State::Deleted);
    let beside = taking.external_id && !act.unique_external_id;
    let keys = keys(at, id, names, beside, owner);
    let row = resources::row(at, resource, old.map_or(1, |old| old.row_version + 1), names, &keys, act)?;
    transaction.put(Role::Resource, marked(row, state, expires), Some(condition))?;
    // Its own notice of when it expires while it is visible.
    let (before, after) = (old.filter(|old| old.state == State::Live).and_then(|old| old.expires), expires);
    if before != after {
        if let Some(due) = before {
            transaction.delete(Role::Other, due::row(at, due, id), None)?;
        }
        if let Some(due) = after {
            transaction.put(Role::Other, due::row(at, due, id), None)?;
        }
    }

    let now = || (":now", number(act.now));
    let own = || (":id", text(id.as_str()));
    let deleted = || (":deleted", text("deleted"));
    let nothing = Keys::default();
    let owned = owner.map_or(&nothing, |old| &old.keys);
    // What stays as it is need not be written; all rows that lead to a resource share its state and expiry.
    let unmarked = owner.filter(|old| old.state == state && old.expires == expires);
    let held = unmarked.map_or(&nothing, |old| &old.keys);
    let (rows, external_ids, unique_values) = (at.rows(), at.tenant.external_ids(), at.tenant.unique_values());
    let pointer = |p: &str, s: &str| marked(Row::new(p, s).text("i", id.as_str()), state, expires);
    if let Some(claim) = keys.claim.as_ref().filter(|claim| held.claim.as_ref() != Some(*claim)) {
        let free = match taking.name || old.is_some() {
            true => Condition(UNHELD_DELETED_OR_OWN, vec![now(), own(), deleted()]),
            false => Condition(UNHELD, vec![now()]),
        };
        transaction.put(Role::Claim, pointer(&rows, claim), Some(free))?;
    }
    if let Some(key) = keys.external_id.as_ref().filter(|key| held.external_id.as_ref() != Some(*key)) {
        let free = match taking.external_id && act.unique_external_id {
            true => Condition(UNHELD_DELETED_OR_OWN, vec![now(), own(), deleted()]),
            false => Condition(UNHELD_OR_OWN, vec![now(), own()]),
        };
        transaction.put(Role::ExternalId, pointer(&external_ids, key), Some(free))?;
    }
    for (index, key) in keys.unique.iter().enumerate().filter(|(_, key)| !held.unique.contains(key)) {
        let free = Condition(UNHELD_DELETED_OR_OWN, vec![now(), own(), deleted()]);
        transaction.put(Role::Unique(index), pointer(&unique_values, key), Some(free))?;
    }
    let emails = unmarked.map_or(&[][..], |old| &old.names.emails);
    for email in names.emails.iter().filter(|email| !emails.contains(email)) {
        transaction.put(Role::Other, pointer(&at.tenant.emails(), &at.email(email, id)), None)?;
    }

    let Some(old) = old else { return Ok(()) };
    let mut left = Vec::new();
    let gone = |old: &Option<String>, new: &Option<String>| old.clone().filter(|key| Some(key) != new.as_ref());
    // A claim is taken over as a whole or left to who took it.
    left.extend(gone(&owned.claim, &keys.claim).map(|key| (rows.clone(), key)));
    left.extend(gone(&old.keys.external_id, &keys.external_id).map(|key| (external_ids, key)));
    let unique = owned.unique.iter().filter(|key| !keys.unique.contains(key));
    left.extend(unique.map(|key| (unique_values.clone(), key.clone())));
    let emails = old.names.emails.iter().filter(|email| !names.emails.contains(email));
    left.extend(emails.map(|email| (at.tenant.emails(), at.email(email, id))));
    for (p, s) in left {
        let own = Condition("attribute_not_exists(p) OR i = :id", vec![own()]);
        transaction.delete(Role::Other, Row::new(&p, &s), Some(own))?;
    }
    Ok(())
}

/// Where the names are to be held; an externalId that stays is held where it is.
fn keys(at: &Collection, id: &ResourceId, names: &Names, beside: bool, old: Option<&Stored>) -> Keys {
    let same = old.filter(|old| old.names.external_id == names.external_id);
    let external_id = match (same, &names.external_id) {
        (Some(old), _) => old.keys.external_id.clone(),
        (None, Some(external_id)) => {
            let key = at.external_id(external_id);
            // Its first owner holds the bare hash.
            Some(if beside { format!("{key}#{id}") } else { key })
        }
        (None, None) => None,
    };
    Keys {
        claim: names.name.as_ref().map(|name| at.claim(name, names.shared.then_some(id))),
        external_id,
        unique: names.unique.iter().map(|unique| at.unique_value(&unique.attribute, &unique.form)).collect(),
    }
}

pub(super) fn activity(resource: &Resource) -> i64 {
    i64::from(is_active(&resource.attributes))
}

pub(super) fn version(version: u64) -> AttributeValue {
    number(i64::try_from(version).unwrap_or(i64::MAX))
}

/// A row of a resource, or one that leads to it, with what has become of the resource.
fn marked(row: Row, state: State, expires: Option<i64>) -> Row {
    let row = expires.into_iter().fold(row, |row, at| row.number("x", at));
    match state {
        State::Live => row,
        state => row.text("st", state.as_str()),
    }
}

/// Who holds a name's row, and what that user is.
pub(super) fn holder(item: &Item) -> Option<(ResourceId, Holding)> {
    let holding = match item.text("st") {
        Some("deleted") => Holding::Deleted,
        Some("unmanaged") => Holding::Unmanaged,
        _ => Holding::Live,
    };
    Some((item.text("i")?.parse().ok()?, holding))
}
