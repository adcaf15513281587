//! A resource type: a schema, its extensions, and what a name stands for in them.

use crate::schema::attribute::{Attribute, Schema, Type};
use crate::schema::near_miss;
use crate::schema::place::{AttributeRef, Place};

/// "The metadata about a resource type" (RFC 7643, 6) and the schemas that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// "The resource type name", e.g. `User`.
    pub name: String,
    /// "The resource type's HTTP-addressable endpoint relative to the Base URL", e.g. `/Users`.
    pub endpoint: String,
    /// "The resource type's human-readable description."
    pub description: String,
    /// "The resource type's primary/base schema".
    pub schema: Schema,
    /// "A list of URIs of the resource type's schema extensions", as schemas.
    pub extensions: Vec<Schema>,
    /// The URIs of those extensions that a resource of this type "MUST include".
    pub required_extensions: Vec<String>,
    /// The "common attributes", which no schema lists: `id`, `externalId`, `meta`, `schemas`.
    pub(crate) common: Vec<Attribute>,
    /// Attributes that are dropped unread when a client sends them: they are never stored, shown
    /// or logged. The schema still lists them, for clients that build their users from it.
    pub(crate) dropped: Vec<String>,
}

impl ResourceType {
    /// The User resource type of RFC 7643 section 4.1 with the enterprise extension.
    ///
    /// # Errors
    /// Never, as long as the schema files of this crate are well formed, which tests ensure.
    pub fn user() -> Result<Self, serde_json::Error> {
        let schema = serde_json::from_str(include_str!("definitions/user.json"))?;
        let enterprise = serde_json::from_str(include_str!("definitions/enterprise_user.json"))?;
        let mut user = Self::plain("User", "/Users", "User Account", schema)?;
        user.extensions = vec![enterprise];
        user.dropped = vec!["password".into()];
        Ok(user)
    }

    /// The Group resource type of RFC 7643 section 4.2.
    ///
    /// # Errors
    /// The same as those of [`ResourceType::user`].
    pub fn group() -> Result<Self, serde_json::Error> {
        let schema = serde_json::from_str(include_str!("definitions/group.json"))?;
        Self::plain("Group", "/Groups", "Group", schema)
    }

