//! How the memberships of a deleted resource end.

use std::collections::BTreeSet;

use scim_core::ResourceId;
use tokio::time::Instant;

use super::budget::MEMBERSHIPS;
use super::progress::{Note, Progress, must_stop};
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Key, number, text, version};
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::engine::transaction::Condition;
use crate::store::model::audit::Audit;
use crate::store::model::collection::{Collection, Kind};
use crate::store::model::departure::SoftDeletion;
use crate::store::model::refusal::Outcome;
use crate::store::rows::heads::{self, Step};
use crate::store::rows::log::{self, Entry};
use crate::store::rows::member::{self, TYPE, letter};
use crate::store::rows::membership::group;
use crate::store::rows::past;
use crate::store::rows::resource::{self, DELETED};
use crate::store::rows::role::{Role, Transaction};
use crate::store::rows::unfinished;

/// The resource is gone: removed, deleted, or expired.
const GONE: &str = "attribute_not_exists(p) OR st = :deleted OR x <= :now";
/// The user is gone by a deletion that made this version, or expired.
const GONE_BY: &str = "attribute_not_exists(p) OR (st = :deleted AND v = :version) OR x <= :now";

/// A resource that leaves its groups.
#[derive(Debug, Clone, Copy)]
struct Leaver<'a> {
    collection: &'a Collection,
    id: &'a ResourceId,
    deletion: Option<SoftDeletion>,
}

impl Store {
    /// Ends all memberships of a resource that is gone, and, together with the last of them,
    /// records that its work is finished. You may call it again: it continues with what is left
    /// after a failure. One call without memberships. It stops when the resource comes back, at
    /// `until`, or when the request has too few calls left. The memberships of a user who was
    /// deleted softly are kept, as `deletion` says.
    pub async fn leave_all(
        &self,
        collection: &Collection,
        member: &ResourceId,
        (note, deletion): (Note, Option<SoftDeletion>),
        audit: &Audit,
        until: Instant,
    ) -> Result<Progress, StoreError> {
        let leaver = Leaver { collection, id: member, deletion };
        let partition = collection.tenant.memberships(member);
        let mut after: Option<String> = None;
        loop {
            let query = RowQuery {
                after: after.as_deref(),
                limit: Some(MEMBERSHIPS),
                ..RowQuery::small(KeyCondition::ids(&partition), MEMBERSHIPS)
            };
            let page = self.query(query).await?;
            // A resource of another type may have the same id; its memberships stay.
            let letter = Some(letter(&collection.kind));
            let own = page.rows.iter().filter(|row| row.text(TYPE) == letter);
            let groups: Vec<ResourceId> = own.map(group).collect::<Result<_, _>>()?;
            let next = page.next;
            let note = if next.is_none() { note } else { Note::Nothing };
            if (!groups.is_empty() || note == Note::Finished)
                && !self.leave(leaver, &groups, note, audit).await?
            {
                return Ok(Progress::Done);
            }
            if next.is_none() {
                return Ok(Progress::Done);
            }
            if must_stop(until) {
                return Ok(Progress::Unfinished);
            }
            after = next;
        }
    }

    /// Ends some memberships of a resource; `false` if it is not gone.
    async fn leave(
        &self,
        leaver: Leaver<'_>,
        groups: &[ResourceId],
        note: Note,
        audit: &Audit,
    ) -> Result<bool, StoreError> {
        let Leaver { collection, id: member, .. } = leaver;
        let home = Collection { tenant: collection.tenant.clone(), kind: Kind::Group };
        let mut without_head = BTreeSet::new();
        loop {
            let mut transaction = Transaction::on(self);
            leaver.require_gone(&mut transaction, audit.now)?;
            for (index, group) in groups.iter().enumerate() {
                let index = Some(index).filter(|index| !without_head.contains(index));
                remove(&mut transaction, &home, (group, member), index, audit)?;
            }
            if note == Note::Finished {
                unfinished::end(&mut transaction, collection, member)?;
            }
            if !groups.is_empty() {
                leaver.record(&mut transaction, groups, audit)?;
            }
            match self.conclude(transaction).await? {
                Outcome::Committed => return Ok(true),
                Outcome::Refused(refusal) if refusal.stale => return Ok(false),
                Outcome::Refused(refusal) if refusal.already_applied.is_empty() => {
                    return Err(StoreError::broken("an unknown reason keeps memberships"));
                }
                // Another call was faster, or these groups are gone too or not created yet: they
                // have no heads to increment.
                Outcome::Refused(refusal) => without_head.extend(refusal.already_applied),
            }
        }
    }
}

impl Leaver<'_> {
    /// Requires the resource to be gone.
    fn require_gone(&self, transaction: &mut Transaction, now: i64) -> Result<(), StoreError> {
        let mut values = vec![(":deleted", text(DELETED)), (":now", number(now))];
        let gone = match self.deletion {
            None => GONE,
            Some(deletion) => {
                values.push((":version", version(deletion.version)));
                GONE_BY
            }
        };
        let key = resource::key(self.collection, self.id);
        transaction.check(Role::Leaver, key, Condition(gone, values))
    }

    /// Adds the row of the log, and keeps the memberships of a user who was deleted softly.
    fn record(
        &self,
        transaction: &mut Transaction,
        groups: &[ResourceId],
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let Self { collection: Collection { tenant, kind }, id, deletion } = *self;
        let entry = Entry::resource(kind, id).left(groups);
        log::add(transaction, tenant.code(), audit, entry)?;
        let kept =
            deletion.map(|deletion| past::keep(transaction, tenant, (id, groups), deletion, audit));
        kept.unwrap_or(Ok(()))
    }
}

/// Adds the end of one membership and, with an index, the increment of its head.
fn remove(
    transaction: &mut Transaction,
    groups: &Collection,
    (group, member): (&ResourceId, &ResourceId),
    index: Option<usize>,
    audit: &Audit,
) -> Result<(), StoreError> {
    member::remove(transaction, &groups.tenant, group, member, index)?;
    let Some(index) = index else { return Ok(()) };
    let step = Step {
        role: Role::Member(index),
        head: Key::new(groups.partition(), heads::key(group, member)),
        members: -1,
        seen: None,
        milliseconds: audit.milliseconds,
    };
    heads::step(transaction, step)
}
