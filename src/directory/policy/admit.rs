//! Operations that a profile switches off, and whether a new user may be inactive.

use scim_core::Error;
use scim_core::resource::Attributes;
use serde_json::Value;

use crate::reason::Reason;
use crate::store::is_active;
use crate::tenant::ServedType;
use crate::tenant::profile::{InactiveCreate, OnDelete, Profile};

/// Checks whether a user may be created, and sets `active` as the profile says.
///
/// # Errors
/// 403 if users may not be created; 400 if they may not be created inactive.
pub(in crate::directory) fn admit_create(
    resource_type: &ServedType,
    profile: &Profile,
    attributes: &mut Attributes,
) -> Result<(), Error> {
    if !resource_type.is_user() {
        return Ok(());
    }
    if !profile.operations.create.is_on() {
        return Err(switched_off("does not create users"));
    }
    match (attributes.get("active"), profile.create.inactive) {
        (Some(Value::Bool(false)), InactiveCreate::Refuse) => {
            return Err(Reason::InactiveCreateRefused.error().at("active"));
        }
        (Some(_), InactiveCreate::IgnoreActive) | (None, _) => {
            attributes.set("active", Value::Bool(true))
        }
        (Some(_), _) => {}
    }
    Ok(())
}

/// Checks whether a user may be changed in this way.
///
/// # Errors
/// 403 for a change that the profile switches off.
pub(in crate::directory) fn admit_change(
    resource_type: &ServedType,
    profile: &Profile,
    before: &Attributes,
    after: &Attributes,
) -> Result<(), Error> {
    if !resource_type.is_user() {
        return Ok(());
    }
    if !profile.operations.update.is_on() {
        // Ignore what the profile itself changes: the client did not ask for it.
        let mut before = before.clone();
        resource_type.shape(&mut before)?;
        if before.changed(after).iter().any(|name| name != "active") {
            return Err(switched_off("does not change users, except for active"));
        }
    }
    if !profile.operations.deactivate.is_on() && is_active(before) && !is_active(after) {
        return Err(switched_off("does not deactivate users"));
    }
    Ok(())
}

/// Checks whether users may be deleted.
///
/// # Errors
/// 403 or 400 if they may not.
pub(in crate::directory) fn admit_delete(
    resource_type: &ServedType,
    profile: &Profile,
) -> Result<(), Error> {
    if !resource_type.is_user() {
        return Ok(());
    }
    if !profile.operations.delete.is_on() {
        return Err(switched_off("does not delete users"));
    }
    match profile.deprovision.on_delete {
        OnDelete::Deactivate if !profile.operations.deactivate.is_on() => {
            Err(switched_off("does not deactivate users"))
        }
        OnDelete::Refuse => Err(Reason::DeleteRefused.error()),
        OnDelete::Deactivate | OnDelete::SoftDelete | OnDelete::HardDelete => Ok(()),
    }
}

fn switched_off(what: &str) -> Error {
    Reason::OperationOff.with(format!(
        "This service provider {what} through SCIM. Switch this off in the identity provider, or \
        ask the operator of this service to allow it."
    ))
}
