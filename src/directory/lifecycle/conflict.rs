//! What follows from a refused write.

use scim_core::resource::Attributes;
use scim_core::{Error, Resource};

use super::restore::Return;
use crate::directory::context::{Call, Directory};
use crate::store::{Kind, Names, OwnerState, Refusal, Takeover};
use crate::tenant::ServedType;
use crate::tenant::profile::Deleted;

/// How often a change is decided anew because the resource changed meanwhile.
pub(in crate::directory) const TRIES: usize = 20;

impl Directory {
    /// What follows from a refused creation: somebody comes back, or it is tried again under other
    /// terms.
    pub(in crate::directory) async fn resolve_conflict(
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
}

/// A live user may take the name of a deleted one.
pub(in crate::directory) fn any_name() -> Takeover {
    Takeover { name: true, external_id: false }
}

/// Takes an externalId beside its first owner, or in place of one who was deleted where it is
/// unique.
///
/// # Errors
/// 409 where the profile wants it unique.
pub(in crate::directory) fn another_owner(
    call: Call<'_>,
    resource_type: &ServedType,
    takeover: &mut Takeover,
    refusal: &Refusal,
) -> Result<(), Error> {
    let unique =
        resource_type.kind == Kind::User && call.tenant.profile.attributes.unique_external_id;
    match &refusal.owners.external_id {
        Some((_, OwnerState::Live | OwnerState::Unmanaged)) if unique => Err(Error::uniqueness(
            "externalId belongs to another User of this tenant; look that one up and update it.",
        )),
        other => {
            takeover.external_id |= other.is_some();
            Ok(())
        }
    }
}

/// 409 if a name belongs to another resource that is not deleted.
pub(in crate::directory) fn uniqueness_error(
    resource_type: &ServedType,
    names: &Names,
    refusal: &Refusal,
) -> Result<(), Error> {
    let taken = match (&refusal.owners.name, refusal.unique) {
        (Some((_, OwnerState::Live | OwnerState::Unmanaged)), _) => {
            resource_type.definition.name_attribute().map(|attribute| attribute.name.as_str())
        }
        (_, Some(index)) => Some(names.unique_attribute(index).unwrap_or("A value")),
        (_, None) => None,
    };
    let unseen = matches!(refusal.owners.name, Some((_, OwnerState::Unmanaged)));
    taken.map_or(Ok(()), |taken| {
        Err(Error::uniqueness(match unseen {
            false => format!(
                "{taken} belongs to another {} of this tenant; look that one up by a filter and \
                update it.",
                resource_type.definition.name
            ),
            true => format!(
                "{taken} belongs to a user whom the product had before and who is not provisioned \
                through SCIM."
            ),
        }))
    })
}

pub(in crate::directory) fn contended() -> Error {
    Error::unavailable(
        "The resource is being changed by other requests; send the request again in a moment.",
    )
}