    /// A resource type without extensions.
    pub(crate) fn plain(
        name: &str,
        endpoint: &str,
        description: &str,
        schema: Schema,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            name: name.into(),
            endpoint: endpoint.into(),
            description: description.into(),
            schema,
            extensions: Vec::new(),
            required_extensions: Vec::new(),
            common: serde_json::from_str(include_str!("definitions/common.json"))?,
            dropped: Vec::new(),
        })
    }

    /// The schema and its extensions.
    pub(crate) fn schemas_mut(&mut self) -> impl Iterator<Item = &mut Schema> {
        std::iter::once(&mut self.schema).chain(&mut self.extensions)
    }

    /// The top-level attributes of the schema and of its extensions.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = AttributeRef<'_>> {
        let core =
            self.schema.attributes.iter().map(|attribute| AttributeRef::new(None, attribute));
        let extended = self.extensions.iter().flat_map(|extension| {
            let attributes = extension.attributes.iter();
            attributes.map(move |attribute| AttributeRef::new(Some(extension), attribute))
        });
        core.chain(extended)
    }

    /// The attribute that names a resource among others of its type, and by which clients look it
    /// up: `userName` of a user, `displayName` of a group. For any other type it is the first
    /// unique string, if the schema has one.
    pub fn name_attribute(&self) -> Option<&Attribute> {
        match self.name.as_str() {
            "User" => self.schema.attribute("userName"),
            "Group" => self.schema.attribute("displayName"),
            _ => self.schema.attributes.iter().find(|attribute| {
                attribute.is_unique() && matches!(attribute.kind, Type::String | Type::Reference)
            }),
        }
    }

    /// The unique attributes, without the one that names the resource.
    pub(crate) fn unique_attributes(&self) -> impl Iterator<Item = AttributeRef<'_>> {
        let name = self.name_attribute().map(|attribute| &attribute.name);
        self.attributes()
            .filter(move |place| place.extension.is_some() || Some(&place.attribute.name) != name)
            .filter(|place| place.attribute.is_unique())
    }

    /// What a name stands for, such as `name.givenName`, `urn:...:User:department` or the URI of an
    /// extension; `None` if no schema of this type defines it.
    pub fn resolve(&self, name: &str) -> Option<Place<'_>> {
        self.resolve_urn(name).or_else(|| self.resolve_bare(name))
    }

    /// The path of what a name stands for, in the spelling of its schema: an attribute, or the URI
    /// of an extension. `None` if no schema of this type defines the name.
    pub fn path_of(&self, name: &str) -> Option<String> {
        Some(match self.resolve(name)? {
            Place::Attribute(place) => place.path(),
            Place::Extension(extension) => extension.id.clone(),
        })
    }

    /// A name that begins with the URI of a schema. The URI of one schema may begin with that of
    /// another, so all of them are tried.
    fn resolve_urn(&self, name: &str) -> Option<Place<'_>> {
        let core = strip_urn(name, &self.schema.id).flatten();
        let core = core.and_then(|rest| self.in_schema(None, &self.schema, rest));
        core.or_else(|| {
            self.extensions.iter().find_map(|extension| match strip_urn(name, &extension.id)? {
                None => Some(Place::Extension(extension)),
                Some(rest) => self.in_schema(Some(extension), extension, rest),
            })
        })
    }

    /// A name without a URI. Clients write `manager` for the attribute of an extension. The name
    /// means that attribute unless the core schema has an attribute of the same name.
    fn resolve_bare(&self, name: &str) -> Option<Place<'_>> {
        let mut extensions = self.extensions.iter();
        self.in_schema(None, &self.schema, name).or_else(|| {
            extensions.find_map(|extension| self.in_schema(Some(extension), extension, name))
        })
    }

    fn in_schema<'s>(
        &'s self,
        extension: Option<&'s Schema>,
        schema: &'s Schema,
        name: &str,
    ) -> Option<Place<'s>> {
        let (name, sub) = match name.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (name, None),
        };
        let attribute = schema.attribute(name).or_else(|| {
            let common = self.common.iter().find(|common| common.name.eq_ignore_ascii_case(name));
            common.filter(|_| extension.is_none())
        })?;
        let sub = match sub {
            Some(sub) => Some(attribute.sub_attribute(sub)?),
            None => None,
        };
        Some(Place::Attribute(AttributeRef { extension, attribute, sub }))
    }

    /// The attribute or extension whose name resembles a name or path that no schema defines.
    pub(crate) fn resembled(&self, path: &str) -> Option<&str> {
        let path = path.split('[').next().unwrap_or(path).trim_end();
        let (urn, name) =
            path.rsplit_once(':').map_or((None, path), |(urn, name)| (Some(urn), name));
        let name = name.split('.').next().unwrap_or(name);
        let is_meant = |schema: &&Schema| urn.is_none_or(|urn| schema.id.eq_ignore_ascii_case(urn));
        let schemas = std::iter::once(&self.schema).chain(&self.extensions).filter(is_meant);
        let common = self.common.iter().filter(|_| urn.is_none());
        let attributes = schemas.flat_map(|schema| &schema.attributes).chain(common);
        near_miss::nearest(name, attributes.map(|attribute| attribute.name.as_str())).or_else(
            || {
                near_miss::nearest(
                    path,
                    self.extensions.iter().map(|extension| extension.id.as_str()),
                )
            },
        )
    }

    /// Whether `name` is an attribute that is accepted and dropped (`password`).
    pub(crate) fn is_dropped(&self, name: &str) -> bool {
        let name = name.rsplit(':').next().unwrap_or(name);
        self.dropped.iter().any(|dropped| dropped.eq_ignore_ascii_case(name))
    }
}

/// `None` if `name` does not start with the URI, `Some(None)` if it is the URI, otherwise the text
/// after the colon that follows the URI.
fn strip_urn<'n>(name: &'n str, urn: &str) -> Option<Option<&'n str>> {
    let head = name.get(..urn.len())?;
    if !head.eq_ignore_ascii_case(urn) {
        return None;
    }
    match name.get(urn.len()..) {
        Some("") => Some(None),
        Some(rest) => rest.strip_prefix(':').map(Some),
        None => None,
    }
}
