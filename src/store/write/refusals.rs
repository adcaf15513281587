//! The ring of refusals.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::engine::ranges::{FIRST, LAST};
use crate::store::model::refused::RefusalBatch;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::refusal;
use crate::store::rows::role::Transaction;

/// How many rows of refusals a tenant keeps.
pub const MAX_REFUSAL_ROWS: usize = 500;
/// How many rows one trim removes at most: more than are written until the next one.
const MAX_REMOVED: usize = 60;

impl Store {
    /// Keeps the refusals of one moment. One call.
    pub async fn add_refusals(
        &self,
        tenant: &TenantKey,
        batch: &RefusalBatch,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        refusal::add(&mut transaction, tenant, batch)?;
        transaction.commit(self).await.map(drop)
    }

    /// Removes a few of the rows of refusals beyond the newest [`MAX_REFUSAL_ROWS`]. Two calls, and
    /// one more for each further megabyte of rows.
    pub async fn trim_refusals(&self, tenant: &TenantKey) -> Result<(), StoreError> {
        let partition = tenant.refusals();
        let keys = KeyCondition::Between(&partition, FIRST, LAST);
        let query = RowQuery { only: Some("p, s, k, f"), backwards: true, ..RowQuery::new(keys) };
        let rows = self.query_first(query, MAX_REFUSAL_ROWS + MAX_REMOVED).await?.rows;
        let mut transaction = Transaction::on(self);
        for row in rows.iter().skip(MAX_REFUSAL_ROWS) {
            refusal::remove(&mut transaction, tenant, row.s())?;
        }
        if transaction.len() > 0 {
            transaction.commit(self).await?;
        }
        Ok(())
    }
}
