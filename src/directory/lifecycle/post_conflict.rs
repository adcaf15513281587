//! What a POST does to the owners of its names: one of them may be the same person and come back.

use scim_core::{Error, Resource};

use super::conflict::{uniqueness_error, unmanaged_owner};
use super::identity::Assertion;
use super::restore::{Comeback, Return};
use crate::directory::context::Directory;
use crate::store::{NameOwners, Operation, OwnerState, Refusal};
use crate::tenant::profile::Deleted;

/// The consequence for a POST whose names belong to other users.
pub(in crate::directory) enum Resolution {
    /// One of the owners was the same person, and is restored.
    Restored(Box<Resource>),
    /// An owner has changed in the meantime: the same write may now succeed.
    OwnerChanged,
    /// No owner is the same person.
    OthersOwn,
}

impl From<Option<Resource>> for Resolution {
    fn from(restored: Option<Resource>) -> Self {
        restored.map_or(Self::OwnerChanged, |user| Self::Restored(Box::new(user)))
    }
}

impl Directory {
    /// Restores the owner of a name, if it is the same person: visible and about to expire, or
    /// deleted.
    ///
    /// # Errors
    /// 409 `uniqueness` if a name belongs to another visible or imported user; 403 without a seat;
    /// 503.
    pub(in crate::directory) async fn resolve_conflict(
        &self,
        post: Assertion<'_>,
        refusal: &Refusal,
    ) -> Result<Resolution, Error> {
        let owners = &refusal.owners;
        if let Some((owner, OwnerState::Live)) = &owners.name {
            match Box::pin(self.cancel_expiry(post, owner)).await? {
                Return::Returned(user) => return Ok(Resolution::Restored(user)),
                // The owner was deleted in the meantime, and its name is free.
                Return::Gone => return Ok(Resolution::OwnerChanged),
                Return::Stays => {}
            }
        }
        if let Some((_, OwnerState::Live | OwnerState::Unmanaged)) = &owners.name {
            uniqueness_error(post.resource_type, post.names, owners, refusal.unique)?;
        }
        if let Some((_, OwnerState::Unmanaged)) = &owners.external_id {
            return Err(unmanaged_owner("externalId"));
        }
        if let Some(resolution) = self.restore_match(post, owners).await? {
            return Ok(resolution);
        }
        self.cancel_expiry_by_external_id(post, owners).await
    }

    /// Restores the deleted user whom the names identify, if there is one and the profile says so.
    async fn restore_match(
        &self,
        post: Assertion<'_>,
        owners: &NameOwners,
    ) -> Result<Option<Resolution>, Error> {
        let Assertion { call, resource_type, names, attributes } = post;
        if !resource_type.is_user() || call.tenant.profile.create.deleted == Deleted::New {
            return Ok(None);
        }
        match self.deleted_match(&post.collection(), names, owners).await? {
            None => Ok(None),
            Some(old) => {
                let operation = Operation::Restore;
                let comeback = Comeback { asserted: attributes, expires: None, operation };
                let restored = Box::pin(self.restore(call, resource_type, &old, comeback));
                Ok(Some(restored.await?.map(|restored| restored.user).into()))
            }
        }
    }

    /// Restores the visible user who is about to expire and is the only one with the externalId.
    async fn cancel_expiry_by_external_id(
        &self,
        post: Assertion<'_>,
        owners: &NameOwners,
    ) -> Result<Resolution, Error> {
        if let Some((owner, OwnerState::Live)) = &owners.external_id
            && post.call.tenant.is_expiring()
            && self.owns_alone(&post.collection(), owner, post.names).await?
            && let Return::Returned(user) = Box::pin(self.cancel_expiry(post, owner)).await?
        {
            return Ok(Resolution::Restored(user));
        }
        Ok(Resolution::OthersOwn)
    }
}
