//! Drift: how a table of the product's own users differs from the directory.

mod columns;
mod expected;
mod found;
mod report;
mod table;

use std::collections::HashMap;

use serde_json::Value;

use super::deployment::Operator;
use super::error::OperatorError;
use super::export::ExportedUser;
use super::session::Session;
use crate::store::TenantRow;
use columns::Columns;
use expected::Expected;
use found::Found;
pub use report::{Difference, DriftCounts, DriftReport, What};
pub use table::{DriftRow, DriftTable};

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
        let mut export = self.users(tenant, None).await?;
        while let Some(users) = export.next_batch().await? {
            for user in users {
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
    report.users += 1;
    report.hidden += usize::from(!found.should_be_listed());
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
