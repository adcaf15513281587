//! A user of the directory that is compared.

use serde_json::{Map, Value};

use super::columns::Columns;
use super::report::{Difference, What};
use crate::directory::states::State;

/// A user of the directory.
pub(super) struct Found {
    pub(super) state: State,
    /// As GET would answer.
    pub(super) user: Map<String, Value>,
}

impl Found {
    fn text(&self, name: &str) -> &str {
        self.user.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the product must have the user.
    pub(super) fn should_be_listed(&self) -> bool {
        match self.state {
            State::Provisioned | State::Suspended | State::SuspendedWithExpiry => true,
            State::Absent | State::Unmanaged | State::SoftDeleted | State::Expired => false,
        }
    }

    /// Whether the user is active.
    pub(super) fn is_active(&self) -> bool {
        match self.state {
            State::Provisioned | State::Unmanaged => {
                self.user.get("active") == Some(&Value::Bool(true))
            }
            _ => false,
        }
    }

    /// A difference of this user.
    pub(super) fn difference(&self, columns: &Columns<'_>, what: What) -> Difference {
        let key = columns.key_of(&self.user).unwrap_or_else(|| self.text("id").to_owned());
        let name = self.text("userName").to_owned();
        Difference { key, id: self.text("id").parse().ok(), name, line: None, what }
    }
}
