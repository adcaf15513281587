//! Who is in which group: one row a member, so that no change of one member touches another.
//!
//! A group has sixteen heads, rows that exist exactly while it does. A change of members steps the
//! head of the member's id and requires it to exist; so changes meet seldom, none is made to a
//! group that is gone, and the heads' versions and times make the group's own complete.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use scim_core::members::MemberType;
use scim_core::{Member, ResourceId};

use super::item::Row;
use super::keys::{Collection, Kind, TenantKey};
use super::log::{self, Audit};
use super::refusal::Outcome;
use super::transaction::{Condition, Role, Transaction, number, text, version};
use super::unfinished::{self, Cause};
use super::{Store, StoreError};

/// Heads of a group.
const HEADS: usize = 16;
/// Most actions of a transaction (DynamoDB's limit).
pub(super) const MAX_ACTIONS: usize = 100;
/// Actions that a change of the group itself takes at most: row, claims, externalIds, counter, log.
const OWN_ACTIONS: usize = 12;

/// A change of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// Becomes a member. Of no type means a user.
    Add(Member),
    /// Is named as a member, though no resource of this tenant has, had or will have that id.
    AddUnknown(Member),
    /// Is no member any more.
    Remove(ResourceId),
}

impl MemberChange {
    /// Whom it is about.
    pub fn member(&self) -> &ResourceId {
        match self {
            Self::Add(member) | Self::AddUnknown(member) => &member.value,
            Self::Remove(id) => id,
        }
    }

    fn actions(&self) -> usize {
        match self {
            Self::Add(_) => 3,
            Self::AddUnknown(_) | Self::Remove(_) => 2,
        }
    }
}

/// What of a group must be as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Its own row.
    Row,
    /// Its members too.
    RowAndMembers,
}

/// How many of the first moves fit into one transaction, beside a change of the group itself.
pub fn that_fit(moves: &[MemberChange]) -> usize {
    let mut left = MAX_ACTIONS - OWN_ACTIONS - HEADS;
    let fitting = moves.iter().take_while(|change| {
        let fits = change.actions() <= left;
        left = left.saturating_sub(change.actions());
        fits
    });
    fitting.count()
}

/// The head that changes of this member step, by FNV-1a: ids that were made together spread.
pub(super) fn head(group: &ResourceId, member: &ResourceId) -> String {
    let hash = member
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193));
    format!("{group}!{:x}", (hash ^ (hash >> 16)) as usize % HEADS)
}

fn heads(group: &ResourceId) -> impl Iterator<Item = String> {
    (0..HEADS).map(move |shard| format!("{group}!{shard:x}"))
}

/// Adds a new group's heads and first members, beside those whose rows are `prepared`.
pub(super) fn open(
    transaction: &mut Transaction,
    collection: &Collection,
    group: &ResourceId,
    moves: &[MemberChange],
    prepared: &[MemberChange],
    audit: &Audit,
) -> Result<(), StoreError> {
    let members = by_head(group, moves.iter().chain(prepared));
    for s in heads(group) {
        let row = Row::new(&collection.rows(), &s)
            .number("v", 0)
            .number("n", members.get(&s).copied().unwrap_or_default())
            .number("m", audit.milliseconds);
        transaction.put(Role::Other, row, None)?;
    }
    rows(transaction, &collection.tenant, group, moves, audit)
}

/// How many members more each head has that is concerned.
fn by_head<'m>(
    group: &ResourceId,
    moves: impl IntoIterator<Item = &'m MemberChange>,
) -> BTreeMap<String, i64> {
    let mut heads = BTreeMap::new();
    for change in moves {
        let more = if matches!(change, MemberChange::Remove(_)) { -1 } else { 1 };
        *heads.entry(head(group, change.member())).or_default() += more;
    }
    heads
}

/// Adds the removal of a group's heads; those in `seen` must have these versions still.
pub(super) fn close(
    transaction: &mut Transaction,
    collection: &Collection,
    group: &ResourceId,
    seen: &[(String, u64)],
) -> Result<(), StoreError> {
    heads(group).try_for_each(|s| {
        let seen = seen.iter().find(|(head, _)| *head == s);
        transaction.delete(
            Role::Head,
            Row::new(&collection.rows(), &s),
            seen.map(|(_, seen)| as_seen(*seen)),
        )
    })
}

/// Adds changes of members. With `seen`, all heads must have these versions still.
pub(super) fn push(
    transaction: &mut Transaction,
    collection: &Collection,
    group: &ResourceId,
    moves: &[MemberChange],
    seen: Option<&[(String, u64)]>,
    audit: &Audit,
) -> Result<(), StoreError> {
    rows(transaction, &collection.tenant, group, moves, audit)?;
    let touched = by_head(group, moves);
    let seen: BTreeMap<&String, u64> =
        seen.into_iter().flatten().map(|(s, version)| (s, *version)).collect();
    for (s, more) in &touched {
        step(
            transaction,
            Role::Head,
            Row::new(&collection.rows(), s),
            (*more, seen.get(s).copied()),
            audit,
        )?;
    }
    for (s, seen) in seen.into_iter().filter(|(s, _)| !touched.contains_key(*s)) {
        transaction.check(Role::Head, Row::new(&collection.rows(), s), as_seen(seen))?;
    }
    Ok(())
}

