//! The refusals of a tenant.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::engine::ranges::LAST;
use crate::store::model::refused::RefusalBatch;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::refusal;

impl Store {
    /// The rows of refusals whose keys are not before `from`, the newest first, after the one with
    /// the key `after`; at most `limit`. Usually one call.
    pub async fn refusals(
        &self,
        tenant: &TenantKey,
        (from, after): (&str, Option<&str>),
        limit: usize,
        now: i64,
    ) -> Result<Vec<RefusalBatch>, StoreError> {
        let partition = tenant.refusals();
        let keys = KeyCondition::Between(&partition, from, LAST);
        let query = RowQuery { after, backwards: true, ..RowQuery::new(keys) };
        let rows = self.query_first(query, limit).await?.rows;
        rows.iter().filter(|row| !row.is_expired(now)).map(refusal::read).collect()
    }
}
