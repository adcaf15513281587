//! What the log says about an export.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::Key;
use crate::store::model::audit::Audit;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::log::{self, Entry};
use crate::store::rows::role::Transaction;

impl Store {
    /// Writes to the log that an export of `what` begins. Returns the id of the row. One call.
    pub async fn begin_export(
        &self,
        tenant: &TenantKey,
        what: Vec<String>,
        audit: &Audit,
    ) -> Result<String, StoreError> {
        let mut transaction = Transaction::on(self);
        let entry = Entry::tenant().words(what);
        let id = log::add_with_id(&mut transaction, tenant.code(), audit, entry)?;
        transaction.commit(self).await?;
        Ok(id)
    }

    /// Adds to the row of an export how many users it wrote. One call.
    pub async fn end_export(
        &self,
        tenant: &TenantKey,
        id: &str,
        count: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        log::set_count(&mut transaction, Key::new(tenant.code().log(), id), count)?;
        transaction.commit(self).await?;
        Ok(())
    }
}
