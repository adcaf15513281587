//! What a profile switches off.

use scim_core::resource::Attributes;
use scim_core::{Error, ErrorKind};
use serde_json::Value;

use crate::store::Kind;
use crate::store::is_active;
use crate::tenant::ServedType;
use crate::tenant::profile::{InactiveCreate, OnDelete, Profile};

/// `active` of a new user, as the profile has it.
///
/// # Errors
/// 403 if users may not be created; 400 if they may not be created inactive.
pub(in crate::directory) fn admit_create(
    resource_type: &ServedType,
    profile: &Profile,
    attributes: &mut Attributes,
) -> Result<(), Error> {
    if resource_type.kind != Kind::User {
        return Ok(());
    }
    if !profile.operations.create.is_on() {
        return Err(switched_off("creates no users"));
    }
    match (attributes.get("active"), profile.create.inactive) {
        (Some(Value::Bool(false)), InactiveCreate::Refuse) => {
            return Err(Error::invalid_value(
                "A new user must be active: active is false; create the user when it is assigned, \
                with active true.",
            ));
        }
        (Some(_), InactiveCreate::IgnoreActive) | (None, _) => {
            attributes.set("active", Value::Bool(true))
        }
        (Some(_), _) => {}
    }
    Ok(())
}

/// # Errors
/// 403 for a change of a user that the profile switches off.
pub(in crate::directory) fn admit_change(
    resource_type: &ServedType,
    profile: &Profile,
    before: &Attributes,
    after: &Attributes,
) -> Result<(), Error> {
    if resource_type.kind != Kind::User {
        return Ok(());
    }
    if !profile.operations.update.is_on() {
        // What the profile shapes, nobody asked for.
        let mut before = before.clone();
        resource_type.shape(&mut before)?;
        if before.changed(after).iter().any(|name| name != "active") {
            return Err(switched_off("changes no users but for active"));
        }
    }
    if !profile.operations.deactivate.is_on() && is_active(before) && !is_active(after) {
        return Err(switched_off("deactivates no users"));
    }
    Ok(())
}

/// # Errors
/// 403 or 400 if users are not deleted here.
pub(in crate::directory) fn admit_delete(
    resource_type: &ServedType,
    profile: &Profile,
) -> Result<(), Error> {
    if resource_type.kind != Kind::User {
        return Ok(());
    }
    if !profile.operations.delete.is_on() {
        return Err(switched_off("deletes no users"));
    }
    match profile.deprovision.on_delete {
        OnDelete::Deactivate if !profile.operations.deactivate.is_on() => {
            Err(switched_off("deactivates no users"))
        }
        OnDelete::Refuse => Err(Error::new(
            ErrorKind::BadRequest,
            "Users are not deleted here, since what they wrote stays: set active to false instead.",
        )),
        _ => Ok(()),
    }
}

fn switched_off(what: &str) -> Error {
    Error::new(
        ErrorKind::Forbidden,
        format!(
            "This service provider {what} through SCIM: switch that off in the identity provider, \
            or ask the operator of this service to allow it."
        ),
    )
}
