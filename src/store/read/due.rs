//! Visible users who have expired.

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::collection::Collection;
use crate::store::rows::due;

impl Store {
    /// At most `max` users who have expired by `now`, each with the time of expiry. One call for a
    /// few thousand.
    pub async fn due(
        &self,
        collection: &Collection,
        now: i64,
        max: usize,
    ) -> Result<Vec<(i64, ResourceId)>, StoreError> {
        let (partition, end) = (collection.tenant.due(), due::end(now));
        let keys = KeyCondition::Between(&partition, due::FIRST, &end);
        self.query_first(RowQuery::new(keys), max).await?.rows.iter().map(due::read).collect()
    }
}
