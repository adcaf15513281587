//! How users come back: who was deleted, or is about to expire, and is the same person.

use scim_core::resource::Attributes;
use scim_core::{Error, Resource, ResourceId};
use serde_json::Value;

use super::life::{Event, State, Step};
use super::{
    Call, Directory, TRIES, another_owner, contended, lifecycle, names_of, policy, uniqueness_error,
};
use crate::store::{
    Audit, Collection, Kind, NameOwners, Names, Note, Operation, Outcome, OwnerState, Progress,
    Refusal, ResourceWrite, Stored, Takeover, Target, Transition,
};
use crate::tenant::profile::Deleted;
use crate::tenant::{ServedType, unanswered};

impl Directory {
    /// What follows from a refused creation: somebody comes back, or it is tried again under other
    /// terms.
    pub(super) async fn resolve_conflict(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        names: &Names,
        attributes: &Attributes,
        takeover: &mut Takeover,
        refusal: &Refusal,
    ) -> Result<Option<Resource>, Error> {
        let collection = call.collection(&resource_type.kind);
        if let Some((owner, OwnerState::Live)) = &refusal.owners.name {
            match Box::pin(self.cancel_expiry(call, resource_type, owner, names, attributes))
                .await?
            {
                Return::Returned(user) => return Ok(Some(*user)),
                // It is deleted meanwhile, and its name is free.
                Return::Gone => return Ok(None),
                Return::Stays => {}
            }
        }
        if matches!(refusal.owners.name, Some((_, OwnerState::Live | OwnerState::Unmanaged))) {
            uniqueness_error(resource_type, names, refusal)?;
        }
        if let Some((_, OwnerState::Unmanaged)) = &refusal.owners.external_id {
            return Err(Error::uniqueness(
                "externalId belongs to a user whom the product had before and who is not \
                provisioned through SCIM.",
            ));
        }
        if resource_type.kind == Kind::User
            && call.tenant.profile.create.deleted != Deleted::New
            && let Some(old) = self.deleted_match(&collection, names, &refusal.owners).await?
        {
            return Box::pin(self.restore(call, resource_type, &old, attributes)).await;
        }
        if let Some((owner, OwnerState::Live)) = &refusal.owners.external_id
            && call.tenant.is_expiring()
            && self.owns_alone(&collection, owner, names).await?
            && let Return::Returned(user) =
                Box::pin(self.cancel_expiry(call, resource_type, owner, names, attributes)).await?
        {
            return Ok(Some(*user));
        }
        uniqueness_error(resource_type, names, refusal)?;
        another_owner(call, resource_type, takeover, refusal)?;
        takeover.name |= refusal.owners.name.is_some();
        Ok(None)
    }

    /// The deleted user whom a POST of these names brings back: by the externalId, or else by the
    /// userName.
    pub(super) async fn deleted_match(
        &self,
        collection: &Collection,
        names: &Names,
        owners: &NameOwners,
    ) -> Result<Option<Stored>, Error> {
        if let Some((owner, holding)) = &owners.external_id
            && let Some(user) = self
                .same_external_id(collection, names, owner, *holding == OwnerState::Deleted)
                .await?
        {
            return Ok(Some(user));
        }
        let Some((owner, OwnerState::Deleted)) = &owners.name else { return Ok(None) };
        let owner = self.deleted(collection, owner).await?;
        // A claim that a rename left behind leads to somebody of another name.
        Ok(owner.filter(|owner| self.step_of(owner, names) == Step::Return))
    }

    /// The deleted user whom an externalId brings back: one who also had the userName, or else its
    /// first owner, if that one was deleted.
    async fn same_external_id(
        &self,
        collection: &Collection,
        names: &Names,
        first: &ResourceId,
        first_is_deleted: bool,
    ) -> Result<Option<Stored>, Error> {
        let Some(external_id) = names.external_id() else { return Ok(None) };
        let same_name = |user: &Stored| user.names().name() == names.name();
        let first = if first_is_deleted { self.deleted(collection, first).await? } else { None };
        let first = first.filter(|first| first.names().external_id() == Some(external_id));
        if first.as_ref().is_some_and(same_name) {
            return Ok(first);
        }
        let now = self.clock.seconds();
        let found = self
            .store
            .restorable_by_external_id(collection, external_id, now)
            .await
            .map_err(unanswered)?;
        let named =
            found.into_iter().filter(same_name).max_by_key(|user| user.resource.meta.last_modified);
        Ok(named.or(first))
    }

