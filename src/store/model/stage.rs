//! Whether a resource is visible, deleted or imported, and active.

use scim_core::Resource;
use scim_core::resource::Attributes;
use serde_json::Value;

/// The state of a resource, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Visible to the identity provider, active or not.
    Live,
    /// Deleted by the identity provider: 404, kept until the row expires.
    Deleted,
    /// Imported: known to the product, not to the identity provider yet.
    Unmanaged,
}

/// The facts that determine a user's state in `docs/LIFE.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Visible, deleted, or not provisioned yet.
    pub state: Stage,
    /// When the row may be removed, in seconds since 1970.
    pub expires: Option<i64>,
    /// Whether the user is active.
    pub active: bool,
}

impl Standing {
    /// The word for an active user.
    const ACTIVE: &str = "active";
    /// The word for an inactive user.
    const INACTIVE: &str = "inactive";
    /// The word for a deleted user.
    const DELETED: &str = "deleted";
    /// The word for an imported user.
    const UNMANAGED: &str = "unmanaged";

    /// The standing as rows hold it: a word, and the second of the expiry after a dot if there is
    /// one, as in `inactive.1790000000`. The word for a deleted or imported user does not tell
    /// whether they were active.
    pub fn word(self) -> String {
        let word = match self.state {
            Stage::Live if self.active => Self::ACTIVE,
            Stage::Live => Self::INACTIVE,
            Stage::Deleted => Self::DELETED,
            Stage::Unmanaged => Self::UNMANAGED,
        };
        self.expires.map_or_else(|| word.to_owned(), |expiry| format!("{word}.{expiry}"))
    }

    /// The standing of such a word; `None` for one that this release does not know.
    pub fn of_word(text: &str) -> Option<Self> {
        let (word, expires) = match text.split_once('.') {
            Some((word, expiry)) => (word, Some(expiry.parse().ok()?)),
            None => (text, None),
        };
        let (state, active) = match word {
            Self::ACTIVE => (Stage::Live, true),
            Self::INACTIVE => (Stage::Live, false),
            Self::DELETED => (Stage::Deleted, false),
            Self::UNMANAGED => (Stage::Unmanaged, false),
            _ => return None,
        };
        Some(Self { state, expires, active })
    }
}

/// Whether a user counts as active. A user without a value for `active` does not: losing a value
/// must not let anyone in.
pub fn is_active(attributes: &Attributes) -> bool {
    attributes.get("active") == Some(&Value::Bool(true))
}

/// 1 for an active user, 0 for all others.
pub(crate) fn activity(resource: &Resource) -> i64 {
    i64::from(is_active(&resource.attributes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_is_read_as_it_is_written() {
        for word in ["active", "inactive", "inactive.1790000000", "deleted.9", "unmanaged"] {
            assert_eq!(Standing::of_word(word).map(Standing::word).as_deref(), Some(word));
        }
        for word in ["", "active.", "inactive.soon", "frozen", "Active"] {
            assert!(Standing::of_word(word).is_none(), "{word}");
        }
    }
}
