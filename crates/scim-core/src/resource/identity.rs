//! A stored resource, its id and its metadata.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use time::OffsetDateTime;

use crate::resource::attributes::Attributes;

/// Maximum length of an identifier.
const MAX_LENGTH: usize = 128;

/// "A unique identifier for a SCIM resource as defined by the service provider" (RFC 7643, 3.1):
/// 1 to 128 letters, digits, `.`, `_` and `-`.
///
/// Identifiers are compared without case, so no two resources have identifiers that differ only in
/// case: clients may change the case of a value of `members`, which is not "caseExact" (RFC 7643,
/// 8.7.1). A UUID is written in lower case, and any other identifier as it was read.
///
/// Three texts of this form are not identifiers. "The string "bulkId" is a reserved keyword and
/// MUST NOT be used within any unique identifier value" (RFC 7643, 3.1); `.search` is a path of its
/// own (RFC 7644, 3.4.3); and clients remove a path segment that is `.` or `..`.
#[derive(Debug, Clone)]
pub struct ResourceId(String);

impl ResourceId {
    /// The identifier as messages write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier as it is compared: in lower case.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    fn folded_bytes(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ResourceId {}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded_bytes().cmp(other.folded_bytes())
    }
}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded_bytes().for_each(|byte| state.write_u8(byte));
    }
}

impl FromStr for ResourceId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = (1..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && !matches!(text, "." | "..")
            && !text.eq_ignore_ascii_case(".search")
            && !text.to_ascii_lowercase().contains("bulkid");
        if !fits {
            return Err(());
        }
        Ok(Self(if is_uuid(text) { text.to_ascii_lowercase() } else { text.to_owned() }))
    }
}

/// Whether a text is a UUID in its usual form, in either case.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_short_text_that_is_safe_in_a_path() {
        let longest = "x".repeat(128);
        for id in ["1", "42", "usr_9.B-7", "..a", ".searches", "2819c223-7f76-453a", &longest] {
            assert_eq!(id.parse::<ResourceId>().map(|id| id.to_string()), Ok(id.to_owned()));
        }
        let too_long = "x".repeat(129);
        for text in ["", " ", "a b", "a/b", "a~b", "ä", ".", "..", ".search", "bulkId", &too_long]
        {
            assert!(text.parse::<ResourceId>().is_err(), "{text}");
        }
        for text in ["BULKID", ".Search"] {
            assert!(text.parse::<ResourceId>().is_err(), "{text}: ids are compared without case");
        }
    }

    #[test]
    fn ids_that_differ_only_in_case_are_equal_and_are_written_as_they_are() {
        let id = |text: &str| text.parse::<ResourceId>().unwrap();
        let ids = [id("usr_B"), id("Usr_b"), id("usr_a")];
        assert_eq!(ids[0], ids[1]);
        assert!(ids[2] < ids[1]);
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 2);
        assert_eq!((ids[1].as_str(), ids[1].folded().as_str()), ("Usr_b", "usr_b"));
        let uuid = id("2819C223-7F76-453A-919D-413861904646");
        assert_eq!(uuid.as_str(), "2819c223-7f76-453a-919d-413861904646");
    }
}
