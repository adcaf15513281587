//! DELETE, and a creation that is taken back.

use scim_core::Error;

use super::context::{Call, Directory};
use super::lifecycle::conflict::{TRIES, contended};
use super::lifecycle::states::{Event, State, Step};
use super::policy::admit::admit_delete;
use super::precondition::{Precondition, require_match};
use crate::store::{Act, Expect, Kind, Operation, Outcome};
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
        let act = self.act(call, Operation::Delete);
        for _ in 0..TRIES {
            let old = self.visible(call, resource_type, id, Event::Delete).await?;
            require_match(precondition, &old)?;
            admit_delete(resource_type, &call.tenant.profile)?;
            let state = State::of(Some(old.standing()), act.now)
                .after(Step::Deprovision, &call.tenant.profile);
            let wrote = match (&resource_type.kind, state) {
                (Kind::User, State::SoftDeleted) => {
                    let mut kept = old.resource.attributes.clone();
                    if call.tenant.profile.deprovision.on_delete == OnDelete::Deactivate {
                        kept.set("active", false.into());
                    }
                    self.store
                        .delete_softly(
                            &collection,
                            &old,
                            kept,
                            self.deleted_until(call, act.now),
                            &act,
                        )
                        .await
                }
                _ => self.store.delete(&collection, &old, precondition.seen(), &act).await,
            };
            match wrote? {
                Outcome::Committed => {
                    self.finish_deletion(call, &resource_type.kind, &old, &act).await;
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
        let act = Act { brake: None, ..self.act(call, Operation::Delete) };
        for _ in 0..TRIES {
            let old = self.visible(call, resource_type, id, Event::Delete).await?;
            if matches!(
                self.store.delete(&collection, &old, Expect::Row, &act).await?,
                Outcome::Committed
            ) {
                self.finish_deletion(call, &resource_type.kind, &old, &act).await;
                return Ok(());
            }
        }
        Err(contended())
    }
}
