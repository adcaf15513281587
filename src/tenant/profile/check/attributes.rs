//! Attribute paths that other settings make pointless.

use scim_core::ResourceType;
use scim_core::schema::Place;

use super::super::attributes::{AttributePolicy, Email};
use super::super::error::ProfileError;
use super::super::model::Profile;
use super::super::users::InactiveCreate;

/// Refuses paths of attributes that other settings make pointless.
pub(super) fn check(profile: &Profile, user: &ResourceType) -> Result<(), ProfileError> {
    let AttributePolicy { required, kept, email, .. } = &profile.attributes;
    let requires = |name: &str| required.iter().any(|path| names(user, path, name));
    if *email == Email::FromUserName {
        if requires("emails") {
            return Err(ProfileError::new(
                "attributes.email takes addresses from userName, so attributes.required need not \
                name emails",
            ));
        }
        if !kept.is_empty() && !kept.iter().any(|path| is_all_of(user, path, "emails")) {
            return Err(ProfileError::new(
                "attributes.email takes addresses from userName, but attributes.kept does not \
                name emails",
            ));
        }
    }
    if profile.create.inactive == InactiveCreate::IgnoreActive && requires("active") {
        return Err(ProfileError::new(
            "create.inactive ignores active, so attributes.required need not name active; change \
            one",
        ));
    }
    required.iter().try_for_each(|path| check_required(user, path, kept))
}

/// Refuses a required attribute if only some of its values are kept.
fn check_required(user: &ResourceType, path: &str, kept: &[String]) -> Result<(), ProfileError> {
    let wanted = place(user, path);
    let mut kept = kept.iter().filter(|kept| place(user, kept) == wanted).peekable();
    if kept.peek().is_some() && kept.all(|kept| kept.contains('[')) {
        return Err(ProfileError(format!(
            "attributes.required names {path}, of which attributes.kept keeps some values only; \
            keep all"
        )));
    }
    Ok(())
}

/// The extension and the name of the attribute that a path leads to, whatever values it filters.
fn place<'t>(user: &'t ResourceType, path: &str) -> Option<(Option<&'t String>, &'t String)> {
    let attribute = path.split('[').next().unwrap_or_default().trim_end();
    match user.resolve(attribute) {
        Some(Place::Attribute(found)) => {
            Some((found.extension.map(|schema| &schema.id), &found.attribute.name))
        }
        _ => None,
    }
}

/// Whether a path leads into the attribute of the core schema with this name.
fn names(user: &ResourceType, path: &str, name: &str) -> bool {
    place(user, path).is_some_and(|(extension, named)| extension.is_none() && named == name)
}

/// Whether a path is that attribute itself, not one of its sub-attributes or values.
fn is_all_of(user: &ResourceType, path: &str, name: &str) -> bool {
    match user.resolve(path) {
        Some(Place::Attribute(found)) => found.sub.is_none() && names(user, path, name),
        _ => false,
    }
}
