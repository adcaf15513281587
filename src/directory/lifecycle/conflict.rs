//! What a refused write means. Some reasons end the request. After any other reason the write is
//! tried again, either under new terms or after the resource is read and judged again.

use scim_core::resource::Attributes;
use scim_core::{Error, Resource, ResourceId};

use crate::directory::context::{Call, Directory};
use crate::directory::groups::resolve::Resolved;
use crate::directory::policy::seats::{no_seat, without_seat};
use crate::directory::resource::contended;
use crate::reason::Reason;
use crate::store::{
    Detail, MemberChange, NameOwners, Names, OwnerState, Refusal, ResourceWrite, Stored, Takeover,
};
use crate::tenant::ServedType;

/// How often a write is tried while other requests change the same resource.
pub(super) const MAX_TRIES: usize = 20;

/// The terms under which a write is tried.
#[derive(Debug)]
pub(in crate::directory) struct Terms<'a> {
    pub(in crate::directory) call: Call<'a>,
    pub(in crate::directory) resource_type: &'a ServedType,
    /// The names that it may take from other resources.
    takeover: Takeover,
    /// What is known about the members that it adds or removes.
    pub(in crate::directory) known: Resolved,
    /// Whether the user is inactive because no seat is left.
    without_seat: bool,
    tries: usize,
}

/// A write that was refused.
#[derive(Debug)]
pub(in crate::directory) struct Attempt<'a> {
    /// The id of the resource.
    pub(in crate::directory) id: &'a ResourceId,
    /// The names that it would have.
    pub(in crate::directory) names: &'a Names,
    /// The changes of members.
    pub(in crate::directory) members: &'a [MemberChange],
    /// The attributes of a user who is created or comes back. The user becomes inactive if no seat
    /// is left and the profile says so. Without these attributes, a request without a seat is
    /// refused.
    pub(in crate::directory) entering: Option<&'a mut Attributes>,
}

impl<'a> Attempt<'a> {
    /// A change of a resource, without changes of members.
    pub(in crate::directory) fn of(id: &'a ResourceId, names: &'a Names) -> Self {
        Self { id, names, members: &[], entering: None }
    }

    /// A removal.
    pub(in crate::directory) fn removing(old: &'a Stored) -> Self {
        Self::of(&old.resource.id, old.names())
    }
}

/// How a refused write continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::directory) enum Retry {
    /// The terms have changed: the same write may be tried under the new ones.
    NewTerms,
    /// The resource has changed: it must be read again.
    Reread,
    /// The group no longer exists.
    Gone,
}

impl<'a> Terms<'a> {
    /// The terms of a new resource, which may not take a name from another one.
    pub(in crate::directory) fn new(call: Call<'a>, resource_type: &'a ServedType) -> Self {
        let (takeover, known) = (Takeover::default(), Resolved::default());
        Self { call, resource_type, takeover, known, without_seat: false, tries: 0 }
    }

    /// The terms of a resource that exists, which may take the name of a deleted one.
    pub(in crate::directory) fn of_stored(call: Call<'a>, resource_type: &'a ServedType) -> Self {
        let takeover = Takeover { name: true, external_id: false };
        Self { takeover, ..Self::new(call, resource_type) }
    }

    /// A resource to be written under these terms.
    pub(in crate::directory) fn write<'r>(
        &self,
        resource: &'r Resource,
        names: &'r Names,
        expires: Option<i64>,
    ) -> ResourceWrite<'r> {
        ResourceWrite { resource, names, takeover: self.takeover, expires }
    }

    /// What the event of the write says in addition to the operation.
    pub(in crate::directory) fn detail(&self) -> Detail {
        Detail { no_seat: self.without_seat, ..Detail::default() }
    }

    /// Counts one more try.
    ///
    /// # Errors
    /// 503 after [`MAX_TRIES`].
    pub(in crate::directory) fn next_try(&mut self) -> Result<(), Error> {
        self.tries += 1;
        if self.tries > MAX_TRIES { Err(contended()) } else { Ok(()) }
    }

    /// Takes the names of deleted resources, and an externalId in addition to its first owner.
    /// Where the externalId is unique, it is taken from a deleted user.
    ///
    /// # Errors
    /// 409 for a name that belongs to a visible or an imported resource, or for a unique externalId
    /// that does.
    fn yield_names(
        &mut self,
        names: &Names,
        owners: &NameOwners,
        unique: Option<usize>,
    ) -> Result<(), Error> {
        uniqueness_error(self.resource_type, names, owners, unique)?;
        let unique =
            self.resource_type.is_user() && self.call.tenant.profile.attributes.unique_external_id;
        if let Some((_, OwnerState::Live | OwnerState::Unmanaged)) = owners.external_id
            && unique
        {
            return Err(Reason::ExternalIdTaken.with(
                "externalId belongs to another User of this tenant. Look that user up and update \
                it.",
            )
            .at("externalId"));
        }
        self.takeover.name |= owners.name.is_some();
        self.takeover.external_id |= owners.external_id.is_some();
        Ok(())
    }
}