    /// Whether nobody visible but its owner has the externalId: one that many share says of nobody
    /// who it is.
    pub(super) async fn owns_alone(
        &self,
        collection: &Collection,
        owner: &ResourceId,
        names: &Names,
    ) -> Result<bool, Error> {
        let Some(external_id) = names.external_id() else { return Ok(false) };
        let found = self
            .store
            .by_external_id(collection, external_id, self.clock.seconds())
            .await
            .map_err(unanswered)?;
        Ok(found
            .is_some_and(|found| matches!(found.as_slice(), [only] if only.resource.id == *owner)))
    }

    /// The user with this id, if it was deleted and can be brought back.
    pub(super) async fn deleted(
        &self,
        collection: &Collection,
        id: &ResourceId,
    ) -> Result<Option<Stored>, Error> {
        let now = self.clock.seconds();
        let user = self.store.resource(collection, id, now).await.map_err(unanswered)?;
        Ok(user.filter(|user| {
            State::of(Some(user.standing()), now).step(Event::Restore) == Step::Restore
        }))
    }

    /// What a POST of these names does to the owner of one of them.
    pub(super) fn step_of(&self, owner: &Stored, names: &Names) -> Step {
        let known = owner.names();
        let same = known.is_same_person(names) || known.shares_external_id(names);
        let event = if same { Event::Post } else { Event::Namesake };
        State::of(Some(owner.standing()), self.clock.seconds()).step(event)
    }

    /// Brings `old` back with `asserted` laid over its attributes; `None` if its row changed.
    /// Groups that it is still in, because a deletion was interrupted, it leaves first. A unique
    /// value that it had, and another has by now, it comes back without.
    async fn restore(
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
        let mut takeover = lifecycle::any_name();
        for _ in 0..TRIES {
            let names = names_of(resource_type, &attributes)?;
            let resource = self.next_version(old, attributes.clone());
            let new = ResourceWrite { resource: &resource, names: &names, takeover, expires: None };
            let to = Target::Live(new);
            let change = Transition::new(&collection, Some(old), to, &audit, self.guards(call));
            match self.store.commit(change).await.map_err(unanswered)? {
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
                        policy::without_seat(&call.tenant.profile, &mut attributes)?;
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
            || !self
                .store
                .is_unfinished(&collection.tenant, &collection.kind, id)
                .await
                .map_err(unanswered)?
        {
            return Ok(());
        }
        match self
            .store
            .leave_all(collection, id, Note::Finished, audit, call.until)
            .await
            .map_err(unanswered)?
        {
            Progress::Done => Ok(()),
            Progress::Unfinished => Err(contended()),
        }
    }

    /// The user whose clock a POST stops: suspended with expiry, and the same person, perhaps under
    /// another name.
    async fn cancel_expiry(
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
            let old = self.store.resource(&collection, owner, now).await.map_err(unanswered)?;
            let Some(old) = old.filter(|old| old.is_visible(now)) else { return Ok(Return::Gone) };
            if self.step_of(&old, names) != Step::Return {
                return Ok(Return::Stays);
            }
            let attributes = merged(resource_type, &old, asserted)?;
            let (names, audit) =
                (names_of(resource_type, &attributes)?, self.audit(call, Operation::Restore));
            let resource = self.next_version(&old, attributes);
            let expires = self.visible_until(call, resource_type, &old, &resource.attributes);
            let new = ResourceWrite {
                resource: &resource,
                names: &names,
                takeover: lifecycle::any_name(),
                expires,
            };
            let to = Target::Live(new);
            let change = Transition::new(&collection, Some(&old), to, &audit, self.guards(call));
            match self.store.commit(change).await.map_err(unanswered)? {
                Outcome::Committed => return Ok(Return::Returned(Box::new(resource))),
                Outcome::Refused(refusal) => {
                    uniqueness_error(resource_type, &names, &refusal)?;
                    if refusal.no_seat {
                        return Err(policy::no_seat());
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
enum Return {
    /// The owner's clock is stopped: it is the same person.
    Returned(Box<Resource>),
    /// The owner stays as it is.
    Stays,
    /// The owner is not visible any more.
    Gone,
}

/// What a user has, under what a message asserts.
pub(super) fn merged(
    resource_type: &ServedType,
    old: &Stored,
    asserted: &Attributes,
) -> Result<Attributes, Error> {
    let mut attributes = old.resource.attributes.clone();
    attributes.overlay(asserted.clone());
    resource_type.shape(&mut attributes)?;
    Ok(attributes)
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
