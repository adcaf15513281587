//! How the members' rows of a deleted group are removed.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::ResourceId;
use tokio::time::Instant;

use super::budget::MEMBERS;
use super::progress::{Note, Progress, must_stop};
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::engine::ranges::{KeyRange, MAX_PARTS};
use crate::store::model::audit::Audit;
use crate::store::model::change::MemberChange;
use crate::store::model::collection::Collection;
use crate::store::rows::member;
use crate::store::rows::role::Transaction;
use crate::store::rows::unfinished;

/// A group that is gone.
struct Disbanding<'a> {
    store: &'a Store,
    collection: &'a Collection,
    group: &'a ResourceId,
    audit: &'a Audit,
    until: Instant,
}

impl Store {
    /// Removes the members' rows of a group that is gone, in parallel parts. The transaction that
    /// removes the last one records that the work is finished. You may call it again: it continues
    /// with what is left after a failure. It stops at `until`, or when the request has too few
    /// calls left.
    pub async fn disband(
        &self,
        collection: &Collection,
        group: &ResourceId,
        note: Note,
        audit: &Audit,
        until: Instant,
    ) -> Result<Progress, StoreError> {
        let disbanding = Disbanding { store: self, collection, group, audit, until };
        // Most groups are small. A larger one shows by what one transaction leaves.
        let once = Disbanding { until: Instant::now(), ..disbanding };
        if once.part(&KeyRange::all(), note).await? == Progress::Done {
            return Ok(Progress::Done);
        }
        let disbanding = &disbanding;
        let each = stream::iter(KeyRange::parts(MAX_PARTS))
            .map(|range| async move { disbanding.part(&range, Note::Nothing).await });
        let parts: Vec<Progress> = each.buffer_unordered(MAX_PARTS).try_collect().await?;
        if parts.contains(&Progress::Unfinished) {
            return Ok(Progress::Unfinished);
        }
        disbanding.part(&KeyRange::all(), note).await
    }
}

impl Disbanding<'_> {
    /// Removes the members' rows in a range, at least those of one transaction.
    async fn part(&self, range: &KeyRange, note: Note) -> Result<Progress, StoreError> {
        let partition = self.collection.tenant.members(self.group);
        loop {
            let query = RowQuery::small(KeyCondition::range(&partition, range), MEMBERS);
            let first = self.store.query_first(query, MEMBERS).await?;
            let members = first.rows.iter().map(|row| Ok(member::read(row)?.value));
            let members: Vec<ResourceId> = members.collect::<Result<_, StoreError>>()?;
            let note = if first.complete { note } else { Note::Nothing };
            self.remove(members, note).await?;
            if first.complete {
                return Ok(Progress::Done);
            }
            if must_stop(self.until) {
                return Ok(Progress::Unfinished);
            }
        }
    }

    /// Removes the rows of these members.
    async fn remove(&self, members: Vec<ResourceId>, note: Note) -> Result<(), StoreError> {
        let Self { store, collection, group, audit, .. } = *self;
        let mut transaction = Transaction::on(store);
        for member in &members {
            member::remove(&mut transaction, &collection.tenant, group, member, None)?;
        }
        if note == Note::Finished {
            unfinished::end_still(&mut transaction, collection, group)?;
        }
        // If another call was faster, nothing is written: the group may exist again.
        if !members.is_empty() {
            let changes: Vec<_> = members.into_iter().map(MemberChange::Remove).collect();
            store.commit_members(transaction, collection, group, &changes, audit).await?;
        } else if note == Note::Finished {
            store.conclude(transaction).await?;
        }
        Ok(())
    }
}
