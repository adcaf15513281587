//! The brake on deactivations: its state, and how the operator lifts it.

use super::deployment::Operator;
use super::error::OperatorError;
use crate::store::{BrakeRow, Operation, TenantRow};
use crate::tenant::Profile;

/// The state of a tenant's brake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrakeState {
    /// The tenant's profile does not set a brake.
    NotSet,
    /// No user was deactivated since the brake was set or lifted.
    Idle,
    /// Users were deactivated in this window.
    Window(BrakeRow),
}

impl Operator {
    /// The state of a tenant's brake.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn brake(&self, tenant: &TenantRow) -> Result<BrakeState, OperatorError> {
        // After the setting is removed, an instance that does not know this yet may still count.
        if !Profile::read(&tenant.profile)?.brake.is_set() {
            return Ok(BrakeState::NotSet);
        }
        let row = self.store.brake(&tenant.key()).await?;
        Ok(row.map_or(BrakeState::Idle, BrakeState::Window))
    }

    /// Allows deactivations again, in a new window. Returns whether the brake was on.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn lift_brake(&self, tenant: &TenantRow) -> Result<bool, OperatorError> {
        let profile = Profile::read(&tenant.profile)?;
        let audit = self.audit_under(&profile, Operation::Lift);
        Ok(self.store.lift_brake(&tenant.key(), &audit).await?)
    }
}
