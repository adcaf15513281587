//! Where a resync is, as its row keeps it.

use scim_core::ResourceId;
use serde::{Deserialize, Serialize};

use crate::operator::error::OperatorError;
use crate::store::Kind;

/// What is touched, in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Stage {
    Users,
    Groups,
    /// Resources of the type of this name.
    Others(String),
    /// The members of groups, or the memberships of users.
    Members,
}

impl Stage {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::User => Self::Users,
            Kind::Group => Self::Groups,
            Kind::Other(name) => Self::Others(name),
        }
    }
}

/// Where a resync continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) stage: Stage,
    /// The key after which the collection continues; of listed ids, the last one that is done.
    pub(super) after: Option<String>,
    /// The group or user whose memberships are being touched, and the key after which they
    /// continue.
    pub(super) open: Option<(String, String)>,
}

impl Position {
    /// The beginning of a stage.
    pub(super) fn begin(stage: Stage) -> Self {
        Self { stage, after: None, open: None }
    }

    /// A position as a row keeps it.
    ///
    /// # Errors
    /// If a newer release wrote it in another form.
    pub(super) fn read(text: &str) -> Result<Self, OperatorError> {
        let unreadable = OperatorError::Unexpected(
            "another release of this tool began the resync; continue it with that one",
        );
        serde_json::from_str(text).map_err(|_| unreadable)
    }

    /// The position in the form in which a row keeps it.
    pub(super) fn write(&self) -> Result<String, OperatorError> {
        serde_json::to_string(self)
            .map_err(|_| OperatorError::Unexpected("a position cannot be written"))
    }

    /// The key after which the memberships of this group or user continue.
    pub(super) fn within(&self, id: &ResourceId) -> Option<&str> {
        let open = self.open.as_ref().filter(|(open, _)| *open == id.folded());
        open.map(|(_, after)| after.as_str())
    }
}
