//! The resource types that a service provider serves: User, Group, and its additions.

pub use crate::schema::additions::{Additions, Overlay, SchemaError};
use crate::schema::additions::{COMMON, Extension, TypeDefinition, unknown_schema};
use crate::schema::attribute::{Attribute, Mutability, Returned, Uniqueness};
use crate::schema::resource_type::ResourceType;
use crate::schema::well_formed::check_schema;

/// The protocol's own endpoints, which a resource type cannot have.
const RESERVED: [&str; 5] = ["me", "bulk", "serviceproviderconfig", "resourcetypes", "schemas"];

/// Attributes that the service provider itself acts on, or drops.
const MANAGED: [&str; 6] = ["userName", "active", "emails", "groups", "members", "password"];

/// What a service provider decides about all of its resource types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether no two groups may have the same `displayName`, as Entra ID expects. The schema of
    /// RFC 7643 section 8.7.1 does not require it.
    pub unique_display_name: bool,
    /// The maximum number of unique attributes of a resource type, in addition to the one that
    /// names the resource.
    pub max_unique: usize,
}

impl Additions {
    /// Reads schemas and resource types in the form of RFC 7643 sections 6 and 7:
    /// `{"schemas": [...], "resourceTypes": [...]}`. A resource type called `User` or `Group` adds
    /// its `schemaExtensions` to that type; any other one is served at its `endpoint`.
    ///
    /// `max_unique` is the field of [`Rules`].
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &[u8], max_unique: usize) -> Result<Self, SchemaError> {
        let checked = Self::read(text).and_then(|additions| {
            all(&additions, Rules { unique_display_name: false, max_unique })?;
            Ok(additions)
        });
        checked.map_err(|error| SchemaError(format!("the schemas cannot be used: {error}")))
    }
}

/// All resource types: User first, then Group, then those that `additions` defines.
///
/// # Errors
/// If two types have the same endpoint, if a type names a schema that does not exist, if a schema
/// is not well formed, if an overlay names an attribute that the service provider manages, or if a
/// type has too many unique attributes.
pub fn all(additions: &Additions, rules: Rules) -> Result<Vec<ResourceType>, SchemaError> {
    let mut types = vec![ResourceType::user()?, group(rules)?];
    for definition in &additions.types {
        add(&mut types, definition, additions)?;
    }
    for overlay in &additions.overlay {
        apply(overlay, &mut types)?;
    }
    for schema in types.iter_mut().flat_map(ResourceType::schemas_mut) {
        for attribute in &mut schema.attributes {
            hide_write_only(attribute);
            attribute.sub_attributes.iter_mut().for_each(hide_write_only);
        }
    }
    types.iter().try_for_each(|resource_type| check_unique(resource_type, rules.max_unique))?;
    Ok(types)
}

fn group(rules: Rules) -> Result<ResourceType, serde_json::Error> {
    let mut group = ResourceType::group()?;
    if rules.unique_display_name {
        let mut attributes = group.schema.attributes.iter_mut();
        let display_name = attributes.find(|attribute| attribute.name == "displayName");
        display_name.into_iter().for_each(|attribute| attribute.uniqueness = Uniqueness::Server);
    }
    Ok(group)
}

/// Adds a resource type, or adds extensions to one that already exists under its name.
fn add(
    types: &mut Vec<ResourceType>,
    definition: &TypeDefinition,
    additions: &Additions,
) -> Result<(), SchemaError> {
    if let Some(known) = types.iter_mut().find(|known| known.name == definition.name) {
        return extend(known, &definition.schema_extensions, additions);
    }
    check_endpoint(definition, types)?;
    let schema = additions.schema(&definition.schema)?;
    let TypeDefinition { name, endpoint, description, schema_extensions, .. } = definition;
    let mut new = ResourceType::plain(name, endpoint, description, schema)?;
    extend(&mut new, schema_extensions, additions)?;
    types.push(new);
    Ok(())
}

/// Adds the extensions that a resource type does not have yet.
fn extend(
    resource_type: &mut ResourceType,
    extensions: &[Extension],
    additions: &Additions,
) -> Result<(), SchemaError> {
    for Extension { schema, required } in extensions {
        let mut known = resource_type.extensions.iter();
        if known.any(|known| known.id.eq_ignore_ascii_case(schema)) {
            continue;
        }
        let schema = additions.schema(schema)?;
        if *required {
            resource_type.required_extensions.push(schema.id.clone());
        }
        resource_type.extensions.push(schema);
    }
    Ok(())
}

/// Puts the attribute of an overlay into each schema with its URI.
fn apply(overlay: &Overlay, types: &mut [ResourceType]) -> Result<(), SchemaError> {
    let Overlay { schema, attribute } = overlay;
    if COMMON.iter().chain(&MANAGED).any(|name| attribute.name.eq_ignore_ascii_case(name)) {
        return Err(SchemaError(format!(
            "{} is managed by the service provider and cannot be redefined",
            attribute.name
        )));
    }
    let user = types.first().map(|user| user.schema.id.clone()).unwrap_or_default();
    let id = schema.as_ref().unwrap_or(&user);
    let mut found = false;
    let schemas = types.iter_mut().flat_map(ResourceType::schemas_mut);
    for schema in schemas.filter(|schema| schema.id.eq_ignore_ascii_case(id)) {
        schema.attributes.retain(|known| !known.name.eq_ignore_ascii_case(&attribute.name));
        schema.attributes.push(attribute.clone());
        check_schema(schema).map_err(SchemaError)?;
        found = true;
    }
    if found { Ok(()) } else { Err(unknown_schema(id)) }
}

/// "writeOnly": "Attribute values SHALL NOT be returned" (RFC 7643, 7), whatever the schema says
/// in `returned`.
fn hide_write_only(attribute: &mut Attribute) {
    if attribute.mutability == Mutability::WriteOnly {
        attribute.returned = Returned::Never;
    }
}

fn check_unique(resource_type: &ResourceType, max_unique: usize) -> Result<(), SchemaError> {
    if resource_type.unique_attributes().count() > max_unique {
        return Err(SchemaError(format!(
            "{} has more than {max_unique} unique attributes in addition to its name",
            resource_type.name
        )));
    }
    Ok(())
}

fn check_endpoint(definition: &TypeDefinition, types: &[ResourceType]) -> Result<(), SchemaError> {
    let TypeDefinition { name, endpoint, .. } = definition;
    let is_word = |text: &str| {
        (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let path = endpoint.strip_prefix('/').unwrap_or_default();
    if !is_word(name) || !is_word(path) {
        return Err(SchemaError(format!(
            "the resource type {name} needs a name and an endpoint (with a leading /) of 1 to 64 \
            letters and digits"
        )));
    }
    let is_taken = types.iter().any(|known| known.endpoint.eq_ignore_ascii_case(endpoint));
    if is_taken || RESERVED.iter().any(|reserved| path.eq_ignore_ascii_case(reserved)) {
        return Err(SchemaError(format!("the endpoint {endpoint} is taken")));
    }
    Ok(())
}
