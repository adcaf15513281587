//! How users come back: who was deleted, or is about to expire, and is the same person.

use scim_core::resource::Attributes;
use scim_core::{Error, Resource, ResourceId};
use serde_json::Value;

use super::conflict::{TRIES, another_owner, any_name, contended, uniqueness_error};
use super::identity::merged;
use super::states::Step;
use crate::directory::context::{Call, Directory};
use crate::directory::policy::seats::{no_seat, without_seat};
use crate::directory::resource::names_of;
use crate::store::{
    Audit, Collection, Kind, Names, Note, Operation, Outcome, OwnerState, Progress, Refusal,
    ResourceWrite, Stored, Target, Transition,
};
use crate::tenant::ServedType;

impl Directory {
    /// Brings `old` back with `asserted` laid over its attributes; `None` if its row changed.
    /// Groups that it is still in, because a deletion was interrupted, it leaves first. A unique
    /// value that it had, and another has by now, it comes back without.
    pub(super) async fn restore(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        old: &Stored,
        asserted: &Attributes,
    ) -> Result<Option<Resource>, Error> {
        let collection = call.collection(&resource_type.kind);
        let audit = self.audit(call, Operation::Restore);
        self.leave_before_return(call, &collection, old, &audit).await?;
        let mut attributes = merged(resource_type, old, asserted)?;
        let mut takeover = any_name();
        for _ in 0..TRIES {
            let names = names_of(resource_type, &attributes)?;
            let resource = self.next_version(old, attributes.clone());
            let new = ResourceWrite { resource: &resource, names: &names, takeover, expires: None };
            match self
                .store
                .commit(Transition::new(
                    &collection,
                    Some(old),
                    Target::Live(new),
                    &audit,
                    self.guards(call),
                ))
                .await?
            {
                Outcome::Committed => return Ok(Some(resource)),
                Outcome::Refused(refusal) => {
                    let taken = value_taken_since(call, &names, &refusal);
                    if let Some(taken) =
                        taken.filter(|taken| !asserted.names().iter().any(|name| name == taken))
                    {
                        attributes.remove(taken);
                        continue;
                    }
                    uniqueness_error(resource_type, &names, &refusal)?;
                    another_owner(call, resource_type, &mut takeover, &refusal)?;
                    if refusal.no_seat {
                        without_seat(&call.tenant.profile, &mut attributes)?;
                    } else if refusal.owners.external_id.is_none() {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Ends the memberships of a deleted user that the deletion left unfinished: it comes back in
    /// no group.
    ///
    /// # Errors
    /// 503 if there are more than the request may end.
    async fn leave_before_return(
        &self,
        call: Call<'_>,
        collection: &Collection,
        old: &Stored,
        audit: &Audit,
    ) -> Result<(), Error> {
        let id = &old.resource.id;
        if !old.grouped
            || !self.store.is_unfinished(&collection.tenant, &collection.kind, id).await?
        {
            return Ok(());
        }
        match self.store.leave_all(collection, id, Note::Finished, audit, call.until).await? {
            Progress::Done => Ok(()),
            Progress::Unfinished => Err(contended()),
        }
    }

    /// The user whose clock a POST stops: suspended with expiry, and the same person, perhaps under
    /// another name.
    pub(super) async fn cancel_expiry(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        owner: &ResourceId,
        names: &Names,
        asserted: &Attributes,
    ) -> Result<Return, Error> {
        if resource_type.kind != Kind::User || !call.tenant.is_expiring() {
            return Ok(Return::Stays);
        }
        let collection = call.collection(&resource_type.kind);
        for _ in 0..TRIES {
            let now = self.clock.seconds();
            let old = self.store.resource(&collection, owner, now).await?;
            let Some(old) = old.filter(|old| old.is_visible(now)) else { return Ok(Return::Gone) };
            if self.step_of(&old, names) != Step::Return {
                return Ok(Return::Stays);
            }
            let attributes = merged(resource_type, &old, asserted)?;
            let (names, audit) =
                (names_of(resource_type, &attributes)?, self.audit(call, Operation::Restore));
            let resource = self.next_version(&old, attributes);
            let expires = self.visible_until(call, resource_type, &old, &resource.attributes);
            let new =
                ResourceWrite { resource: &resource, names: &names, takeover: any_name(), expires };
            match self
                .store
                .commit(Transition::new(
                    &collection,
                    Some(&old),
                    Target::Live(new),
                    &audit,
                    self.guards(call),
                ))
                .await?
            {
                Outcome::Committed => return Ok(Return::Returned(Box::new(resource))),
                Outcome::Refused(refusal) => {
                    uniqueness_error(resource_type, &names, &refusal)?;
                    if refusal.no_seat {
                        return Err(no_seat());
                    }
                }
            }
        }
        Err(contended())
    }

    /// Brings a deleted user back for the operator, under another name if one is given.
    ///
    /// # Errors
    /// 404 if there is no such deleted user; 409 if its name belongs to somebody else now; 403
    /// without a seat.
    pub async fn restore_by_operator(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
        user_name: Option<&str>,
    ) -> Result<Resource, Error> {
        let collection = call.collection(&resource_type.kind);
        for _ in 0..TRIES {
            let Some(old) = self.deleted(&collection, id).await? else {
                return Err(Error::not_found(
                    "There is no deleted user with this id who can come back.",
                ));
            };
            let mut asserted = Attributes::default();
            asserted.set("active", Value::Bool(true));
            if let Some(name) = user_name {
                asserted.set("userName", Value::String(name.to_owned()));
            }
            if let Some(user) = self.restore(call, resource_type, &old, &asserted).await? {
                return Ok(user);
            }
        }
        Err(contended())
    }
}

/// What a POST does to the visible owner of its userName.
pub(super) enum Return {
    /// The owner's clock is stopped: it is the same person.
    Returned(Box<Resource>),
    /// The owner stays as it is.
    Stays,
    /// The owner is not visible any more.
    Gone,
}

/// The attribute whose unique value belongs to somebody else by now; never the userName.
fn value_taken_since<'n>(call: Call<'_>, names: &'n Names, refusal: &Refusal) -> Option<&'n str> {
    let unique_external_id = call.tenant.profile.attributes.unique_external_id;
    match &refusal.owners.external_id {
        Some((_, OwnerState::Live | OwnerState::Unmanaged)) if unique_external_id => {
            Some("externalId")
        }
        _ => refusal.unique.and_then(|index| names.unique_attribute(index)),
    }
}
