//! Identity: which stored user the names in a message identify.

use scim_core::resource::Attributes;
use scim_core::{Error, ResourceId};

use super::states::{Event, State, Step};
use crate::directory::context::{Call, Directory};
use crate::store::{Collection, NameOwners, Names, OwnerState, Stored};
use crate::tenant::ServedType;

/// What a POST says about a user.
#[derive(Debug, Clone, Copy)]
pub(in crate::directory) struct Assertion<'a> {
    pub(in crate::directory) call: Call<'a>,
    pub(in crate::directory) resource_type: &'a ServedType,
    /// The names among the attributes.
    pub(in crate::directory) names: &'a Names,
    pub(in crate::directory) attributes: &'a Attributes,
}

impl Assertion<'_> {
    pub(super) fn collection(&self) -> Collection {
        self.call.collection(&self.resource_type.kind)
    }
}

impl Directory {
    /// What a POST with these names does to the user who owns one of them.
    pub(super) fn step_of(&self, owner: &Stored, names: &Names) -> Step {
        let event =
            if is_same_person(owner.names(), names) { Event::Post } else { Event::Namesake };
        State::of(Some(owner.standing()), self.clock.seconds()).step(event)
    }

    /// The deleted user whom a POST with these names restores, found by the externalId or otherwise
    /// by the userName.
    pub(super) async fn deleted_match(
        &self,
        collection: &Collection,
        names: &Names,
        owners: &NameOwners,
    ) -> Result<Option<Stored>, Error> {
        if let Some((owner, state)) = &owners.external_id
            && let Some(user) = self.same_external_id(collection, names, owner, *state).await?
        {
            return Ok(Some(user));
        }
        let Some((owner, OwnerState::Deleted)) = &owners.name else { return Ok(None) };
        let owner = self.deleted(collection, owner).await?;
        // A rename may leave a claim behind, which leads to a user of another name.
        Ok(owner.filter(|owner| self.step_of(owner, names) == Step::Return))
    }

    /// The deleted user whom an externalId restores: the one who also had the userName, or
    /// otherwise the first owner, if that user was deleted.
    async fn same_external_id(
        &self,
        collection: &Collection,
        names: &Names,
        first: &ResourceId,
        first_state: OwnerState,
    ) -> Result<Option<Stored>, Error> {
        let Some(external_id) = names.external_id() else { return Ok(None) };
        let same_name = |user: &Stored| user.names().name() == names.name();
        let first = match first_state {
            OwnerState::Deleted => self.deleted(collection, first).await?,
            OwnerState::Live | OwnerState::Unmanaged => None,
        };
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

    /// Whether this user is the only visible one with the externalId. A value that several users
    /// share does not identify a user.
    pub(super) async fn owns_alone(
        &self,
        collection: &Collection,
        owner: &ResourceId,
        names: &Names,
    ) -> Result<bool, Error> {
        let Some(external_id) = names.external_id() else { return Ok(false) };
        let now = self.clock.seconds();
        let found = self.store.by_external_id(collection, external_id, now).await?;
        Ok(found
            .is_some_and(|found| matches!(found.as_slice(), [only] if only.resource.id == *owner)))
    }

    /// The user with this id, if it was deleted and can be restored.
    pub(super) async fn deleted(
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

    /// Whether a visible user has the name, or too many users have it to tell.
    pub(super) async fn is_name_taken(
        &self,
        collection: &Collection,
        names: &Names,
    ) -> Result<bool, Error> {
        let Some(name) = names.name() else { return Ok(false) };
        let found = self.store.by_name(collection, name, self.clock.seconds()).await?;
        Ok(found.is_none_or(|found| !found.is_empty()))
    }
}

/// Whether a POST with these names is for a stored user: an equal externalId, whatever the
/// userName, or an equal userName if neither has an externalId.
fn is_same_person(stored: &Names, posted: &Names) -> bool {
    let neither = stored.external_id().is_none() && posted.external_id().is_none();
    stored.shares_external_id(posted) || neither && stored.name() == posted.name()
}

/// The attributes of a stored user, overlaid by those that a message asserts.
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
