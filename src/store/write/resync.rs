//! The row of a resync, which tells the product that it begins and that it has finished.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::audit::Audit;
use crate::store::model::resync::Resync;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::log::{self, Entry};
use crate::store::rows::resync;
use crate::store::rows::role::Transaction;

impl Store {
    /// Records that a resync begins; `false` if it had begun before. One call.
    pub async fn begin_resync(
        &self,
        tenant: &TenantKey,
        begun: &Resync,
        audit: &Audit,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        resync::begin(&mut transaction, tenant, begun, audit)?;
        log::add(&mut transaction, tenant.code(), audit, Entry::tenant())?;
        transaction.try_commit(self).await
    }

    /// Records how far a resync has come, or that it has finished; `false` if it had finished
    /// before. One call.
    pub async fn save_resync(
        &self,
        tenant: &TenantKey,
        reached: &Resync,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        resync::progress(&mut transaction, tenant, reached)?;
        transaction.try_commit(self).await
    }
}
