//! Schemas and resource types that a service provider adds to those of RFC 7643.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema::attribute::{Attribute, Schema};
use crate::schema::well_formed::check_schema;

/// Attributes that every resource has.
pub const COMMON: [&str; 4] = ["id", "externalId", "meta", "schemas"];

/// The reason why schemas cannot be used: a sentence for the person who wrote them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(pub(super) String);

impl From<serde_json::Error> for SchemaError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// Schemas and resource types in addition to those of RFC 7643.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Additions {
    schemas: Vec<Schema>,
    pub(super) types: Vec<TypeDefinition>,
    pub(super) overlay: Vec<Overlay>,
}

/// An attribute to add to an existing schema, or to replace one that the schema has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    /// The URI of the schema; by default the core schema of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The definition in the form of RFC 7643 section 7. With `"closed": true`, only the canonical
    /// values are accepted.
    #[serde(flatten)]
    pub attribute: Attribute,
}

/// A resource type in the form of RFC 7643 section 6.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypeDefinition {
    pub(super) name: String,
    pub(super) endpoint: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) schema: String,
    #[serde(default)]
    pub(super) schema_extensions: Vec<Extension>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Extension {
    pub(super) schema: String,
    #[serde(default)]
    pub(super) required: bool,
}

impl Additions {
    /// Reads `{"schemas": [...], "resourceTypes": [...]}` without checking whether the parts fit
    /// together.
    pub(super) fn read(text: &[u8]) -> Result<Self, SchemaError> {
        let document: Value = serde_json::from_slice(text)?;
        let additions = Self {
            schemas: list(&document, "schemas")?,
            types: list(&document, "resourceTypes")?,
            overlay: Vec::new(),
        };
        if additions.types.is_empty() {
            return Err(SchemaError(
                "it needs the array resourceTypes, which names the schemas to serve".into(),
            ));
        }
        Ok(additions)
    }

    /// These additions, together with `extensions` of the user and the attributes of `overlay`.
    #[must_use]
    pub fn and(mut self, extensions: Vec<Schema>, overlay: Vec<Overlay>) -> Self {
        if !extensions.is_empty() {
            let extension =
                |schema: &Schema| Extension { schema: schema.id.clone(), required: false };
            self.types.push(TypeDefinition {
                name: "User".to_owned(),
                endpoint: "/Users".to_owned(),
                description: String::new(),
                schema: String::new(),
                schema_extensions: extensions.iter().map(extension).collect(),
            });
        }
        self.schemas.extend(extensions);
        self.overlay.extend(overlay);
        self
    }

    /// The schema with this id, without the common attributes: these belong to the service
    /// provider, even if a schema lists them.
    pub(super) fn schema(&self, id: &str) -> Result<Schema, SchemaError> {
        let schema = self.schemas.iter().find(|schema| schema.id.eq_ignore_ascii_case(id));
        let mut schema = schema.cloned().ok_or_else(|| unknown_schema(id))?;
        schema.attributes.retain(|attribute| {
            !COMMON.iter().any(|name| attribute.name.eq_ignore_ascii_case(name))
        });
        check_schema(&schema).map_err(SchemaError)?;
        Ok(schema)
    }
}

pub(super) fn unknown_schema(id: &str) -> SchemaError {
    SchemaError(format!("no schema has the id {id}"))
}

/// The values of an array in the document; an absent array is empty.
fn list<T: DeserializeOwned>(document: &Value, name: &str) -> Result<Vec<T>, serde_json::Error> {
    let values = document.get(name).and_then(Value::as_array).into_iter().flatten();
    values.map(T::deserialize).collect()
}
