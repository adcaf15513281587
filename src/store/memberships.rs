//! The groups that somebody is in, and how these memberships end.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::ResourceId;
use tokio::time::Instant;

use super::batch_get::Size;
use super::item::{Item, Row};
use super::keys::{Collection, Kind, TenantKey};
use super::log::{self, Audit};
use super::members::{MemberChange, head, letter, part, step};
use super::ranges::MAX_PARTS;
use super::refusal::Outcome;
use super::transaction::{Condition, Role, Transaction, number, text};
use super::{KeyRange, Query, Rows, Store, StoreError, roster, unfinished};
use crate::budget;

/// How many memberships one transaction ends: three actions each, the log row, a check and the
/// note.
const BATCH: usize = 32;
/// How many members' rows of a group that is gone one transaction removes: two actions each, the
/// log row, the note.
const MEMBER_BATCH: usize = 49;
/// Calls of one part, and of those who work side by side.
const CALLS_OF_A_PART: usize = 2 * MAX_PARTS;
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
        let partition = tenant.memberships(member);
        let (rows, _) = self.query_some(Query::small(Rows::ids(&partition), most), most).await?;
        rows.iter().map(group).collect()
    }

    /// Which of these groups each of these is a member of. One call for each hundred of both.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn memberships_among(
        &self,
        tenant: &TenantKey,
        members: impl IntoIterator<Item = &ResourceId>,
        groups: &BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, Vec<ResourceId>>, StoreError> {
        let members: BTreeMap<String, &ResourceId> =
            members.into_iter().map(|member| (tenant.memberships(member), member)).collect();
        let keys = members
            .keys()
            .flat_map(|p| groups.iter().map(move |group| (p.clone(), group.to_string())));
        let mut memberships: BTreeMap<ResourceId, Vec<ResourceId>> = BTreeMap::new();
        for ((p, _), row) in self.get_many(keys.collect::<Vec<_>>(), Size::Small, None).await? {
            if let Some(member) = members.get(&p) {
                memberships.entry((*member).clone()).or_default().push(group(&row)?);
            }
        }
        Ok(memberships)
    }

    /// Ends all memberships of a resource that is gone, and notes with the last of them that
    /// nothing of it is unfinished. Idempotent: what a failure leaves, another call ends. One call
    /// without memberships. Stops if the resource comes back, `until` then, or where the request
    /// has no calls left.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn leave_all(
        &self,
        collection: &Collection,
        member: &ResourceId,
        note: Note,
        audit: &Audit,
        until: Instant,
    ) -> Result<Progress, StoreError> {
        let partition = collection.tenant.memberships(member);
        let mut after: Option<String> = None;
        loop {
            let rows = Rows::ids(&partition);
            let query =
                Query { after: after.as_deref(), limit: Some(BATCH), ..Query::small(rows, BATCH) };
            let (items, next) = self.query(query).await?;
            // The id may be that of a resource of another type, which is not concerned.
            let own = items.iter().filter(|item| item.text("k") == Some(letter(&collection.kind)));
            let groups: Vec<ResourceId> = own.map(group).collect::<Result<_, _>>()?;
            let note = if next.is_none() { note } else { Note::Nothing };
            if (!groups.is_empty() || note == Note::Finished)
                && !self.leave(collection, member, &groups, note, audit).await?
            {
                return Ok(Progress::Done);
            }
            if next.is_none() {
                return Ok(Progress::Done);
            }
            if Instant::now() >= until || !budget::left().suffices(CALLS_OF_A_PART, 0) {
                return Ok(Progress::Unfinished);
            }
            after = next;
        }
    }

    /// Ends some memberships of a resource; `false` if it is not gone.
    async fn leave(
        &self,
        collection: &Collection,
        member: &ResourceId,
        groups: &[ResourceId],
        note: Note,
        audit: &Audit,
    ) -> Result<bool, StoreError> {
        let home = Collection { tenant: collection.tenant.clone(), kind: Kind::Group };
        let mut loose = BTreeSet::new();
        loop {
            let mut transaction = Transaction::on(self);
            let gone_itself =
                Condition(GONE, vec![(":deleted", text("deleted")), (":now", number(audit.now))]);
            transaction.check(
                Role::Gone,
                Row::new(&collection.rows(), &collection.key(member)),
                gone_itself,
            )?;
            for (index, group) in groups.iter().enumerate() {
                let index = Some(index).filter(|index| !loose.contains(index));
                part(&mut transaction, &collection.tenant, group, member, index)?;
                if let Some(index) = index {
                    let head = Row::new(&home.rows(), &head(group, member));
                    step(&mut transaction, Role::Moved(index), head, (-1, None), audit)?;
                }
            }
            if note == Note::Finished {
                unfinished::end(&mut transaction, &collection.tenant, (&collection.kind, member))?;
            }
            if !groups.is_empty() {
                let digest = |group: &ResourceId| {
                    ("groups.remove".to_owned(), collection.tenant.log_digest(group.as_str()))
                };
                let changes: Vec<_> = groups.iter().map(digest).collect();
                log::add(&mut transaction, &collection.tenant, audit, member, None, &changes)?;
            }
            match self.conclude(transaction).await? {
                Outcome::Committed => return Ok(true),
                Outcome::Refused(refusal) if refusal.stale => return Ok(false),
                // Another call was faster, or these groups are gone themselves, or not there yet:
                // they have no heads to be stepped.
                Outcome::Refused(refusal) => loose.extend(refusal.already_applied),
            }
        }
    }

    /// Removes the members' rows of a group that is gone, parts of it side by side, and notes with
    /// the last of them that nothing of it is unfinished. Idempotent, as [`Store::leave_all`].
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn disband(
        &self,
        collection: &Collection,
        group: &ResourceId,
        note: Note,
        audit: &Audit,
        until: Instant,
    ) -> Result<Progress, StoreError> {
        // Most groups are small: others are noticed by what is left.
        let first = self
            .disband_part(collection, group, &KeyRange::all(), note, audit, Instant::now())
            .await?;
        if first == Progress::Done {
            return Ok(first);
        }
        let each = stream::iter(KeyRange::parts(MAX_PARTS)).map(|range| async move {
            self.disband_part(collection, group, &range, Note::Nothing, audit, until).await
        });
        let parts: Vec<Progress> = each.buffer_unordered(MAX_PARTS).try_collect().await?;
        match parts.contains(&Progress::Unfinished) {
            true => Ok(Progress::Unfinished),
            false => {
                self.disband_part(collection, group, &KeyRange::all(), note, audit, until).await
            }
        }
    }

    async fn disband_part(
        &self,
        collection: &Collection,
        group: &ResourceId,
        range: &KeyRange,
        note: Note,
        audit: &Audit,
        until: Instant,
    ) -> Result<Progress, StoreError> {
        let partition = collection.tenant.members(group);
        loop {
            let rows = Rows::Between(&partition, &range.from, &range.to);
            let (items, all) =
                self.query_some(Query::small(rows, MEMBER_BATCH), MEMBER_BATCH).await?;
            let mut transaction = Transaction::on(self);
            let mut moves = Vec::with_capacity(items.len());
            for item in &items {
                let member = roster::member(item)?.value;
                part(&mut transaction, &collection.tenant, group, &member, None)?;
                moves.push(MemberChange::Remove(member));
            }
            let note = if all { note } else { Note::Nothing };
            if note == Note::Finished {
                unfinished::end(&mut transaction, &collection.tenant, (&collection.kind, group))?;
            }
            match (moves.is_empty(), note) {
                (false, _) => {
                    drop(self.logged(transaction, collection, group, &moves, audit).await?)
                }
                (true, Note::Finished) => drop(self.conclude(transaction).await?),
                (true, Note::Nothing) => {}
            }
            if all {
                return Ok(Progress::Done);
            }
            if Instant::now() >= until || !budget::left().suffices(CALLS_OF_A_PART, 0) {
                return Ok(Progress::Unfinished);
            }
        }
    }
}

/// How far the removal of rows has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// No rows are left.
    Done,
    /// Others are left.
    Unfinished,
}

/// What is noted with the last rows that are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// That nothing of the resource is unfinished any more.
    Finished,
    /// Nothing: no row says that it was unfinished, or another step says so.
    Nothing,
}

fn group(item: &Item) -> Result<ResourceId, StoreError> {
    item.s()
        .parse()
        .map_err(|()| StoreError::broken("a membership's row has an id that is not valid"))
}
