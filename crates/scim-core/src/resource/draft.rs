//! From the body of a POST or PUT to attributes that follow the schema.

use serde_json::{Map, Value};

use crate::envelope;
use crate::error::Error;
use crate::resource::admit;
use crate::resource::attributes::Attributes;
use crate::schema::attribute::Schema;
use crate::schema::dialect::Dialect;
use crate::schema::near_miss::{NearMiss, NearMisses};
use crate::schema::place::{AttributeRef, Place};
use crate::schema::resource_type::ResourceType;

/// What a client asserts with a POST or PUT, checked against the schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The attributes that have a value.
    pub attributes: Attributes,
    /// The names of core attributes that the client asserts to have no value: it sent null, `""`,
    /// `[]`, or a value that contains nothing else, such as `[null]`.
    pub cleared: Vec<String>,
    /// Attributes that were ignored although their names resemble one that a schema defines.
    pub ignored: Vec<NearMiss>,
    /// The first twenty names that no schema defines, reduced to printable ASCII. They were ignored.
    pub unknown: Vec<String>,
}

impl Draft {
    /// Whether the client mentioned a core attribute, even if only to say that it has no value.
    pub fn mentions(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some()
            || self.cleared.iter().any(|name| name == attribute)
    }
}

impl ResourceType {
    /// Reads what a client asserts with a POST.
    ///
    /// `id`, `meta` and other read-only attributes are ignored: "readOnly" values "SHALL be
    /// ignored" (RFC 7644, 3.3 and 3.5.1). `schemas` is checked only in the strict dialect. null,
    /// `""` and `[]` are "no value".
    ///
    /// # Errors
    /// * `invalidValue` if a value has the wrong type or is not in a closed list, or if a required
    ///   attribute has no value.
    /// * `invalidSyntax` if no schema defines an attribute and the dialect refuses that; in the
    ///   strict dialect also if `schemas` is missing or belongs to another type.
    pub fn parse(&self, body: Map<String, Value>, dialect: Dialect) -> Result<Draft, Error> {
        let draft = self.read(body, dialect)?;
        self.check_required(&draft.attributes)?;
        self.check_closed(&Attributes::default(), &draft.attributes)?;
        Ok(draft)
    }

    /// Reads what a client asserts with a PUT, as [`ResourceType::parse`] does. What depends on the
    /// replaced resource is left to [`ResourceType::check_replacement`] (attributes that only this
    /// service provider requires) and [`ResourceType::check_immutable`] (closed lists).
    ///
    /// # Errors
    /// The same as those of [`ResourceType::parse`].
    pub fn parse_replacement(
        &self,
        body: Map<String, Value>,
        dialect: Dialect,
    ) -> Result<Draft, Error> {
        let draft = self.read(body, dialect)?;
        self.check_standard(&draft.attributes)?;
        Ok(draft)
    }

    fn read(&self, body: Map<String, Value>, dialect: Dialect) -> Result<Draft, Error> {
        if dialect.strict {
            self.check_schemas(&body)?;
        }
        let mut reader = Reader::new(self, dialect);
        for (name, value) in body {
            reader.read(&name, value)?;
        }
        let Reader { attributes, cleared, near_misses, .. } = reader;
        let NearMisses { misses: ignored, unknown, .. } = near_misses;
        Ok(Draft { attributes: Attributes(attributes), cleared, ignored, unknown })
    }

    /// "The "schemas" attribute for a resource MUST only contain values defined as "schema" and
    /// "schemaExtensions" for the resource's defined "resourceType"" (RFC 7643, 3), and it "MUST
    /// contain at least one value, which SHALL be the base schema for the resource" (3.3).
    fn check_schemas(&self, body: &Map<String, Value>) -> Result<(), Error> {
        let is_base = |uri: &str| self.schema.id.eq_ignore_ascii_case(uri);
        let is_known = |uri: &str| {
            is_base(uri) || self.extensions.iter().any(|known| known.id.eq_ignore_ascii_case(uri))
        };
        if envelope::schemas(body).any(is_base) && envelope::schemas(body).all(is_known) {
            return Ok(());
        }
        Err(Error::invalid_syntax(format!(
            "schemas must contain {} and only schemas of the resource type {}; send the URIs in an \
            array.",
            self.schema.id, self.name
        )))
    }
}

/// Reads the attributes of one body.
struct Reader<'s> {
    resource_type: &'s ResourceType,
    dialect: Dialect,
    attributes: Map<String, Value>,
    cleared: Vec<String>,
    near_misses: NearMisses,
}

impl<'s> Reader<'s> {
    fn new(resource_type: &'s ResourceType, dialect: Dialect) -> Self {
        Self {
            resource_type,
            dialect,
            attributes: Map::new(),
            cleared: Vec::new(),
            near_misses: NearMisses::default(),
        }
    }

    fn read(&mut self, name: &str, value: Value) -> Result<(), Error> {
        if self.resource_type.is_dropped(name) {
            return Ok(());
        }
        match self.resource_type.resolve(name) {
            Some(Place::Extension(extension)) => self.read_extension(extension, value),
            Some(Place::Attribute(place)) => self.read_attribute(place, value),
            None => self.unknown(name, name),
        }
    }

    fn read_attribute(&mut self, place: AttributeRef<'_>, value: Value) -> Result<(), Error> {
        let has_value = admit::admit_into(&mut self.attributes, place, value, self.dialect)?;
        if !has_value && place.is_core() && !place.attribute.is_read_only() {
            self.cleared.push(place.attribute.name.clone());
        }
        Ok(())
    }

    fn read_extension(&mut self, extension: &Schema, value: Value) -> Result<(), Error> {
        let Some(object) = admit::extension_object(value, &extension.id)? else { return Ok(()) };
        for (name, value) in object {
            match extension.attribute(&name) {
                Some(attribute) => {
                    let place = AttributeRef::new(Some(extension), attribute);
                    admit::admit_into(&mut self.attributes, place, value, self.dialect)?;
                }
                // Some libraries repeat `schemas` in each extension.
                None if name.eq_ignore_ascii_case("schemas") => {}
                None => self.unknown(&name, &format!("{}:{name}", extension.id))?,
            }
        }
        Ok(())
    }

    fn unknown(&mut self, name: &str, path: &str) -> Result<(), Error> {
        let resembled = || self.resource_type.resembled(path);
        self.dialect.check_unknown(name, resembled)?;
        self.near_misses.note(name, resembled);
        Ok(())
    }
}