impl Directory {
    /// Decides how a refused write continues.
    ///
    /// # Errors
    /// 409 `uniqueness` for names of other resources; 403 without a seat; 429 or 403 while the
    /// brake is on; `invalidValue` for a member that does not exist; 503.
    pub(in crate::directory) async fn yield_to(
        &self,
        terms: &mut Terms<'_>,
        attempt: Attempt<'_>,
        refusal: Refusal,
    ) -> Result<Retry, Error> {
        let Refusal {
            // If this is the only reason, the resource is read again.
            stale: _,
            owners,
            unique,
            no_group,
            already_applied,
            missing_members,
            no_seat: is_full,
            brake_on,
        } = refusal;
        let call = terms.call;
        terms.yield_names(attempt.names, &owners, unique)?;
        if is_full {
            let entering = attempt.entering.ok_or_else(no_seat)?;
            without_seat(&call.tenant.profile, entering)?;
            terms.without_seat = true;
        }
        if brake_on {
            let collection = call.collection(&terms.resource_type.kind);
            Box::pin(self.brake(call, &collection, attempt.id)).await?;
        }
        if no_group {
            return Ok(Retry::Gone);
        }
        let learns = !(already_applied.is_empty() && missing_members.is_empty());
        if learns {
            let known = &mut terms.known;
            self.learn(call, known, attempt.members, &already_applied, &missing_members).await?;
        }
        let takes_over = owners.name.is_some() || owners.external_id.is_some();
        let has_new_terms = takes_over || is_full || brake_on || learns;
        Ok(if has_new_terms { Retry::NewTerms } else { Retry::Reread })
    }
}

/// # Errors
/// 409 if the name or another unique value belongs to a visible or an imported resource.
pub(in crate::directory) fn uniqueness_error(
    resource_type: &ServedType,
    names: &Names,
    owners: &NameOwners,
    unique: Option<usize>,
) -> Result<(), Error> {
    let name = resource_type.definition.name_attribute().map(|name| name.name.as_str());
    match (&owners.name, unique) {
        (Some((_, OwnerState::Live)), _) => {
            name.map_or(Ok(()), |name| Err(taken(resource_type, name)))
        }
        (Some((_, OwnerState::Unmanaged)), _) => {
            name.map_or(Ok(()), |name| Err(unmanaged_owner(name)))
        }
        (Some((_, OwnerState::Deleted)) | None, Some(index)) => {
            let value = names.unique_attribute(index).unwrap_or("A value");
            Err(taken(resource_type, value))
        }
        (Some((_, OwnerState::Deleted)) | None, None) => Ok(()),
    }
}

/// 409 for a value of another visible resource.
pub(in crate::directory) fn taken(resource_type: &ServedType, attribute: &str) -> Error {
    let reason = if attribute == "userName" { Reason::UserNameTaken } else { Reason::ValueTaken };
    let detail = format!(
        "{attribute} belongs to another {} of this tenant. Look that one up by a filter and update \
        it.",
        resource_type.definition.name
    );
    reason.with(detail).at(attribute)
}

/// 409 for a value of an imported user, whom the client cannot see.
pub(in crate::directory) fn unmanaged_owner(attribute: &str) -> Error {
    let detail = format!(
        "{attribute} belongs to an existing user of this product that SCIM does not manage."
    );
    Reason::UnmanagedOwner.with(detail).at(attribute)
}
