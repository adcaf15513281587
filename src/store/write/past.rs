//! Memberships of deleted users that are no longer kept.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::departure::PastMemberships;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::past;
use crate::store::rows::role::Transaction;

impl Store {
    /// No longer keeps these memberships: the user is in the groups again, or need not be. One call.
    pub async fn forget_past(
        &self,
        tenant: &TenantKey,
        memberships: &PastMemberships,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        past::forget(&mut transaction, tenant, memberships)?;
        transaction.commit(self).await?;
        Ok(())
    }
}
