//! A resource on its way from the client to the store and back.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::schema::near_miss::NearMiss;

/// "A unique identifier for a SCIM resource as defined by the service provider" (RFC 7643, 3.1):
/// at most 64 letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    /// The identifier in its wire form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResourceId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// "The version of the resource being returned" (RFC 7643, 3.1): a count of its changes, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

impl Version {
    /// The version after one more change.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    /// A weak entity-tag: two representations of one version may differ in projection.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/\"{}\"", self.0)
    }
}

/// The part of `meta` that is stored; `resourceType` and `location` follow from the type and id.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// "The "DateTime" that the resource was added to the service provider."
    pub created: OffsetDateTime,
    /// "The most recent DateTime that the details of this resource were updated".
    pub last_modified: OffsetDateTime,
    /// "The version of the resource being returned."
    pub version: Version,
}

/// A `DateTime` as this service provider writes it: RFC 3339 in UTC with milliseconds.
pub fn date_time(at: OffsetDateTime) -> String {
    let milliseconds = at.millisecond();
    let whole =
        at.to_offset(time::UtcOffset::UTC).replace_nanosecond(u32::from(milliseconds) * 1_000_000);
    whole.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

/// The attributes that a client asserted: canonical names, canonical types, no `id`, `meta` or
/// `schemas`; extension attributes under their schema's URI.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(pub(crate) Map<String, Value>);

impl Attributes {
    /// Takes attributes that this crate wrote before (see [`Attributes::as_object`]).
    pub fn from_stored(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// The attributes as the JSON object to store.
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The value of a core attribute by its canonical name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The text of a core attribute; `None` if it has no value or another type.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Gives a core attribute a value that fits its schema.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Takes the value of an attribute away, an extension's by its name `urn:...:name`.
    pub fn remove(&mut self, name: &str) {
        if self.0.remove(name).is_some() {
            return;
        }
        if let Some((extension, name)) = name.rsplit_once(':')
            && let Some(Value::Object(values)) = self.0.get_mut(extension)
        {
            values.remove(name);
            if values.is_empty() {
                self.0.remove(extension);
            }
        }
    }

    /// Lays `other` over these attributes: what it names wins, extensions attribute by attribute,
    /// all else stays.
    pub fn overlay(&mut self, other: Attributes) {
        for (name, value) in other.0 {
            match (self.0.get_mut(&name), value) {
                (Some(Value::Object(old)), Value::Object(new)) if name.contains(':') => {
                    old.extend(new)
                }
                (_, value) => {
                    self.0.insert(name, value);
                }
            }
        }
    }

    /// The names of all top-level attributes, extension attributes as `urn:...:name`.
    pub fn names(&self) -> Vec<String> {
        self.changed(&Self::default())
    }

    /// The names of the top-level attributes (extension attributes as `urn:...:name`) whose values
    /// differ between the two.
    pub fn changed(&self, other: &Attributes) -> Vec<String> {
        let flat = |all: &Attributes| {
            let mut flat = std::collections::BTreeMap::new();
            for (name, value) in &all.0 {
                match value {
                    Value::Object(nested) if name.contains(':') => {
                        flat.extend(nested.iter().map(|(n, v)| (format!("{name}:{n}"), v.clone())));
                    }
                    value => {
                        flat.insert(name.clone(), value.clone());
                    }
                }
            }
            flat
        };
        let (mine, theirs) = (flat(self), flat(other));
        let mut names: Vec<String> = mine.keys().chain(theirs.keys()).cloned().collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| mine.get(name) != theirs.get(name));
        names
    }
}

/// What a client asserts with a POST or PUT, checked against the schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The attributes asserted.
    pub attributes: Attributes,
    /// Names of core attributes that the client asserts to have no value: by null, `""`, `[]`, or
    /// what holds nothing else, such as `[null]`.
    pub cleared: Vec<String>,
    /// Attributes that were left out though they resemble one that a schema defines.
    pub ignored: Vec<NearMiss>,
}

impl Draft {
    /// Whether the client speaks of a core attribute at all, be it to say that it has no value.
    pub fn names(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some()
            || self.cleared.iter().any(|name| name == attribute)
    }
}

/// A resource as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Never reassigned, never taken from a client.
    pub id: ResourceId,
    /// Kept by the service provider.
    pub meta: Meta,
    /// The client's part.
    pub attributes: Attributes,
}

/// A resource as one client may see it: `returned` and the request's projection are applied. The
/// only form of a resource that can be sent.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(transparent)]
pub struct Representation(pub(crate) Map<String, Value>);

impl Representation {
    /// The JSON object to send.
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }
}
