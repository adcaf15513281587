//! The heads of a group: sixteen rows that exist exactly while it does.
//!
//! A change of members increments the head for the member's id and requires it to exist. So changes
//! rarely conflict, no member is added to a group that is gone, and the versions and times of the
//! heads make those of the group complete.

use std::collections::BTreeMap;

use scim_core::{Meta, ResourceId, Version};
use time::OffsetDateTime;

use super::kind::RowKind;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key, number};
use crate::store::engine::time::instant;
use crate::store::engine::transaction::Condition;
use crate::store::model::change::MemberChange;
use crate::store::model::collection::{Collection, KeyForm};
use crate::store::model::stored::Stored;

/// Heads of a group.
pub(crate) const HEADS: usize = 16;

/// Changes of members.
const VERSION: &str = "v";
/// Members.
const MEMBERS: &str = "n";
/// The last change, in milliseconds.
const MODIFIED: &str = "m";

/// The facts that a head keeps about the members of its group.
pub(crate) struct Head {
    version: u64,
    pub(crate) last_modified: OffsetDateTime,
    pub(crate) members: usize,
}

impl Head {
    /// A head from its row.
    pub(crate) fn read(row: &Item) -> Result<Self, StoreError> {
        let members = usize::try_from(row.need_number(MEMBERS)?)
            .map_err(|_| StoreError::broken("a head counts a negative number of members"))?;
        Ok(Self {
            version: row.need_number(VERSION)?.unsigned_abs(),
            last_modified: instant(row.need_number(MODIFIED)?)?,
            members,
        })
    }

    /// The version and the time of a group are those of its row and of its heads.
    pub(crate) fn add_to(&self, meta: &mut Meta) {
        meta.version = Version(meta.version.0 + self.version);
        meta.last_modified = meta.last_modified.max(self.last_modified);
    }
}

/// Whether a row is one of a group's heads. The id of a group is always one of this service, so it
/// is the group's key.
pub(crate) fn is_head(row: &Item, group: &ResourceId) -> bool {
    KeyForm::of(row.s()) == KeyForm::Head(&group.folded())
}

/// Whether a head is the last one of its group.
pub(crate) fn is_last(head: &Item) -> bool {
    head.s().ends_with(&format!("!{:x}", HEADS - 1))
}

/// Adds to a group what a row says, if the row is one of the group's heads.
pub(crate) fn join(group: &mut Stored, row: &Item) -> Result<(), StoreError> {
    if is_head(row, &group.resource.id) {
        let head = Head::read(row)?;
        head.add_to(&mut group.resource.meta);
        group.members += head.members;
        group.heads.push((row.s().to_owned(), head.version));
    }
    Ok(())
}

/// The sort key of the head that changes of this member increment, chosen by FNV-1a so that ids
/// that were generated together are spread.
pub(crate) fn key(group: &ResourceId, member: &ResourceId) -> String {
    let hash = member
        .folded()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193));
    format!("{}!{:x}", group.folded(), (hash ^ (hash >> 16)) as usize % HEADS)
}

fn keys(group: &ResourceId) -> impl Iterator<Item = String> {
    (0..HEADS).map(move |shard| format!("{}!{shard:x}", group.folded()))
}

/// The change in the number of members, for each head concerned.
pub(crate) fn deltas<'m>(
    group: &ResourceId,
    changes: impl IntoIterator<Item = &'m MemberChange>,
) -> BTreeMap<String, i64> {
    let mut deltas = BTreeMap::new();
    for change in changes {
        let delta = match change {
            MemberChange::Add(_) | MemberChange::AddUnknown(_) => 1,
            MemberChange::Remove(_) => -1,
        };
        *deltas.entry(key(group, change.member())).or_default() += delta;
    }
    deltas
}

/// Adds the heads of a new group with these members.
pub(crate) fn open<'m>(
    transaction: &mut Transaction,
    collection: &Collection,
    group: &ResourceId,
    members: impl IntoIterator<Item = &'m MemberChange>,
    milliseconds: i64,
) -> Result<(), StoreError> {
    let members = deltas(group, members);
    for s in keys(group) {
        let row = RowKind::Head
            .row(Key::new(collection.partition(), &s))
            .number(VERSION, 0)
            .number(MEMBERS, members.get(&s).copied().unwrap_or_default())
            .number(MODIFIED, milliseconds);
        transaction.put(Role::Other, row, None)?;
    }
    Ok(())
}

/// Adds the removal of a group's heads. Those in `seen` must still have these versions.
pub(crate) fn close(
    transaction: &mut Transaction,
    collection: &Collection,
    group: &ResourceId,
    seen: &[(String, u64)],
) -> Result<(), StoreError> {
    keys(group).try_for_each(|s| {
        let seen = seen.iter().find(|(head, _)| *head == s);
        let row = Key::new(collection.partition(), s);
        transaction.delete(Role::Head, row, seen.map(|(_, seen)| Condition::version(*seen)))
    })
}

/// A change of one head.
pub(crate) struct Step {
    /// The role that identifies it in a refusal.
    pub(crate) role: Role,
    /// The head's key.
    pub(crate) head: Key,
    /// The change in its number of members.
    pub(crate) members: i64,
    /// The version that it must still have.
    pub(crate) seen: Option<u64>,
    /// The time of the change.
    pub(crate) milliseconds: i64,
}

/// Adds one change to a head, which must exist.
pub(crate) fn step(transaction: &mut Transaction, step: Step) -> Result<(), StoreError> {
    let Step { role, head, members, seen, milliseconds } = step;
    let Condition(condition, mut values) = seen.map_or(Condition::exists(), Condition::version);
    values.extend([(":one", number(1)), (":n", number(members)), (":m", number(milliseconds))]);
    transaction.update(role, head, "ADD v :one, n :n SET m = :m", values, condition)
}
