//! How resources go, and leave their groups.

use std::time::Duration;

use scim_core::{Error, ResourceId};
use tokio::time::{Instant, timeout_at};

use super::life::{Event, State, Step};
use super::limits::FINISHED_AT_ONCE;
use super::{Call, Directory, Precondition, TRIES, contended, policy, require_match};
use crate::budget::{self, Limits};
use crate::store::{
    Audit, Cause, Guards, Kind, Note, Operation, Outcome, Progress, Stored, Target, Transition,
    Unfinished,
};
use crate::tenant::profile::OnDelete;
use crate::tenant::{ServedType, unanswered};

/// How long a group may be in creation, in seconds: longer than a request may take.
const MAX_CREATION: i64 = 60;
/// How long the last step of removing rows may take where DynamoDB is slow.
const LAST_STEP: Duration = Duration::from_secs(3);

impl Directory {
    /// Deletes a resource: it is gone for the client and its names are free at once, and it is in
    /// no group any more. A user can be brought back until the retention ends. Memberships that are
    /// not removed with it are shown to nobody, and a later write of the tenant removes them.
    ///
    /// # Errors
    /// 404 if there is no such resource, or not any more; 412 if the precondition does not hold;
    /// 503.
    pub async fn delete(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        precondition: &Precondition,
    ) -> Result<(), Error> {
        let collection = call.collection(&resource_type.kind);
        let audit = self.audit(call, Operation::Delete);
        for _ in 0..TRIES {
            let old = self.visible(call, resource_type, id, Event::Delete).await?;
            require_match(precondition, &old)?;
            policy::admit_delete(resource_type, &call.tenant.profile)?;
            let state = State::of(Some(old.standing()), audit.now)
                .after(Step::Deprovision, &call.tenant.profile);
            let to = match (&resource_type.kind, state) {
                (Kind::User, State::SoftDeleted) => {
                    let mut kept = old.resource.attributes.clone();
                    if call.tenant.profile.deprovision.on_delete == OnDelete::Deactivate {
                        kept.set("active", false.into());
                    }
                    Target::Deleted {
                        attributes: kept,
                        expires: self.deleted_until(call, audit.now),
                    }
                }
                _ => Target::Gone,
            };
            let change = Transition {
                expect: precondition.seen(),
                ..Transition::new(&collection, Some(&old), to, &audit, self.guards(call))
            };
            match self.store.commit(change).await.map_err(unanswered)? {
                Outcome::Committed => {
                    self.finish_deletion(call, &resource_type.kind, &old, &audit).await;
                    return Ok(());
                }
                Outcome::Refused(refusal) if refusal.brake_on => {
                    Box::pin(self.brake(call, &collection, &old.resource.id)).await?;
                }
                Outcome::Refused(_) => {}
            }
        }
        Err(contended())
    }

    /// Removes what the same request has created: nothing of it is kept, whatever becomes of
    /// deleted users.
    ///
    /// # Errors
    /// 404 if it is gone already; 503, as [`Directory::delete`].
    pub async fn undo_create(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
    ) -> Result<(), Error> {
        let collection = call.collection(&resource_type.kind);
        // Undoing a create is not a deactivation: it must not count for the brake.
        let guards = Guards { brake_window: None, ..self.guards(call) };
        let audit = self.audit(call, Operation::Delete);
        for _ in 0..TRIES {
            let old = self.visible(call, resource_type, id, Event::Delete).await?;
            let change = Transition::new(&collection, Some(&old), Target::Gone, &audit, guards);
            if matches!(self.store.commit(change).await.map_err(unanswered)?, Outcome::Committed) {
                self.finish_deletion(call, &resource_type.kind, &old, &audit).await;
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Removes the rows that a deletion leaves, as far as the request may. The deletion itself has
    /// succeeded: what is left is shown to nobody, and a later write of the tenant goes on with it.
    async fn finish_deletion(&self, call: Call<'_>, kind: &Kind, old: &Stored, audit: &Audit) {
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
            let disbanded = disbanded.await.map_err(unanswered)?;
            if disbanded == Progress::Unfinished || !grouped {
                return Ok(disbanded);
            }
        }
        self.store
            .leave_all(&collection, id, Note::Finished, audit, until)
            .await
            .map_err(unanswered)
    }

    /// Goes on with some of what earlier requests of the tenant left unfinished. No call if there
    /// is nothing, as far as the tenant's row tells, which may be a minute old.
    ///
    /// # Errors
    /// 503; what is left is left for another request.
    pub(super) async fn finish_earlier(&self, call: Call<'_>) -> Result<(), Error> {
        if !call.tenant.is_unfinished() {
            return Ok(());
        }
        let key = call.tenant.key();
        let unfinished =
            self.store.first_unfinished(&key, FINISHED_AT_ONCE).await.map_err(unanswered)?;
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
            if !self.store.abandon(&call.tenant.key(), &one.id).await.map_err(unanswered)? {
                // The group was created meanwhile, or somebody else has given it up.
                return Ok(Progress::Unfinished);
            }
        }
        self.finish(call, &one.kind, &one.id, true, &audit, call.until).await
    }
}
