//! The resyncs of a tenant.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::resync::Resync;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::resync;

impl Store {
    /// The resyncs of the last 30 days, the oldest first. One call for a few thousand.
    pub async fn resyncs(&self, tenant: &TenantKey) -> Result<Vec<Resync>, StoreError> {
        let partition = tenant.resyncs();
        let query = RowQuery::new(KeyCondition::ids(&partition));
        self.query_first(query, usize::MAX).await?.rows.iter().map(resync::read).collect()
    }
}
