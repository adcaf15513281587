//! The groups that resources are members of.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::ResourceId;

use crate::store::engine::batch_get::Size;
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
        let members: BTreeMap<String, &ResourceId> =
            members.into_iter().map(|member| (tenant.memberships(member), member)).collect();
        let keys = members
            .keys()
            .flat_map(|p| groups.iter().map(move |group| (p.clone(), group.to_string())));
        let mut memberships: BTreeMap<ResourceId, Vec<ResourceId>> = BTreeMap::new();
        for ((p, _), row) in self.get_many(keys.collect::<Vec<_>>(), Size::Small, None).await? {
            if let Some(member) = members.get(&p) {
                memberships.entry((*member).clone()).or_default().push(group(&row)?);
            }
        }
        Ok(memberships)
    }
}
