//! The resource types that a service provider serves: User, Group, and what a file adds to them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema::attribute::{Attribute, Mutability, Returned, Schema, Type, Uniqueness};
use crate::schema::resource_type::ResourceType;

/// Why a file of schemas cannot be used: a sentence for who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(String);

impl From<serde_json::Error> for SchemaError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// Schemas and resource types beside those of RFC 7643, in the form of its sections 6 and 7:
/// `{"schemas": [...], "resourceTypes": [...]}`. A resource type called `User` or `Group` adds its
/// `schemaExtensions` to that type; any other is served at its `endpoint`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Additions {
    schemas: Vec<Schema>,
    types: Vec<TypeDefinition>,
    overlay: Vec<Overlay>,
}

/// One more attribute in a schema that is there, or another definition of one that it has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    /// The URI of the schema; without one, the core schema of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its definition in the form of RFC 7643 section 7; with `"closed": true` no other than the
    /// canonical values is accepted.
    #[serde(flatten)]
    pub attribute: Attribute,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeDefinition {
    name: String,
    endpoint: String,
    #[serde(default)]
    description: String,
    schema: String,
    #[serde(default)]
    schema_extensions: Vec<Extension>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Extension {
    schema: String,
    #[serde(default)]
    required: bool,
}

/// Endpoints that are something else already.
const TAKEN: [&str; 5] = ["me", "bulk", "serviceproviderconfig", "resourcetypes", "schemas"];

/// Attributes that every resource has.
const COMMON: [&str; 4] = ["id", "externalId", "meta", "schemas"];

/// Attributes that the service provider itself acts on, or drops.
const OWN: [&str; 6] = ["userName", "active", "emails", "groups", "members", "password"];

/// "ATTRNAME = ALPHA *(nameChar)" (RFC 7643, 2.1), and `$ref`.
fn is_attribute_name(name: &str) -> bool {
    let rest = name.strip_prefix(|first: char| first.is_ascii_alphabetic() || first == '$');
    rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_$".contains(&b)))
}

impl Additions {
    /// Reads a file of schemas.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, SchemaError> {
        let unusable =
            |why: String| SchemaError(format!("the file of schemas cannot be used: {why}"));
        let document: Value =
            serde_json::from_slice(text).map_err(|error| unusable(error.to_string()))?;
        let list =
            |name: &str| document.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let read = |error: serde_json::Error| unusable(error.to_string());
        let schemas = list("schemas")
            .into_iter()
            .map(serde_json::from_value)
            .collect::<Result<Vec<Schema>, _>>();
        let types = list("resourceTypes")
            .into_iter()
            .map(serde_json::from_value)
            .collect::<Result<Vec<_>, _>>();
        let (schemas, types) = (schemas.map_err(read)?, types.map_err(read)?);
        let additions = Self { schemas, types, overlay: Vec::new() };
        if additions.types.is_empty() {
            return Err(unusable(
                "it needs the array resourceTypes, which names the schemas to serve".into(),
            ));
        }
        // Types that clash, or lack a schema, show when they are made.
        all(false, &additions).map_err(|error| unusable(error.to_string()))?;
        Ok(additions)
    }

    /// These additions, and besides them extensions of the user and attributes in schemas that are
    /// there.
    #[must_use]
    pub fn and(mut self, extensions: Vec<Schema>, overlay: Vec<Overlay>) -> Self {
        if !extensions.is_empty() {
            let user = ("User".to_owned(), "/Users".to_owned());
            let named = extensions
                .iter()
                .map(|schema| Extension { schema: schema.id.clone(), required: false });
            self.types.push(TypeDefinition {
                name: user.0,
                endpoint: user.1,
                description: String::new(),
                schema: String::new(),
                schema_extensions: named.collect(),
            });
        }
        self.schemas.extend(extensions);
        self.overlay.extend(overlay);
        self
    }

    fn schema(&self, id: &str) -> Result<Schema, SchemaError> {
        let schema = self.schemas.iter().find(|schema| schema.id.eq_ignore_ascii_case(id)).cloned();
        let mut schema = schema.ok_or_else(|| SchemaError(format!("no schema has the id {id}")))?;
        // "Common attributes" are the service provider's, whatever a schema says of them.
        schema.attributes.retain(|attribute| {
            !COMMON.iter().any(|name| attribute.name.eq_ignore_ascii_case(name))
        });
        well_formed(&schema)?;
        Ok(schema)
    }
}

fn well_formed(schema: &Schema) -> Result<(), SchemaError> {
    let id = &schema.id;
    // "A complex attribute MUST NOT contain sub-attributes that have sub-attributes" (RFC 7643,
    // 2.3.8).
    let mut subs = schema.attributes.iter().flat_map(|attribute| &attribute.sub_attributes);
    if let Some(sub) = subs.find(|sub| sub.kind == Type::Complex) {
        return Err(SchemaError(format!(
            "the sub-attribute {} in {id} must not be complex",
            sub.name
        )));
    }
    for list in std::iter::once(&schema.attributes)
        .chain(schema.attributes.iter().map(|a| &a.sub_attributes))
    {
        let mut seen = std::collections::BTreeSet::new();
        if let Some(twice) =
            list.iter().find(|attribute| !seen.insert(attribute.name.to_ascii_lowercase()))
        {
            return Err(SchemaError(format!("{} stands twice in {id}", twice.name)));
        }
    }
    let names =
        || schema.attributes.iter().flat_map(|a| std::iter::once(a).chain(&a.sub_attributes));
    if let Some(name) =
        names().map(|attribute| &attribute.name).find(|name| !is_attribute_name(name))
    {
        return Err(SchemaError(format!(
            "{name:?} in {id} is no attribute name: a letter, then letters, digits, - and _"
        )));
    }
    let text = |attribute: &Attribute| matches!(attribute.kind, Type::String | Type::Reference);
    let shut = |attribute: &&Attribute| {
        attribute.closed && (attribute.canonical_values.is_empty() || !text(attribute))
    };
    match names().find(shut) {
        Some(attribute) => Err(SchemaError(format!(
            "{} in {id} is closed, but no string with canonicalValues",
            attribute.name
        ))),
        None => Ok(()),
    }
}

