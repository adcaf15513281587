//! Giving up unfinished work.

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::role::Transaction;
use crate::store::rows::unfinished;

impl Store {
    /// Gives up the creation of a group, unless it has succeeded. Its members' rows are then
    /// removed like those of a deleted group. `false` if the group was no longer being created. One
    /// call.
    pub async fn abandon(
        &self,
        tenant: &TenantKey,
        group: &ResourceId,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        unfinished::abandon_creation(&mut transaction, tenant, group)?;
        transaction.try_commit(self).await
    }
}
