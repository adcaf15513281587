//! DELETE, and the removal of a resource that the same request has created.

use scim_core::Error;

use super::context::{Call, Directory};
use super::lifecycle::conflict::{Attempt, Terms};
use super::lifecycle::states::{Event, State};
use super::policy::admit::admit_delete;
use super::precondition::Precondition;
use crate::store::{Guards, Kind, Operation, Outcome, Stored, Target, Transition};
use crate::tenant::ServedType;
use crate::tenant::profile::OnDelete;

impl Directory {
    /// Deletes a resource. It is gone for the client at once, its names are free, and it is no
    /// longer in any group. A user can be restored until the retention ends. Memberships that this
    /// request cannot remove are never shown, and a later write of the tenant removes them.
    ///
    /// # Errors
    /// 404 if the resource does not exist; 412 if the precondition does not hold; 403 or 400 if
    /// users cannot be deleted here; 429 or 403 while the brake is on; 503.
    pub async fn delete(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        precondition: &Precondition,
    ) -> Result<(), Error> {
        let collection = call.collection(&resource_type.kind);
        let mut terms = Terms::of_stored(call, resource_type);
        loop {
            terms.next_try()?;
            let audit = self.audit(call, Operation::Delete);
            let old = self.visible(call, resource_type, id, Event::Delete).await?;
            precondition.require_match(&old)?;
            admit_delete(resource_type, &call.tenant.profile)?;
            let to = self.after_deletion(call, resource_type, &old, audit.now);
            let change = Transition {
                expect: precondition.expect(),
                ..Transition::new(&collection, Some(&old), to, &audit, self.guards(call))
            };
            if self.try_removal(&mut terms, &old, change).await? {
                return Ok(());
            }
        }
    }

    /// Tries to commit the removal of a resource, and removes what it leaves in other rows; `false`
    /// if the resource must be read and judged again.
    pub(super) async fn try_removal(
        &self,
        terms: &mut Terms<'_>,
        old: &Stored,
        removal: Transition<'_>,
    ) -> Result<bool, Error> {
        let (audit, deletion) = (removal.audit, removal.soft_deletion());
        match self.store.commit(removal).await? {
            Outcome::Committed => {
                let kind = &terms.resource_type.kind;
                self.finish_deletion(terms.call, kind, (old, deletion), audit).await;
                Ok(true)
            }
            Outcome::Refused(refusal) => {
                self.yield_to(terms, Attempt::removing(old), refusal).await?;
                Ok(false)
            }
        }
    }

    /// What a deletion turns a resource into.
    pub(super) fn after_deletion(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        old: &Stored,
        now: i64,
    ) -> Target<'static> {
        let profile = &call.tenant.profile;
        let state = State::of(Some(old.standing()), now);
        match (&resource_type.kind, state.after(state.step(Event::Delete), profile)) {
            (Kind::User, State::SoftDeleted) => {
                let mut attributes = old.resource.attributes.clone();
                if profile.deprovision.on_delete == OnDelete::Deactivate {
                    attributes.set("active", false.into());
                }
                Target::Deleted { attributes, expires: self.deleted_until(call, now) }
            }
            (Kind::User | Kind::Group | Kind::Other(_), _) => Target::Gone,
        }
    }

    /// Removes a resource that the same request has created. Nothing of it is kept, even if the
    /// profile keeps deleted users.
    ///
    /// # Errors
    /// 404 if it is already gone; 503.
    pub async fn undo_create(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
    ) -> Result<(), Error> {
        let collection = call.collection(&resource_type.kind);
        // Undoing a create is not a deactivation: it must not count for the brake.
        let guards = Guards { brake_window: None, ..self.guards(call) };
        let mut terms = Terms::of_stored(call, resource_type);
        loop {
            terms.next_try()?;
            let audit = self.audit(call, Operation::Delete);
            let old = self.visible(call, resource_type, id, Event::Delete).await?;
            let change = Transition::new(&collection, Some(&old), Target::Gone, &audit, guards);
            if self.try_removal(&mut terms, &old, change).await? {
                return Ok(());
            }
        }
    }
}
