//! What the attributes and schemas of a product may not be.

use std::collections::BTreeSet;

use scim_core::schema::Type;
use scim_core::schema::registry::Overlay;
use scim_core::{Attribute, ResourceType, Schema};

use super::{AttributePolicy, ProfileError};

/// Attributes of every resource, which no extension defines.
const COMMON: [&str; 4] = ["id", "externalId", "meta", "schemas"];

impl AttributePolicy {
    /// Refuses definitions under which no user could be made, or of which one would be passed over
    /// silently.
    pub(super) fn check_definitions(&self) -> Result<(), ProfileError> {
        let wrong = |why: String| Err(ProfileError(why));
        let user = ResourceType::user().map_err(|error| ProfileError(error.to_string()))?;
        let mut ids = BTreeSet::new();
        for Schema { id, attributes, .. } in &self.extensions {
            let small = id.to_ascii_lowercase();
            if !small.starts_with("urn:")
                || small.contains("ietf:params:scim:schemas:core")
                || small.starts_with("urn:ietf:params:scim:api:")
            {
                return wrong(format!("the id {id} of an extension must be a URN of your own"));
            }
            if user.extensions.iter().any(|known| known.id.eq_ignore_ascii_case(id)) {
                return wrong(format!(
                    "attributes.extensions names {id}, which is there already; take it away, and \
                    add attributes to it by attributes.overlay, with that as schema"
                ));
            }
            if !ids.insert(small) {
                return wrong(format!(
                    "attributes.extensions has {id} twice, in any case; make one of both"
                ));
            }
            for attribute in attributes {
                if COMMON.iter().any(|name| attribute.name.eq_ignore_ascii_case(name)) {
                    return wrong(format!(
                        "{} in {id} is an attribute of every resource; rename it",
                        attribute.name
                    ));
                }
                check(attribute, &format!("{id}:"))?;
            }
        }
        let mut names = BTreeSet::new();
        for Overlay { schema, attribute } in &self.overlay {
            let id = schema.as_ref().unwrap_or(&user.schema.id);
            let name = &attribute.name;
            if !names.insert((id.to_ascii_lowercase(), name.to_ascii_lowercase())) {
                return wrong(format!(
                    "attributes.overlay has {name} twice, in any case; make one of both"
                ));
            }
            let mut schemas =
                std::iter::once(&user.schema).chain(&user.extensions).chain(&self.extensions);
            let known = schemas
                .find(|schema| schema.id.eq_ignore_ascii_case(id))
                .and_then(|it| it.attribute(name));
            if let Some(known) = known.filter(|known| known.name != *name) {
                return wrong(format!(
                    "attributes.overlay has {name}, which {id} calls {}: write it so to define it \
                    anew, or rename it",
                    known.name
                ));
            }
            check(attribute, "")?;
        }
        Ok(())
    }
}

fn check(attribute: &Attribute, prefix: &str) -> Result<(), ProfileError> {
    let name = format!("{prefix}{}", attribute.name);
    if attribute.required && attribute.is_read_only() {
        return Err(ProfileError(format!(
            "{name} is required and readOnly, so that no user could ever be made; take one of \
            both away"
        )));
    }
    match (attribute.kind == Type::Complex, attribute.sub_attributes.is_empty()) {
        (true, true) => Err(ProfileError(format!(
            "{name} is complex, but has no subAttributes; list them, or take type string"
        ))),
        (false, false) => Err(ProfileError(format!(
            "{name} has subAttributes, but is not complex; set its type to complex"
        ))),
        _ => attribute.sub_attributes.iter().try_for_each(|sub| check(sub, &format!("{name}."))),
    }
}
