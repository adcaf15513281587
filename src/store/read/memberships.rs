//! The groups that resources are members of.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::membership::group;

impl Store {
    /// The groups that a member is in, at most `max`. The member may be an id that names no
    /// resource. One call for a few thousand.
    pub async fn memberships(
        &self,
        tenant: &TenantKey,
        member: &ResourceId,
        max: usize,
    ) -> Result<Vec<ResourceId>, StoreError> {
        let partition = tenant.memberships(member);
        let query = RowQuery::small(KeyCondition::ids(&partition), max);
        self.query_first(query, max).await?.rows.iter().map(group).collect()
    }

    /// Which of these groups each of these resources is a member of. One call for every hundred
    /// pairs.
    pub async fn memberships_among(
        &self,
        tenant: &TenantKey,
        members: impl IntoIterator<Item = &ResourceId>,
        groups: &BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, Vec<ResourceId>>, StoreError> {
        let partitions = members.into_iter().map(|member| (tenant.memberships(member), member));
        self.rows_among(tenant, partitions.collect(), groups, group).await
    }
}
