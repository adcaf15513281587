//! The unfinished work of a tenant.

use std::collections::BTreeSet;

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::collection::Kind;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::unfinished::{Cause, PREFIX, Unfinished, key};

impl Store {
    /// All unfinished work of a tenant. One call for a few thousand.
    pub async fn unfinished(&self, tenant: &TenantKey) -> Result<Vec<Unfinished>, StoreError> {
        self.query_all(&tenant.own(), PREFIX).await?.iter().map(Unfinished::read).collect()
    }

    /// The first pieces of a tenant's unfinished work, at most `max` of them. One call.
    pub async fn first_unfinished(
        &self,
        tenant: &TenantKey,
        max: usize,
    ) -> Result<Vec<Unfinished>, StoreError> {
        let partition = tenant.own();
        let query = RowQuery::new(KeyCondition::BeginsWith(&partition, PREFIX));
        self.query_first(query, max).await?.rows.iter().map(Unfinished::read).collect()
    }

    /// The deleted resources whose memberships still exist. One call.
    pub async fn leaving(&self, tenant: &TenantKey) -> Result<BTreeSet<ResourceId>, StoreError> {
        let unfinished = self.unfinished(tenant).await?.into_iter();
        Ok(unfinished.filter(|row| row.cause == Cause::Deletion).map(|row| row.id).collect())
    }

    /// The unfinished work about a resource, if there is some. One call.
    pub async fn unfinished_of(
        &self,
        tenant: &TenantKey,
        kind: &Kind,
        id: &ResourceId,
    ) -> Result<Option<Unfinished>, StoreError> {
        self.get(key(tenant, kind, id)).await?.as_ref().map(Unfinished::read).transpose()
    }
}
