//! What a soft deletion keeps, so that the user can come back as it was.

use std::ops::RangeInclusive;

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
    /// The version that an earlier deletion made, if memberships that ended by it may still be kept,
    /// since the operator's restore of it may have been interrupted.
    pub earlier: Option<u64>,
}

impl Departure {
    /// The form in the row: `12 active`.
    pub(in crate::store) fn text(self) -> String {
        format!("{} {}", self.version, self.standing.word())
    }

    /// The departure of this form; `None` for one that this release does not know.
    pub(in crate::store) fn of_text(text: &str) -> Option<Self> {
        let (version, word) = text.split_once(' ')?;
        let (version, standing) = (version.parse().ok()?, Standing::of_word(word)?);
        Some(Self { version, standing, earlier: None })
    }

    /// The form of the earlier deletion in the row: `12 7`. It begins with the version of this one,
    /// because an earlier release leaves it in the row when it deletes the user again.
    pub(in crate::store) fn earlier_text(self) -> Option<String> {
        Some(format!("{} {}", self.version, self.earlier?))
    }

    /// The same with the earlier deletion of this form, if it is that of this one.
    pub(in crate::store) fn after(self, text: &str) -> Self {
        let earlier =
            text.split_once(' ').filter(|(version, _)| *version == self.version.to_string());
        Self { earlier: earlier.and_then(|(_, earlier)| earlier.parse().ok()), ..self }
    }

    /// The versions of the deletions whose memberships are kept.
    pub(in crate::store) fn versions(self) -> RangeInclusive<u64> {
        self.earlier.unwrap_or(self.version)..=self.version
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
        let departure = Departure::of_text("12 active").unwrap();
        assert_eq!((departure.earlier_text(), departure.versions()), (None, 12..=12));
        let later = departure.after("12 7");
        assert_eq!((later.earlier_text().as_deref(), later.versions()), (Some("12 7"), 7..=12));
        for text in ["", "12", "12 x", "9 7"] {
            assert_eq!(departure.after(text), departure, "{text}");
        }
    }
}
