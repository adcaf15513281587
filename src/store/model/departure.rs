//! What a soft deletion keeps, so that the user can come back as it was.

use scim_core::ResourceId;

use super::stage::Standing;

/// The standing that a user had before a deletion, as the user's own row keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// The version of the row that the deletion made. While the row has another one, the user is not
    /// deleted, or an earlier release has deleted it again.
    pub version: u64,
    /// The standing before.
    pub standing: Standing,
}

impl Departure {
    /// The form in the row: `12 active`.
    pub(in crate::store) fn text(self) -> String {
        format!("{} {}", self.version, self.standing.word())
    }

    /// The departure of this form; `None` for one that this release does not know.
    pub(in crate::store) fn of_text(text: &str) -> Option<Self> {
        let (version, word) = text.split_once(' ')?;
        Some(Self { version: version.parse().ok()?, standing: Standing::of_word(word)? })
    }
}

/// A soft deletion, whose memberships are kept when they end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoftDeletion {
    /// The version of the user's row that the deletion made.
    pub version: u64,
    /// When the rows of the user expire, in seconds since 1970.
    pub expires: i64,
}

/// Some memberships that ended because a user was deleted.
#[derive(Debug, Clone)]
pub struct PastMemberships {
    /// The sort key of the row.
    pub(in crate::store) key: String,
    /// The groups.
    pub groups: Vec<ResourceId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_departure_is_read_as_it_is_written() {
        for text in ["12 active", "1 inactive", "9 inactive.1790000000"] {
            assert_eq!(Departure::of_text(text).map(Departure::text).as_deref(), Some(text));
        }
        for text in ["", "12", "x active", "12 gone"] {
            assert!(Departure::of_text(text).is_none(), "{text}");
        }
    }
}
