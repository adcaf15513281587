//! Definitions of attributes and schemas that would make it impossible to create a user, or of
//! which one would silently have no effect.

use std::collections::BTreeSet;

use scim_core::schema::registry::Overlay;
use scim_core::schema::{COMMON, Type};
use scim_core::{Attribute, ResourceType, Schema};

use super::super::attributes::AttributePolicy;
use super::super::error::ProfileError;

/// Refuses definitions that would make it impossible to create a user, or of which one would
/// silently have no effect.
pub(super) fn check(policy: &AttributePolicy) -> Result<(), ProfileError> {
    let user = ResourceType::user().map_err(|error| ProfileError(error.to_string()))?;
    let mut ids = BTreeSet::new();
    for schema in &policy.extensions {
        check_extension(schema, &user)?;
        if !ids.insert(schema.id.to_ascii_lowercase()) {
            return Err(ProfileError(format!(
                "attributes.extensions has {} twice, ignoring case; merge the two",
                schema.id
            )));
        }
        for attribute in &schema.attributes {
            check_attribute(attribute, &format!("{}:", schema.id))?;
        }
    }
    let mut names = BTreeSet::new();
    for Overlay { schema, attribute } in &policy.overlay {
        let id = schema.as_ref().unwrap_or(&user.schema.id);
        let name = &attribute.name;
        if !names.insert((id.to_ascii_lowercase(), name.to_ascii_lowercase())) {
            return Err(ProfileError(format!(
                "attributes.overlay has {name} twice, ignoring case; merge the two"
            )));
        }
        let own = std::iter::once(&user.schema).chain(&user.extensions);
        check_spelling(name, id, own.chain(&policy.extensions))?;
        check_attribute(attribute, "")?;
    }
    Ok(())
}

fn check_extension(schema: &Schema, user: &ResourceType) -> Result<(), ProfileError> {
    let Schema { id, attributes, .. } = schema;
    let small = id.to_ascii_lowercase();
    if !small.starts_with("urn:")
        || small.contains("ietf:params:scim:schemas:core")
        || small.starts_with("urn:ietf:params:scim:api:")
    {
        return Err(ProfileError(format!("the id {id} of an extension must be a URN of your own")));
    }
    if user.extensions.iter().any(|known| known.id.eq_ignore_ascii_case(id)) {
        return Err(ProfileError(format!(
            "attributes.extensions names {id}, which already exists; omit it, and add \
            attributes to it by attributes.overlay, with that as schema"
        )));
    }
    let is_common = |name: &String| COMMON.iter().any(|common| name.eq_ignore_ascii_case(common));
    match attributes.iter().find(|attribute| is_common(&attribute.name)) {
        Some(Attribute { name, .. }) => Err(ProfileError(format!(
            "{name} in {id} is an attribute of every resource; rename it"
        ))),
        None => Ok(()),
    }
}

/// Refuses a second definition of an attribute under a name that its schema spells differently.
fn check_spelling<'s>(
    name: &str,
    id: &str,
    mut schemas: impl Iterator<Item = &'s Schema>,
) -> Result<(), ProfileError> {
    let schema = schemas.find(|schema| schema.id.eq_ignore_ascii_case(id));
    match schema.and_then(|schema| schema.attribute(name)) {
        Some(known) if known.name != *name => Err(ProfileError(format!(
            "attributes.overlay has {name}, which {id} calls {}: write it so to define it once \
            more, or rename it",
            known.name
        ))),
        _ => Ok(()),
    }
}

fn check_attribute(attribute: &Attribute, prefix: &str) -> Result<(), ProfileError> {
    let name = format!("{prefix}{}", attribute.name);
    if attribute.required && attribute.is_read_only() {
        return Err(ProfileError(format!(
            "{name} is required and readOnly, so no user could ever be created; change one"
        )));
    }
    match (attribute.kind == Type::Complex, attribute.sub_attributes.is_empty()) {
        (true, true) => Err(ProfileError(format!(
            "{name} is complex, but has no subAttributes; list them, or use type string"
        ))),
        (false, false) => Err(ProfileError(format!(
            "{name} has subAttributes, but is not complex; set its type to complex"
        ))),
        (true, false) | (false, true) => attribute
            .sub_attributes
            .iter()
            .try_for_each(|sub| check_attribute(sub, &format!("{name}."))),
    }
}
