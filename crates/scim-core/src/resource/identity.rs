//! A stored resource, its id and its metadata.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;

use crate::resource::attributes::Attributes;

/// "A unique identifier for a SCIM resource as defined by the service provider" (RFC 7643, 3.1):
/// 1 to 64 letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    /// The identifier as messages write it.
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

/// "The version of the resource being returned" (RFC 7643, 3.1): the number of its changes,
/// starting at 1.
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
    /// A weak entity tag, because two representations of one version may show different
    /// attributes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/\"{}\"", self.0)
    }
}

/// The part of `meta` that is stored. `resourceType` and `location` follow from the resource type
/// and the id.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// "The "DateTime" that the resource was added to the service provider."
    pub created: OffsetDateTime,
    /// "The most recent DateTime that the details of this resource were updated".
    pub last_modified: OffsetDateTime,
    /// "The version of the resource being returned."
    pub version: Version,
}

impl Meta {
    /// The first version of a resource that is created now.
    pub fn new(now: OffsetDateTime) -> Self {
        Self { created: now, last_modified: now, version: Version(1) }
    }
}

/// A resource as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Assigned once by the service provider; a client can never choose or change it.
    pub id: ResourceId,
    /// Maintained by the service provider.
    pub meta: Meta,
    /// What clients have asserted.
    pub attributes: Attributes,
}
