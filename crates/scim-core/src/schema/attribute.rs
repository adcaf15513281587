//! Schemas as data: "the attribute name and metadata of the SCIM resources" (RFC 7643, 7).

use serde::{Deserialize, Serialize};

/// A schema of RFC 7643 section 7, read from and written to its own JSON form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// "The unique URI of the schema."
    pub id: String,
    /// "The schema's human-readable name."
    pub name: String,
    /// "The schema's human-readable description."
    #[serde(default)]
    pub description: String,
    /// The definitions of its attributes.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// The attribute called `name`, ignoring ASCII case: "Attribute names are case insensitive"
    /// (RFC 7643, 2.1).
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.attributes, name)
    }
}

/// One attribute with its characteristics (RFC 7643, 2.2 and 7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribute {
    /// "The attribute's name", spelled as the service provider writes it.
    pub name: String,
    /// "The attribute's data type."
    #[serde(rename = "type")]
    pub kind: Type,
    /// "When an attribute is of type "complex", "subAttributes" defines a set of sub-attributes."
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_attributes: Vec<Attribute>,
    /// "A Boolean value indicating the attribute's plurality."
    #[serde(default)]
    pub multi_valued: bool,
    /// "The attribute's human-readable description."
    #[serde(default)]
    pub description: String,
    /// "A Boolean value that specifies whether or not the attribute is required."
    #[serde(default)]
    pub required: bool,
    /// "A collection of suggested canonical values that MAY be used".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_values: Vec<String>,
    /// "A Boolean value that specifies whether or not a string attribute is case sensitive."
    #[serde(default)]
    pub case_exact: bool,
    /// "A single keyword indicating the circumstances under which the value of the attribute can be
    /// (re)defined".
    #[serde(default)]
    pub mutability: Mutability,
    /// "A single keyword that indicates when an attribute and associated values are returned".
    #[serde(default)]
    pub returned: Returned,
    /// "A single keyword value that specifies how the service provider enforces uniqueness of
    /// attribute values."
    #[serde(default)]
    pub uniqueness: Uniqueness,
    /// "A multi-valued array of JSON strings that indicate the SCIM resource types that may be
    /// referenced."
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_types: Vec<String>,
    /// Whether a value must be one of the canonical values; it is compared ignoring case unless
    /// `case_exact` is set, and stored in the spelling of the list. A resource may keep another
    /// value that it already has. The RFC defines canonical values as suggestions, so discovery
    /// does not show this flag.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// Whether the service provider derives the values itself: it replaces what clients send, and
    /// discovery shows the attribute as read-only.
    #[serde(skip)]
    pub derived: bool,
    /// A sentence for errors that says what to map to the attribute, such as
    /// `In Entra ID, map mail to emails.`
    #[serde(skip)]
    pub advice: Option<String>,
}

impl Attribute {
    /// The sub-attribute called `name`, ignoring ASCII case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.sub_attributes, name)
    }

    /// Whether no two resources may have the same value. Only an attribute with a single simple
    /// value can be unique.
    pub fn is_unique(&self) -> bool {
        self.uniqueness != Uniqueness::None && !self.multi_valued && self.kind != Type::Complex
    }

    /// Whether two strings are the same value of this attribute.
    pub(crate) fn is_same(&self, one: &str, other: &str) -> bool {
        if self.case_exact { one == other } else { one.eq_ignore_ascii_case(other) }
    }

    /// Whether clients must never learn the value, even through a filter or a sort order.
    pub fn is_hidden(&self) -> bool {
        self.returned == Returned::Never
    }

    /// Whether clients cannot write the attribute.
    pub fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }
}

fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The data types of RFC 7643 section 2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the RFC's")]
pub enum Type {
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

impl Type {
    /// Whether values are strings, which may be empty.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Reference)
    }
}

/// When a value can be (re)defined (RFC 7643, 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// "The attribute SHALL NOT be modified."
    ReadOnly,
    /// "The attribute MAY be updated and read at any time.  This is the default value."
    #[default]
    ReadWrite,
    /// "The attribute MAY be defined at resource creation ... The attribute SHALL NOT be updated."
    Immutable,
    /// "The attribute MAY be updated at any time.  Attribute values SHALL NOT be returned".
    WriteOnly,
}

/// When a value is returned (RFC 7643, 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// "The attribute is always returned".
    Always,
    /// "The attribute is never returned."
    Never,
    /// "The attribute is returned by default in all SCIM operation responses".
    #[default]
    Default,
    /// "The attribute is returned in response to any PUT, POST, or PATCH operations if the
    /// attribute was specified by the client", or if the client asks for it by name.
    Request,
}

/// How uniqueness is enforced (RFC 7643, 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// "The values are not intended to be unique in any way."
    #[default]
    None,
    /// "The value SHOULD be unique within the context of the current SCIM endpoint (or tenancy)".
    Server,
    /// "The value SHOULD be globally unique".
    Global,
}
