//! How many resources a collection has.

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{FORMAT, KIND};
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::collection::Collection;
use crate::store::rows::counters::{self, ACTIVE, Counters, LIVE};

impl Store {
    /// How many visible resources a collection has. One call.
    pub async fn count(&self, collection: &Collection) -> Result<usize, StoreError> {
        usize::try_from(self.sum(collection, LIVE).await?)
            .map_err(|_| StoreError::broken("the counters add up to a negative number"))
    }

    /// How many users are active. One call.
    pub async fn active(&self, users: &Collection) -> Result<i64, StoreError> {
        self.sum(users, ACTIVE).await
    }

    /// How many users are visible, and how many of them are active. One call.
    pub async fn people(&self, users: &Collection) -> Result<(usize, usize), StoreError> {
        let counters = self.query_all(&users.tenant.counters(), &users.counters()).await?;
        let sum = |attribute| counters.iter().filter_map(|row| row.number(attribute)).sum::<i64>();
        let count = |sum: i64| {
            usize::try_from(sum)
                .map_err(|_| StoreError::broken("the counters add up to a negative number"))
        };
        Ok((count(sum(LIVE))?, count(sum(ACTIVE))?))
    }

    /// The sum of one attribute over all counters.
    async fn sum(&self, collection: &Collection, attribute: &str) -> Result<i64, StoreError> {
        let (partition, prefix) = (collection.tenant.counters(), collection.counters());
        let keys = KeyCondition::BeginsWith(&partition, &prefix);
        let only = format!("{attribute}, {KIND}, {FORMAT}");
        let query = RowQuery { only: Some(&only), ..RowQuery::new(keys) };
        let counters = self.query(query).await?.rows;
        Ok(counters.iter().filter_map(|counter| counter.number(attribute)).sum())
    }

    /// All counters of a collection, without the resources that are `overdue`. One call.
    pub(in crate::store) async fn counters(
        &self,
        collection: &Collection,
        overdue: &[ResourceId],
    ) -> Result<Counters, StoreError> {
        let rows = self.query_all(&collection.tenant.counters(), &collection.counters()).await?;
        counters::read(collection, &rows, overdue)
    }
}