/// All resource types: User first, then Group, then those that `additions` defines.
///
/// A group's `displayName` may be unique, as Entra wants it, or as RFC 7643 section 8.7.1 has it.
///
/// # Errors
/// If two types share a name or an endpoint, or name a schema that is not there.
pub fn all(
    unique_display_name: bool,
    additions: &Additions,
) -> Result<Vec<ResourceType>, SchemaError> {
    let mut group = ResourceType::group()?;
    if unique_display_name {
        let display_name =
            group.schema.attributes.iter_mut().find(|attribute| attribute.name == "displayName");
        display_name.into_iter().for_each(|attribute| attribute.uniqueness = Uniqueness::Server);
    }
    let mut types = vec![ResourceType::user()?, group];
    for definition in &additions.types {
        let known = types.iter_mut().find(|of| of.name == definition.name);
        let resource_type = match known {
            Some(known) => known,
            None => {
                check(definition, &types)?;
                types.push(ResourceType::plain(
                    &definition.name,
                    &definition.endpoint,
                    &definition.description,
                    additions.schema(&definition.schema)?,
                )?);
                let Some(made) = types.last_mut() else { continue };
                made
            }
        };
        for extension in &definition.schema_extensions {
            if resource_type
                .extensions
                .iter()
                .any(|known| known.id.eq_ignore_ascii_case(&extension.schema))
            {
                continue;
            }
            let schema = additions.schema(&extension.schema)?;
            if extension.required {
                resource_type.required_extensions.push(schema.id.clone());
            }
            resource_type.extensions.push(schema);
        }
    }
    for Overlay { schema, attribute } in &additions.overlay {
        let own = COMMON.iter().chain(&OWN).any(|name| attribute.name.eq_ignore_ascii_case(name));
        if own {
            return Err(SchemaError(format!(
                "{} is the service provider's own, and stays as it is",
                attribute.name
            )));
        }
        let user = types.first().map(|user| user.schema.id.clone()).unwrap_or_default();
        let id = schema.as_ref().unwrap_or(&user);
        let all = types
            .iter_mut()
            .flat_map(|of| std::iter::once(&mut of.schema).chain(&mut of.extensions));
        let mut found = false;
        for schema in all.filter(|schema| schema.id.eq_ignore_ascii_case(id)) {
            schema.attributes.retain(|known| !known.name.eq_ignore_ascii_case(&attribute.name));
            schema.attributes.push(attribute.clone());
            well_formed(schema)?;
            found = true;
        }
        if !found {
            return Err(SchemaError(format!("no schema has the id {id}")));
        }
    }
    let schemas =
        types.iter_mut().flat_map(|of| std::iter::once(&mut of.schema).chain(&mut of.extensions));
    for attribute in schemas.flat_map(|schema| &mut schema.attributes) {
        hide(attribute);
        attribute.sub_attributes.iter_mut().for_each(hide);
    }
    types.iter().try_for_each(check_unique)?;
    Ok(types)
}

/// "writeOnly": "Attribute values SHALL NOT be returned" (RFC 7643, 7), whatever else a schema
/// says.
fn hide(attribute: &mut Attribute) {
    if attribute.mutability == Mutability::WriteOnly {
        attribute.returned = Returned::Never;
    }
}

/// Each further unique value is a row of the resource's transaction, which holds so many.
const MAX_UNIQUE: usize = 3;

fn check_unique(resource_type: &ResourceType) -> Result<(), SchemaError> {
    let name = resource_type.name_attribute().map(|attribute| &attribute.name);
    let core =
        resource_type.schema.attributes.iter().filter(|attribute| Some(&attribute.name) != name);
    let all =
        core.chain(resource_type.extensions.iter().flat_map(|extension| &extension.attributes));
    match all.filter(|attribute| attribute.is_unique()).count() > MAX_UNIQUE {
        true => Err(SchemaError(format!(
            "{} has more than {MAX_UNIQUE} unique attributes beside its name",
            resource_type.name
        ))),
        false => Ok(()),
    }
}

fn check(definition: &TypeDefinition, types: &[ResourceType]) -> Result<(), SchemaError> {
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
    let taken = types.iter().any(|of| of.endpoint.eq_ignore_ascii_case(endpoint));
    if taken || TAKEN.iter().any(|taken| path.eq_ignore_ascii_case(taken)) {
        return Err(SchemaError(format!("the endpoint {endpoint} is taken")));
    }
    Ok(())
}