/// Adds to a head one change, by which it has `more` members. The head must exist, and have the
/// version `seen` if there is one.
pub(super) fn step(
    transaction: &mut Transaction,
    role: Role,
    head: Row,
    (more, seen): (i64, Option<u64>),
    audit: &Audit,
) -> Result<(), StoreError> {
    let Condition(condition, mut values) =
        seen.map_or(Condition("attribute_exists(p)", Vec::new()), as_seen);
    values.extend([(":one", number(1)), (":n", number(more)), (":m", number(audit.milliseconds))]);
    transaction.update(role, head, "ADD v :one, n :n SET m = :m", values, Some(condition))
}

fn as_seen(seen: u64) -> Condition {
    Condition("v = :seen", vec![(":seen", version(seen))])
}

/// Adds the removal of both rows of a membership, which must be there if it is a move.
pub(super) fn part(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    group: &ResourceId,
    member: &ResourceId,
    index: Option<usize>,
) -> Result<(), StoreError> {
    let (role, condition) = match index {
        Some(index) => (Role::Moved(index), Some(Condition("attribute_exists(p)", Vec::new()))),
        None => (Role::Other, None),
    };
    transaction.delete(role, Row::new(&tenant.members(group), member.as_str()), condition)?;
    transaction.delete(Role::Other, Row::new(&tenant.memberships(member), group.as_str()), None)
}

/// The rows of members and of their memberships.
fn rows(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    group: &ResourceId,
    moves: &[MemberChange],
    audit: &Audit,
) -> Result<(), StoreError> {
    let members = tenant.members(group);
    for (index, change) in moves.iter().enumerate() {
        match change {
            MemberChange::Add(member) | MemberChange::AddUnknown(member) => {
                let kind = Kind::from(member.kind.unwrap_or(MemberType::User));
                let letter = if matches!(change, MemberChange::AddUnknown(_)) {
                    NAMED
                } else {
                    letter(&kind)
                };
                let row = Row::new(&members, member.value.as_str())
                    .text("k", letter)
                    .text_if("n", member.display.as_deref())
                    .text("ev", audit.operation.as_str());
                let new = Condition("attribute_not_exists(p)", Vec::new());
                transaction.put(Role::Moved(index), row, Some(new))?;
                let membership = Row::new(&tenant.memberships(&member.value), group.as_str());
                transaction.put(Role::Other, membership.text("k", letter), None)?;
                if letter != NAMED {
                    let home = Collection { tenant: tenant.clone(), kind };
                    let lives = "st = :live AND (attribute_not_exists(x) OR x > :now)";
                    let values = [
                        (":live", text("live")),
                        (":now", number(audit.now)),
                        (":grouped", AttributeValue::Bool(true)),
                    ];
                    // It costs what a check costs, and tells a deletion that there are memberships.
                    let row = Row::new(&home.rows(), &home.key(&member.value));
                    transaction.update(
                        Role::Alive(index),
                        row,
                        "SET g = :grouped",
                        values,
                        Some(lives),
                    )?;
                }
            }
            MemberChange::Remove(id) => {
                part(transaction, tenant, group, id, Some(index))?;
            }
        }
    }
    Ok(())
}

impl Store {
    /// Changes members of a group that is not changed itself. One call, whatever the size of the
    /// group, for as many moves as [`that_fit`].
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn change_members(
        &self,
        collection: &Collection,
        group: &ResourceId,
        moves: &[MemberChange],
        audit: &Audit,
    ) -> Result<Outcome, StoreError> {
        let mut transaction = Transaction::on(self);
        push(&mut transaction, collection, group, moves, None, audit)?;
        self.logged(transaction, collection, group, moves, audit).await
    }

    /// Writes members of a group that is about to be created: nobody sees them before. The first
    /// part notes that the creation is unfinished.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn prepare_members(
        &self,
        collection: &Collection,
        group: &ResourceId,
        moves: &[MemberChange],
        is_first: bool,
        audit: &Audit,
    ) -> Result<Outcome, StoreError> {
        let mut transaction = Transaction::on(self);
        if is_first {
            unfinished::begin(
                &mut transaction,
                &collection.tenant,
                (&collection.kind, group),
                Cause::Creation,
                audit,
            )?;
        }
        rows(&mut transaction, &collection.tenant, group, moves, audit)?;
        self.logged(transaction, collection, group, moves, audit).await
    }

    /// Commits changes of members with their log row.
    pub(super) async fn logged(
        &self,
        mut transaction: Transaction,
        collection: &Collection,
        group: &ResourceId,
        moves: &[MemberChange],
        audit: &Audit,
    ) -> Result<Outcome, StoreError> {
        log::add(
            &mut transaction,
            &collection.tenant,
            audit,
            group,
            None,
            &log::moves(&collection.tenant, moves),
        )?;
        self.conclude(transaction).await
    }
}

/// The mark of a member that is no resource.
pub(super) const NAMED: &str = "?";

pub(super) fn letter(kind: &Kind) -> &'static str {
    if *kind == Kind::Group { "G" } else { "U" }
}
