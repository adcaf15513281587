//! The seats and the brake of a tenant.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::seats_and_brake::{BrakeRow, SeatsRow, brake_key, seats_key};

impl Store {
    /// The seats of a tenant, if they were ever limited. One call.
    pub async fn seats(&self, tenant: &TenantKey) -> Result<Option<SeatsRow>, StoreError> {
        let row = self.get(seats_key(tenant)).await?;
        row.map_or(Ok(None), |row| SeatsRow::read(&row))
    }

    /// The brake of a tenant, if a user was deactivated since it was set. One call.
    pub async fn brake(&self, tenant: &TenantKey) -> Result<Option<BrakeRow>, StoreError> {
        let row = self.get(brake_key(tenant)).await?;
        row.map(|row| BrakeRow::read(&row)).transpose()
    }
}
