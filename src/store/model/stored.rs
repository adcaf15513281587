//! A resource as it was read.

use scim_core::Resource;

use super::departure::Departure;
use super::names::Names;
use super::stage::{Stage, Standing, is_active};

/// Largest document of a resource, in bytes of JSON.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1_024;

/// The sort keys of the rows by which a resource holds its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NameKeys {
    pub(crate) claim: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) unique: Vec<String>,
}

/// A resource as it is stored. A group does not include its members.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What the client sees of it. The version of a group counts the changes of its members too.
    pub resource: Resource,
    /// Visible, deleted or imported.
    pub state: Stage,
    /// When the row may be removed, in seconds since 1970; `None` if the resource does not expire.
    pub expires: Option<i64>,
    /// The standing before the deletion of a user who is deleted, or whom the operator restored from
    /// it; `None` if it is not known.
    pub departure: Option<Departure>,
    pub(in crate::store) names: Names,
    pub(in crate::store) keys: NameKeys,
    /// The version of the row itself.
    pub(in crate::store) row_version: u64,
    /// How many members a group has. Users who were deleted while the group was being created are
    /// counted too.
    pub members: usize,
    /// Whether it was ever made a member of a group: otherwise a deletion has no memberships to
    /// end.
    pub grouped: bool,
    /// The sort key and the version of each head of a group.
    pub(in crate::store) heads: Vec<(String, u64)>,
    /// Length of the document.
    pub(in crate::store) bytes: usize,
}

impl Stored {
    /// The facts that determine its state in `docs/LIFE.md`.
    pub fn standing(&self) -> Standing {
        Standing {
            state: self.state,
            expires: self.expires,
            active: is_active(&self.resource.attributes),
        }
    }

    /// The standing before its deletion, and the deletion's version, if the user is deleted and no
    /// earlier release deleted it.
    pub fn departed(&self) -> Option<Departure> {
        let departure = self.departure.filter(|departure| departure.version == self.row_version);
        departure.filter(|_| self.state == Stage::Deleted)
    }

    /// Whether it is as the first change after this departure has left it.
    pub fn is_next_after(&self, departure: Departure) -> bool {
        self.row_version == departure.version + 1
    }

    /// When it expires, if it is visible; in seconds since 1970.
    pub(in crate::store) fn due(&self) -> Option<i64> {
        self.expires.filter(|_| self.state == Stage::Live)
    }

    /// The bytes of its document.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a deletion leaves rows behind: memberships, or members of its own.
    pub fn leaves_rows(&self) -> bool {
        self.grouped || self.members > 0
    }

    /// Whether it has not expired yet.
    pub(in crate::store) fn is_there(&self, now: i64) -> bool {
        self.expires.is_none_or(|expiry| expiry > now)
    }

    /// Whether the identity provider may see the resource.
    pub fn is_visible(&self, now: i64) -> bool {
        self.state == Stage::Live && self.is_there(now)
    }

    /// Whether the user was deleted and can still be restored.
    pub fn is_restorable(&self, now: i64) -> bool {
        self.state == Stage::Deleted && self.expires.is_some_and(|expiry| expiry > now)
    }

    /// The names by which the resource is (or was) found.
    pub fn names(&self) -> &Names {
        &self.names
    }
}
