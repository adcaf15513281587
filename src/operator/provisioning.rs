//! What a row of the log means to an auditor: somebody was provisioned or removed.

use crate::store::{Kind, LogRow, Operation, Stage, Subject};

/// A change of a user's access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provisioning {
    /// A new user.
    Created,
    /// A deleted user came back.
    Restored,
    /// An existing user of the product was recognised.
    Linked,
    /// A user became active.
    Activated,
    /// A user became inactive.
    Deactivated,
    /// A user was deleted.
    Deleted,
    /// An inactive user was erased because its time had come.
    Expired,
}

impl Provisioning {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Restored => "restored",
            Self::Linked => "linked",
            Self::Activated => "activated",
            Self::Deactivated => "deactivated",
            Self::Deleted => "deleted",
            Self::Expired => "expired",
        }
    }

    /// What a row says about a user's access, if it does. Rows of an earlier release do not tell an
    /// activation or a deactivation.
    pub fn of(row: &LogRow) -> Option<Self> {
        let operation = Operation::of(&row.operation)?;
        // Without a version, the row is about memberships; the row of an erased user has none.
        if !is_about_user(row) || (row.version.is_none() && operation != Operation::Expire) {
            return None;
        }
        match operation {
            Operation::Create => Some(Self::Created),
            Operation::Link => Some(Self::Linked),
            Operation::Delete => Some(Self::Deleted),
            Operation::Expire => {
                row.left.as_ref().is_some_and(Vec::is_empty).then_some(Self::Expired)
            }
            // A POST may also stop the clock of a user who is suspended, or keep it. A row of an
            // earlier release does not tell which.
            Operation::Restore if row.subject.is_none() => Some(Self::Restored),
            Operation::Restore if row.was.is_some_and(|was| was.state == Stage::Deleted) => {
                Some(Self::Restored)
            }
            Operation::Undo if row.was.is_some_and(|was| was.state == Stage::Deleted) => {
                Some(Self::Restored)
            }
            Operation::Replace | Operation::Patch | Operation::Restore | Operation::Undo => {
                let was = row.was.filter(|was| was.state == Stage::Live)?;
                Some(if was.active { Self::Deactivated } else { Self::Activated })
            }
            _ => None,
        }
    }
}

/// Whether a row is about a user. A row of an earlier release does not say so; it is about a user
/// if it does not name what only a group has.
pub(super) fn is_about_user(row: &LogRow) -> bool {
    let names = |name: &str| row.changed.iter().any(|changed| changed == name);
    match &row.subject {
        Some(subject) => *subject == Subject::Resource(Kind::User),
        None => {
            let of_groups = ["displayName", "members.add", "members.remove"];
            names("userName") || !of_groups.into_iter().any(names)
        }
    }
}
