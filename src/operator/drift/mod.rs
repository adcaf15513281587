//! Drift: how a table of the product's own users differs from the directory.

mod columns;
mod expected;
mod report;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::deployment::Operator;
use super::error::OperatorError;
use super::export::ExportedUser;
use super::session::Session;
use crate::directory::states::State;
use crate::store::TenantRow;
use columns::Columns;
use expected::Expected;
pub use report::{Difference, DriftCounts, DriftReport, What};

/// A table of users that the product has: a line of names, and lines of as many cells.
///
/// The first of `id`, `externalId` and `userName` among the names is the key. `state` holds words
/// of the events' `state`, and `active` whether the user is active. All other names are SCIM paths
/// of single values.
#[derive(Debug, Clone, Default)]
pub struct DriftTable {
    /// The names of the columns.
    pub names: Vec<String>,
    /// The users.
    pub rows: Vec<DriftRow>,
}

/// A user of the product.
#[derive(Debug, Clone)]
pub struct DriftRow {
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its cells; an empty one means that the product has no value.
    pub cells: Vec<String>,
}

impl Operator {
    /// Compares a table of the product's users with the directory. Users are read in pages; the
    /// table and the differences are held in memory.
    ///
    /// Names are compared as SCIM compares them, and ids without case. A deleted or unmanaged user
    /// that the table lacks is no difference, and neither is a user who is gone and whom the table
    /// has as deleted. Attributes of deleted users are not compared.
    ///
    /// # Errors
    /// [`OperatorError::BadTable`] with the line or the column that cannot be used, or if the table
    /// of the service does not respond.
    pub async fn drift(
        &self,
        tenant: &TenantRow,
        table: DriftTable,
    ) -> Result<DriftReport, OperatorError> {
        let session = Session::open(self, tenant).await?;
        let columns = Columns::read(&table.names, &session.users()?.definition)?;
        let mut expected = expected::read(&columns, table.rows)?;
        let mut report = DriftReport::new(columns.key_name());
        let mut export = self.export(tenant, None).await?;
        while let Some(users) = export.next_batch().await? {
            for user in users {
                report.users += 1;
                meet(&columns, &mut expected, user, &mut report)?;
            }
        }
        report.rows = expected.len();
        for expected in expected.into_values() {
            expected.settle(&columns, &mut report);
        }
        report.sort();
        Ok(report)
    }
}

/// Compares one user of the directory with its row.
fn meet(
    columns: &Columns<'_>,
    expected: &mut HashMap<String, Expected>,
    user: ExportedUser,
    report: &mut DriftReport,
) -> Result<(), OperatorError> {
    let ExportedUser { state, user, .. } = user;
    let Value::Object(user) = user else {
        return Err(OperatorError::Unexpected("a user is not an object"));
    };
    let found = Found { state, user };
    let row = columns.key_of(&found.user).and_then(|key| expected.get_mut(&key));
    let left = match row {
        Some(row) => row.meet(found),
        None => Some(found),
    };
    if let Some(found) = left.filter(Found::should_be_listed) {
        report.differences.push(found.difference(columns, What::Missing(found.state.word())));
    }
    Ok(())
}

/// A user of the directory.
struct Found {
    state: State,
    /// As GET would answer.
    user: Map<String, Value>,
}

impl Found {
    fn text(&self, name: &str) -> &str {
        self.user.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the product must have the user.
    fn should_be_listed(&self) -> bool {
        match self.state {
            State::Provisioned | State::Suspended | State::SuspendedWithExpiry => true,
            State::Absent | State::Unmanaged | State::SoftDeleted | State::Expired => false,
        }
    }

    /// Whether the user is active.
    fn is_active(&self) -> bool {
        match self.state {
            State::Provisioned | State::Unmanaged => {
                self.user.get("active") == Some(&Value::Bool(true))
            }
            _ => false,
        }
    }

    /// A difference of this user.
    fn difference(&self, columns: &Columns<'_>, what: What) -> Difference {
        let key = columns.key_of(&self.user).unwrap_or_else(|| self.text("id").to_owned());
        let name = self.text("userName").to_owned();
        Difference { key, id: self.text("id").parse().ok(), name, line: None, what }
    }
}
