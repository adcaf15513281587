//! What earlier requests left: users whose time has come, and memberships of what is gone.

use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::{Error, ResourceId};
use tokio::time::{Instant, timeout_at};

use super::context::{Call, Directory};
use super::limits::{ERASED_AT_ONCE, FINISHED_AT_ONCE};
use crate::budget::{self, Limits};
use crate::store::{Audit, Cause, Kind, Note, Operation, Progress, StoreError, Stored, Unfinished};

/// How many of them at a time.
const CONCURRENCY: usize = 5;
/// How long a request tidies in addition to its own work; twice as long if DynamoDB does not
/// answer.
const MAX_TIDYING: Duration = Duration::from_secs(2);
/// How long a group may be in creation, in seconds: longer than a request may take.
const MAX_CREATION: i64 = 60;
/// How long the last step of removing rows may take where DynamoDB is slow.
const LAST_STEP: Duration = Duration::from_secs(3);

impl Directory {
    /// Erases some of the users whose time has come; for a request that `writes`, also goes on with
    /// what earlier requests left unfinished. Nobody sees either, so the request is answered
    /// whatever becomes of this. One call for tenants that may have users whose time comes, and for
    /// a write one more where something is unfinished; then as many as it takes, within a share of
    /// the request's budget.
    pub async fn tidy(&self, call: Call<'_>, writes: bool) {
        let call = Call { until: call.until.min(Instant::now() + MAX_TIDYING), ..call };
        let work = async {
            self.erase_overdue(call).await?;
            if writes { self.finish_earlier(call).await } else { Ok(()) }
        };
        let work = budget::within(Limits::SHARE_OF_TIDYING, work);
        match tokio::time::timeout(2 * MAX_TIDYING, work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "what is to be tidied is left for another request")
            }
            Err(_) => tracing::warn!("tidying takes long, and is left for another request"),
        }
    }

    /// Erases some of the visible users whose time has come.
    async fn erase_overdue(&self, call: Call<'_>) -> Result<(), Error> {
        if !call.tenant.is_expiring() {
            return Ok(());
        }
        let collection = call.collection(&Kind::User);
        let audit = Audit { actor: "expiry".into(), ..self.audit(call, Operation::Expire) };
        let due = self.store.due(&collection, audit.now, ERASED_AT_ONCE).await?;
        let (collection, audit, count) = (&collection, &audit, due.len());
        let each = stream::iter(due).map(|(expires, id)| async move {
            let left =
                self.store.leave_all(collection, &id, Note::Nothing, audit, call.until).await?;
            // The row of the user hides the memberships that are there still, so it goes last.
            if left == Progress::Done {
                self.store.expire(collection, expires, &id, audit).await?;
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

    /// Goes on with some of what earlier requests of the tenant left unfinished. No call if there
    /// is nothing, as far as the tenant's row tells, which may be a minute old.
    ///
    /// # Errors
    /// 503; what is left is left for another request.
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
            if one.since > audit.now - MAX_CREATION {
                return Ok(Progress::Unfinished);
            }
            if !self.store.abandon(&call.tenant.key(), &one.id).await? {
                // The group was created meanwhile, or somebody else has given it up.
                return Ok(Progress::Unfinished);
            }
        }
        self.finish(call, &one.kind, &one.id, true, &audit, call.until).await
    }

    /// Removes the rows that a deletion leaves, as far as the request may. The deletion itself has
    /// succeeded: what is left is shown to nobody, and a later write of the tenant goes on with it.
    pub(super) async fn finish_deletion(
        &self,
        call: Call<'_>,
        kind: &Kind,
        old: &Stored,
        audit: &Audit,
    ) {
        if !old.leaves_rows() {
            return;
        }
        let finish = self.finish(call, kind, &old.resource.id, old.grouped, audit, call.until);
        let last = call.until.max(Instant::now()) + LAST_STEP;
        let finished = timeout_at(last.min(call.answer_by()), finish).await;
        self.note_unfinished(call, finished.unwrap_or(Ok(Progress::Unfinished)));
    }

    /// Notes for this tenant's next writes what was not finished.
    pub(super) fn note_unfinished(&self, call: Call<'_>, finished: Result<Progress, Error>) {
        match finished {
            Ok(Progress::Done) => return,
            Ok(Progress::Unfinished) => {}
            Err(error) => {
                tracing::warn!(%error, "memberships of what is gone are left for a later write")
            }
        }
        call.tenant.set_unfinished(true);
    }

    /// Removes the rows of members of a resource that is gone, and its own memberships if it was
    /// ever `grouped`.
    pub(super) async fn finish(
        &self,
        call: Call<'_>,
        kind: &Kind,
        id: &ResourceId,
        grouped: bool,
        audit: &Audit,
        until: Instant,
    ) -> Result<Progress, Error> {
        let collection = call.collection(kind);
        if *kind == Kind::Group {
            let note = if grouped { Note::Nothing } else { Note::Finished };
            let disbanded = budget::apart(
                Limits::TIDYING,
                self.store.disband(&collection, id, note, audit, until),
            );
            let disbanded = disbanded.await?;
            if disbanded == Progress::Unfinished || !grouped {
                return Ok(disbanded);
            }
        }
        Ok(self.store.leave_all(&collection, id, Note::Finished, audit, until).await?)
    }
}
