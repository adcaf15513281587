//! The groups that somebody is in, and how these memberships end.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::ResourceId;
use tokio::time::Instant;

use super::item::{Item, Row};
use super::keys::{Collection, Kind, TenantKey};
use super::log::{self, Act};
use super::members::{Move, head, letter, part, step};
use super::ranges::MOST_PARTS;
use super::refusal::Wrote;
use super::transaction::{Condition, Role, Transaction, number, text};
use super::{KeyRange, Rows, Store, StoreError, roster};

/// How many memberships one transaction ends: three actions each, the log row and a check.
const AT_ONCE: usize = 32;
/// How many members' rows of a group that is gone one transaction removes: two actions each.
const MEMBERS_AT_ONCE: usize = 49;
/// A row that is gone for everybody.
const GONE: &str = "attribute_not_exists(p) OR st = :deleted OR x <= :now";

impl Store {
    /// The groups that somebody, or who is only named, is a member of; at most `most`.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn memberships(
        &self,
        tenant: &TenantKey,
        member: &ResourceId,
        most: usize,
    ) -> Result<Vec<ResourceId>, StoreError> {
        self.query_some(Rows::ids(&tenant.memberships(member)), most).await?.0.iter().map(group).collect()
    }

    /// Which of these groups somebody is a member of. One call each, side by side.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn memberships_among(
        &self,
        tenant: &TenantKey,
        member: &ResourceId,
        groups: &BTreeSet<ResourceId>,
    ) -> Result<Vec<ResourceId>, StoreError> {
        self.get_among(&tenant.memberships(member), groups).await?.iter().map(group).collect()
    }

    /// Ends all memberships of a resource that is gone; how many there were, and whether none is left
    /// `until` then. Idempotent: what a failure leaves, another call ends. One call if there are none. Stops if
    /// the resource comes back.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn leave_all(
        &self,
        at: &Collection,
        member: &ResourceId,
        act: &Act,
        until: Instant,
    ) -> Result<(usize, bool), StoreError> {
        let partition = at.tenant.memberships(member);
        let mut left = 0;
        loop {
            let (items, all) = self.query_some(Rows::ids(&partition), AT_ONCE).await?;
            // The id may be that of a resource of another type, which is not concerned.
            let own = items.iter().filter(|item| item.text("k") == Some(letter(&at.kind)));
            let groups: Vec<ResourceId> = own.map(group).collect::<Result<_, _>>()?;
            if !groups.is_empty() {
                left += groups.len();
                if !self.leave(at, member, &groups, act).await? {
                    return Ok((left, true));
                }
            }
            if all || groups.is_empty() {
                return Ok((left, true));
            }
            if Instant::now() >= until {
                return Ok((left, self.query_some(Rows::ids(&partition), 1).await?.0.is_empty()));
            }
        }
    }

    /// Ends some memberships of a resource; `false` if it is not gone.
    async fn leave(
        &self,
        at: &Collection,
        member: &ResourceId,
        groups: &[ResourceId],
        act: &Act,
    ) -> Result<bool, StoreError> {
        let home = Collection { tenant: at.tenant.clone(), kind: Kind::Group };
        let mut loose = BTreeSet::new();
        loop {
            let mut transaction = Transaction::on(self);
            let gone_itself = Condition(GONE, vec![(":deleted", text("deleted")), (":now", number(act.now))]);
            transaction.check(Role::Gone, Row::new(&at.rows(), &at.key(member)), gone_itself)?;
            for (index, group) in groups.iter().enumerate() {
                let index = Some(index).filter(|index| !loose.contains(index));
                part(&mut transaction, &at.tenant, group, member, index)?;
                if let Some(index) = index {
                    let head = Row::new(&home.rows(), &head(group, member));
                    step(&mut transaction, Role::Moved(index), head, (-1, None), act)?;
                }
            }
            let changes = groups.iter().map(|group| ("groups.remove".to_owned(), at.tenant.log_digest(group.as_str())));
            log::add(&mut transaction, &at.tenant, act, member, None, &changes.collect::<Vec<_>>())?;
            match self.conclude(transaction).await? {
                Wrote::Stored => return Ok(true),
                Wrote::Refused(refusal) if refusal.changed => return Ok(false),
                // Another call was faster, or these groups are gone themselves, or not there yet: they have no
                // heads to be stepped.
                Wrote::Refused(refusal) => loose.extend(refusal.moved),
            }
        }
    }

    /// Removes the members' rows of a group that is gone, parts of it side by side. Idempotent, as
    /// [`Store::leave_all`]; says how many there were, and whether no others are left `until` then.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn disband(
        &self,
        at: &Collection,
        group: &ResourceId,
        act: &Act,
        until: Instant,
    ) -> Result<(usize, bool), StoreError> {
        // Most groups are small: others are noticed by what is left.
        let (few, done) = self.disband_part(at, group, &KeyRange::all(), act, Instant::now()).await?;
        if done {
            return Ok((few, true));
        }
        let each = stream::iter(KeyRange::parts(MOST_PARTS))
            .map(|range| async move { self.disband_part(at, group, &range, act, until).await });
        let parts: Vec<(usize, bool)> = each.buffer_unordered(MOST_PARTS).try_collect().await?;
        Ok((few + parts.iter().map(|(removed, _)| removed).sum::<usize>(), parts.iter().all(|(_, done)| *done)))
    }

    async fn disband_part(
        &self,
        at: &Collection,
        group: &ResourceId,
        range: &KeyRange,
        act: &Act,
        until: Instant,
    ) -> Result<(usize, bool), StoreError> {
        let partition = at.tenant.members(group);
        let mut removed = 0;
        loop {
            let rows = Rows::Between(&partition, &range.from, &range.to);
            let (items, all) = self.query_some(rows, MEMBERS_AT_ONCE).await?;
            let mut transaction = Transaction::on(self);
            let mut moves = Vec::with_capacity(items.len());
            for item in &items {
                let member = roster::member(item)?.value;
                part(&mut transaction, &at.tenant, group, &member, None)?;
                moves.push(Move::Leave(member));
            }
            if !moves.is_empty() {
                self.logged(transaction, at, group, &moves, act).await?;
                removed += moves.len();
            }
            if all {
                return Ok((removed, true));
            }
            if Instant::now() >= until {
                let (left, _) = self.query_some(rows, 1).await?;
                return Ok((removed, left.is_empty()));
            }
        }
    }
}

fn group(item: &Item) -> Result<ResourceId, StoreError> {
    item.s().parse().map_err(|()| StoreError::broken("a group's id is none"))
}
