//! Who is the same person.

use scim_core::resource::Attributes;
use scim_core::{Error, ResourceId};

use super::states::{Event, State, Step};
use crate::directory::context::Directory;
use crate::store::{Collection, NameOwners, Names, OwnerState, Stored};
use crate::tenant::ServedType;

impl Directory {
    /// The deleted user whom a POST of these names brings back: by the externalId, or else by the
    /// userName.
    pub(in crate::directory) async fn deleted_match(
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
        let found = self.store.restorable_by_external_id(collection, external_id, now).await?;
        let named =
            found.into_iter().filter(same_name).max_by_key(|user| user.resource.meta.last_modified);
        Ok(named.or(first))
    }

    /// Whether nobody visible but its owner has the externalId: one that many share says of nobody
    /// who it is.
    pub(in crate::directory) async fn owns_alone(
        &self,
        collection: &Collection,
        owner: &ResourceId,
        names: &Names,
    ) -> Result<bool, Error> {
        let Some(external_id) = names.external_id() else { return Ok(false) };
        let found =
            self.store.by_external_id(collection, external_id, self.clock.seconds()).await?;
        Ok(found
            .is_some_and(|found| matches!(found.as_slice(), [only] if only.resource.id == *owner)))
    }

    /// The user with this id, if it was deleted and can be brought back.
    pub(in crate::directory) async fn deleted(
        &self,
        collection: &Collection,
        id: &ResourceId,
    ) -> Result<Option<Stored>, Error> {
        let now = self.clock.seconds();
        let user = self.store.resource(collection, id, now).await?;
        Ok(user.filter(|user| {
            State::of(Some(user.standing()), now).step(Event::Restore) == Step::Restore
        }))
    }

    /// What a POST of these names does to the owner of one of them.
    pub(in crate::directory) fn step_of(&self, owner: &Stored, names: &Names) -> Step {
        let known = owner.names();
        let same = known.is_same_person(names) || known.shares_external_id(names);
        let event = if same { Event::Post } else { Event::Namesake };
        State::of(Some(owner.standing()), self.clock.seconds()).step(event)
    }
}

/// What a user has, under what a message asserts.
pub(in crate::directory) fn merged(
    resource_type: &ServedType,
    old: &Stored,
    asserted: &Attributes,
) -> Result<Attributes, Error> {
    let mut attributes = old.resource.attributes.clone();
    attributes.overlay(asserted.clone());
    resource_type.shape(&mut attributes)?;
    Ok(attributes)
}
