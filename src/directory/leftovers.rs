//! What earlier requests left to clean up: users who have expired, and memberships of resources
//! that are gone.

use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::{Error, ResourceId};
use tokio::time::{Instant, timeout_at};

use super::context::{Call, Directory, seconds};
use super::limits::{ERASED_AT_ONCE, FINISHED_AT_ONCE};
use crate::budget::{self, Limits};
use crate::store::{
    Audit, Cause, EXPIRY, Kind, Note, Operation, Progress, SoftDeletion, StoreError, Stored,
    Unfinished,
};

/// How many users are erased at a time.
const CONCURRENCY: usize = 5;
/// How long a request cleans up in addition to its own work; twice as long if DynamoDB does not
/// respond.
const MAX_TIDYING: Duration = Duration::from_secs(2);
/// How long creating a group, or deleting it, may take: longer than a request may take.
pub(super) const MAX_CREATION: Duration = Duration::from_secs(60);
/// How long the last step of removing rows may take when DynamoDB is slow.
const LAST_STEP: Duration = Duration::from_secs(3);

impl Directory {
    /// Erases some of the users who have expired. A request that writes also continues with what
    /// earlier requests left unfinished. Clients see neither, so the request is answered even if
    /// this fails. It takes one call for tenants whose users may expire, and one more for a write
    /// if something is unfinished. The work itself then takes further calls, within a share of the
    /// request's budget.
    pub async fn tidy(&self, call: Call<'_>, writes: bool) {
        let soft_deadline = call.soft_deadline.min(Instant::now() + MAX_TIDYING);
        let call = Call { soft_deadline, ..call };
        let work = async {
            self.erase_overdue(call).await?;
            if writes { self.finish_earlier(call).await } else { Ok(()) }
        };
        let work = budget::within(Limits::SHARE_OF_TIDYING, work);
        match tokio::time::timeout(2 * MAX_TIDYING, work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "cleaning up failed and is left to another request")
            }
            Err(_) => tracing::warn!("cleaning up takes too long and is left to another request"),
        }
    }

    /// Erases some of the visible users who have expired.
    async fn erase_overdue(&self, call: Call<'_>) -> Result<(), Error> {
        if !call.tenant.is_expiring() {
            return Ok(());
        }
        let users = call.collection(&Kind::User);
        let audit = Audit { actor: EXPIRY.into(), ..self.audit(call, Operation::Expire) };
        let due = self.store.due(&users, audit.now, ERASED_AT_ONCE).await?;
        let (users, audit, count) = (&users, &audit, due.len());
        let each = stream::iter(due).map(|(expires, id)| async move {
            let (work, until) = ((Note::Nothing, None), call.soft_deadline);
            let left = self.store.leave_all(users, &id, work, audit, until).await?;
            // The row of the user hides the memberships that still exist, so it goes last.
            if left == Progress::Done {
                self.store.expire(users, expires, &id, audit).await?;
            }
            Ok::<_, StoreError>(left)
        });
        let each = each.buffer_unordered(CONCURRENCY);
        let all = each.try_fold(true, async |all, left| Ok(all && left == Progress::Done)).await?;
        if all && count < ERASED_AT_ONCE {
            call.reads.nobody_is_overdue();
        }
        Ok(())
    }

    /// Goes on with some of the work that earlier requests of the tenant left unfinished. No call
    /// if the tenant's row, which may be a minute old, says that nothing is left.
    ///
    /// # Errors
    /// 503. The rest is left to another request.
    async fn finish_earlier(&self, call: Call<'_>) -> Result<(), Error> {
        if !call.tenant.is_unfinished() {
            return Ok(());
        }
        let key = call.tenant.key();
        let unfinished = self.store.first_unfinished(&key, FINISHED_AT_ONCE).await?;
        let mut done = unfinished.len() < FINISHED_AT_ONCE;
        for one in &unfinished {
            done &= self.finish_one(call, one).await? == Progress::Done;
        }
        call.tenant.set_unfinished(!done);
        Ok(())
    }

    async fn finish_one(&self, call: Call<'_>, one: &Unfinished) -> Result<Progress, Error> {
        let audit = self.audit(call, Operation::Delete);
        if one.cause == Cause::Creation {
            if one.since > audit.now - seconds(MAX_CREATION) {
                return Ok(Progress::Unfinished);
            }
            if !self.store.abandon(&call.tenant.key(), &one.id).await? {
                // The group was created in the meantime, or another request has abandoned it.
                return Ok(Progress::Unfinished);
            }
        }
        let Unfinished { kind, id, deletion, .. } = one;
        self.finish(call, (kind, id), true, *deletion, &audit).await
    }

    /// Removes the rows that a deletion leaves, as far as the request may. The deletion itself has
    /// succeeded: the remaining rows are never shown, and a later write of the tenant removes them.
    pub(super) async fn finish_deletion(
        &self,
        call: Call<'_>,
        kind: &Kind,
        (old, deletion): (&Stored, Option<SoftDeletion>),
        audit: &Audit,
    ) {
        if !old.leaves_rows() {
            return;
        }
        let finish = self.finish(call, (kind, &old.resource.id), old.grouped, deletion, audit);
        let last = call.soft_deadline.max(Instant::now()) + LAST_STEP;
        let finished = timeout_at(last.min(call.answer_by()), finish).await;
        self.note_unfinished(call, finished.unwrap_or(Ok(Progress::Unfinished)));
    }

    /// Removes the members that were written before a group that is not created. The remaining rows
    /// are never shown, and a later write of the tenant removes them.
    pub(super) async fn undo_preparation(&self, call: Call<'_>, group: &ResourceId) {
        let audit = self.audit(call, Operation::Create);
        let finished = self.finish(call, (&Kind::Group, group), false, None, &audit).await;
        self.note_unfinished(call, finished);
    }

    /// Tells the tenant's next writes that some work is unfinished.
    fn note_unfinished(&self, call: Call<'_>, finished: Result<Progress, Error>) {
        match finished {
            Ok(Progress::Done) => return,
            Ok(Progress::Unfinished) => {}
            Err(error) => {
                tracing::warn!(%error, "memberships of a deleted resource are left to a later \
                    write")
            }
        }
        call.tenant.set_unfinished(true);
    }

    /// Removes the rows of members of a resource that is gone, and its own memberships if it was
    /// ever `grouped`. Those of a user who was deleted softly are kept.
    pub(super) async fn finish(
        &self,
        call: Call<'_>,
        (kind, id): (&Kind, &ResourceId),
        grouped: bool,
        deletion: Option<SoftDeletion>,
        audit: &Audit,
    ) -> Result<Progress, Error> {
        let collection = call.collection(kind);
        let until = call.soft_deadline;
        // A group can be created again, so the removal of its members' rows goes last: the row of
        // unfinished work permits it.
        let note = if *kind == Kind::Group { Note::Nothing } else { Note::Finished };
        if grouped || *kind != Kind::Group {
            let work = (note, deletion);
            let left = self.store.leave_all(&collection, id, work, audit, until).await?;
            if left == Progress::Unfinished || *kind != Kind::Group {
                return Ok(left);
            }
        }
        let disband = self.store.disband(&collection, id, Note::Finished, audit, until);
        Ok(budget::apart(Limits::TIDYING, disband).await?)
    }
}
