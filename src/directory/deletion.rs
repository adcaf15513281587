//! How resources go, and leave their groups.

use scim_core::{Error, ErrorKind, ResourceId};

use super::life::{Event, State, Step};
use super::{Call, Directory, Precondition, TRIES, busy, check, policy};
use crate::store::{Act, Collection, Kind, Operation, Seen, Wrote};
use crate::tenant::profile::OnDelete;
use crate::tenant::{Type, unanswered};

impl Directory {
    /// Deletes a resource: it is gone for the client and its names are free at once, and it is in no
    /// group any more. A user can be brought back until the retention ends.
    ///
    /// # Errors
    /// 404 if there is no such resource, or not any more; 412 if the precondition does not hold; 503:
    /// then it may be gone already, and the same request removes what is left of its memberships.
    pub async fn delete(&self, call: Call<'_>, of: &Type, id: &str, precondition: &Precondition) -> Result<(), Error> {
        let at = call.collection(&of.kind);
        let act = self.act(call, Operation::Delete);
        for _ in 0..TRIES {
            let old = match self.visible(call, of, id, Event::Delete).await {
                Ok(old) => old,
                Err(gone) if gone.kind == ErrorKind::NotFound => {
                    return self.complete_deletion(call, of, id, gone).await;
                }
                Err(error) => return Err(error),
            };
            check(precondition, &old)?;
            policy::admit_delete(of, &call.tenant.profile)?;
            let state = State::of(Some(old.standing()), false, act.now).after(Step::Deprovision, &call.tenant.profile);
            let wrote = match (&of.kind, state) {
                (Kind::User, State::SoftDeleted) => {
                    let mut kept = old.resource.attributes.clone();
                    if call.tenant.profile.deprovision.on_delete == OnDelete::Deactivate {
                        kept.set("active", false.into());
                    }
                    self.store.delete_softly(&at, &old, kept, self.deleted_until(call, act.now), &act).await
                }
                _ => self.store.delete(&at, &old, precondition.seen(), &act).await,
            };
            match wrote.map_err(unanswered)? {
                Wrote::Stored => {
                    self.scatter(call, of, &old.resource.id).await?;
                    return Ok(());
                }
                Wrote::Refused(refusal) if refusal.braked => {
                    Box::pin(self.brake(call, &at, &old.resource.id)).await?;
                }
                Wrote::Refused(_) => {}
            }
        }
        Err(busy())
    }

    /// Removes what the same request has created: nothing of it is kept, whatever becomes of who is deleted.
    ///
    /// # Errors
    /// 404 if it is gone already; 503, as [`Directory::delete`].
    pub async fn withdraw(&self, call: Call<'_>, of: &Type, id: &str) -> Result<(), Error> {
        let at = call.collection(&of.kind);
        // Nobody is deactivated who was let in before.
        let act = Act { brake: None, ..self.act(call, Operation::Delete) };
        for _ in 0..TRIES {
            let old = self.visible(call, of, id, Event::Delete).await?;
            if matches!(self.store.delete(&at, &old, Seen::Row, &act).await.map_err(unanswered)?, Wrote::Stored) {
                return self.scatter(call, of, &old.resource.id).await.map(drop);
            }
        }
        Err(busy())
    }

    /// Ends the memberships of a resource that is gone, and a group's own; how many there were.
    async fn scatter(&self, call: Call<'_>, of: &Type, id: &ResourceId) -> Result<usize, Error> {
        let at = call.collection(&of.kind);
        let act = self.act(call, Operation::Delete);
        if matches!(of.kind, Kind::Other(_)) {
            return Ok(0);
        }
        let members = async {
            match of.kind {
                Kind::Group => self.disband(call, &at, id, &act).await,
                _ => Ok(0),
            }
        };
        let (members, groups) = tokio::try_join!(members, self.leave_all(call, &at, id, &act))?;
        Ok(members + groups)
    }

    /// Removes the members' rows of a group that is gone; how many there were.
    pub(super) async fn disband(
        &self,
        call: Call<'_>,
        at: &Collection,
        group: &ResourceId,
        act: &Act,
    ) -> Result<usize, Error> {
        whole(self.store.disband(at, group, act, call.until).await.map_err(unanswered)?)
    }

    /// Ends the memberships of a resource that is gone; how many there were.
    pub(super) async fn leave_all(
        &self,
        call: Call<'_>,
        at: &Collection,
        member: &ResourceId,
        act: &Act,
    ) -> Result<usize, Error> {
        whole(self.store.leave_all(at, member, act, call.until).await.map_err(unanswered)?)
    }

    /// A deletion of what is gone: with success if it completes one that was interrupted.
    async fn complete_deletion(&self, call: Call<'_>, of: &Type, id: &str, gone: Error) -> Result<(), Error> {
        match id.parse() {
            Ok(id) if self.scatter(call, of, &id).await? > 0 => Ok(()),
            _ => Err(gone),
        }
    }
}

/// How many rows were removed.
///
/// # Errors
/// 503 if others are left.
fn whole((removed, done): (usize, bool)) -> Result<usize, Error> {
    match done {
        true => Ok(removed),
        false => Err(Error::unavailable(
            "The resource is gone, and many of its memberships are still to be removed: send the same request again.",
        )),
    }
}
