//! How the members' rows of a deleted group are removed.

use scim_core::ResourceId;
use tokio::time::Instant;

use super::budget::MEMBERS;
use super::progress::{Note, Progress, must_stop};
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::audit::Audit;
use crate::store::model::change::MemberChange;
use crate::store::model::collection::Collection;
use crate::store::model::refusal::Outcome;
use crate::store::rows::member;
use crate::store::rows::role::Transaction;
use crate::store::rows::unfinished;

/// A group that is gone.
struct Disbanding<'a> {
    store: &'a Store,
    collection: &'a Collection,
    group: &'a ResourceId,
    note: Note,
    audit: &'a Audit,
}

impl Store {
    /// Removes the members' rows of a group that is gone. The transaction that removes the last one
    /// records that the work is finished. You may call it again: it continues with what is left
    /// after a failure. It stops at `until`, when the request has too few calls left, or when
    /// another call has finished the work.
    ///
    /// Each transaction requires that the work is still recorded as unfinished: as soon as it is
    /// not, an undo can create the group again. All of them check the same row, so they would
    /// conflict if they were made in parallel.
    pub async fn disband(
        &self,
        collection: &Collection,
        group: &ResourceId,
        note: Note,
        audit: &Audit,
        until: Instant,
    ) -> Result<Progress, StoreError> {
        let disbanding = Disbanding { store: self, collection, group, note, audit };
        loop {
            if disbanding.portion().await? == Progress::Done {
                return Ok(Progress::Done);
            }
            if must_stop(until) {
                return Ok(Progress::Unfinished);
            }
        }
    }
}

impl Disbanding<'_> {
    /// Removes the members' rows of one transaction.
    async fn portion(&self) -> Result<Progress, StoreError> {
        let partition = self.collection.tenant.members(self.group);
        let query = RowQuery::small(KeyCondition::ids(&partition), MEMBERS);
        let first = self.store.query_first(query, MEMBERS).await?;
        let members = first.rows.iter().map(|row| Ok(member::read(row)?.value));
        let members: Vec<ResourceId> = members.collect::<Result<_, StoreError>>()?;
        let note = if first.complete { self.note } else { Note::Nothing };
        let outcome = self.remove(members, note).await?;
        let is_over = first.complete || matches!(outcome, Outcome::Refused(_));
        Ok(if is_over { Progress::Done } else { Progress::Unfinished })
    }

    /// Removes the rows of these members, if the work is still unfinished.
    async fn remove(&self, members: Vec<ResourceId>, note: Note) -> Result<Outcome, StoreError> {
        let Self { store, collection, group, audit, .. } = *self;
        let mut transaction = Transaction::on(store);
        for member in &members {
            member::remove(&mut transaction, &collection.tenant, group, member, None)?;
        }
        match note {
            Note::Finished => unfinished::end_still(&mut transaction, collection, group)?,
            Note::Nothing if members.is_empty() => return Ok(Outcome::Committed),
            Note::Nothing => unfinished::require(&mut transaction, collection, group)?,
        }
        if members.is_empty() {
            return store.conclude(transaction).await;
        }
        let changes: Vec<_> = members.into_iter().map(MemberChange::Remove).collect();
        store.commit_members(transaction, collection, group, &changes, audit).await
    }
}
