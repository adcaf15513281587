//! The condition that a client puts on a request: the version of the resource that it knows.

use scim_core::{Error, Version};

use crate::reason::Reason;
use crate::store::{Expect, Stored};

/// What `If-Match` or `If-None-Match` requires.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// `*`, which any version satisfies.
    Any,
    /// One of these entity-tags. They are compared weakly: `"3"` and `W/"3"` are equal.
    OneOf(Vec<String>),
}

impl Precondition {
    /// Reads the values of one of the two headers.
    pub fn read<'h>(headers: impl Iterator<Item = &'h str>) -> Self {
        let tags = headers
            .flat_map(|header| header.split(','))
            .map(str::trim)
            .filter(|tag| !tag.is_empty());
        let tags: Vec<String> =
            tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag).to_owned()).collect();
        match tags.as_slice() {
            [] => Self::None,
            tags if tags.iter().any(|tag| tag == "*") => Self::Any,
            _ => Self::OneOf(tags),
        }
    }

    /// What must still be as it was read when a write under this condition is stored. A condition
    /// on the version of a group covers its members.
    pub(super) fn expect(&self) -> Expect {
        if matches!(self, Self::OneOf(_)) { Expect::RowAndMembers } else { Expect::Row }
    }

    /// Whether a resource of this version satisfies the condition.
    pub fn matches(&self, version: Version) -> bool {
        match self {
            Self::None | Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|tag| *tag == format!("\"{}\"", version.0)),
        }
    }

    /// # Errors
    /// 412 unless the client knows the newest version.
    pub(super) fn require_match(&self, stored: &Stored) -> Result<(), Error> {
        if self.matches(stored.resource.meta.version) {
            return Ok(());
        }
        Err(Reason::StaleVersion.error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_compared_weakly() {
        for (header, first, second) in [
            ("W/\"1\"", true, false),
            ("\"1\"", true, false),
            ("\"9\", W/\"2\"", false, true),
            ("*", true, true),
            ("", true, true),
            ("1", false, false),
            ("nonsense", false, false),
        ] {
            let precondition = Precondition::read([header].into_iter());
            assert_eq!(
                (precondition.matches(Version(1)), precondition.matches(Version(2))),
                (first, second),
                "{header}"
            );
        }
    }
}
