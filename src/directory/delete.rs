//! DELETE, and a creation that is taken back.

use scim_core::Error;

use super::context::{Call, Directory};
use super::lifecycle::conflict::{TRIES, contended};
use super::lifecycle::states::{Event, State, Step};
use super::policy::admit::admit_delete;
use super::precondition::{Precondition, require_match};
use crate::store::{Guards, Kind, Operation, Outcome, Target, Transition};
use crate::tenant::ServedType;
use crate::tenant::profile::OnDelete;

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
            admit_delete(resource_type, &call.tenant.profile)?;
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
            match self.store.commit(change).await? {
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
            if matches!(
                self.store
                    .commit(Transition::new(&collection, Some(&old), Target::Gone, &audit, guards))
                    .await?,
                Outcome::Committed
            ) {
                self.finish_deletion(call, &resource_type.kind, &old, &audit).await;
                return Ok(());
            }
        }
        Err(contended())
    }
}
