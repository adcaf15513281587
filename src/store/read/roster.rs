//! The members of groups.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::{Member, ResourceId};

use crate::budget;
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{FirstRows, KeyCondition, RowQuery};
use crate::store::engine::ranges::KeyRange;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::member;

/// How many members one call reads: less than a megabyte.
const BATCH: usize = 4_000;
/// How many parts of a group are read in parallel.
const CONCURRENCY: usize = 4;

impl Store {
    /// The members of a group that has about `count`, in the order of their keys. One call for a
    /// few thousand; of larger groups, key ranges are read in parallel.
    pub async fn members(
        &self,
        tenant: &TenantKey,
        group: &ResourceId,
        count: usize,
    ) -> Result<Vec<Member>, StoreError> {
        let partition = tenant.members(group);
        let each = stream::iter(KeyRange::parts(parts(count))).map(|range| async {
            let range = range;
            let query = RowQuery::small(KeyCondition::range(&partition, &range), count);
            self.query_first(query, usize::MAX).await
        });
        let parts: Vec<FirstRows> = each.buffered(CONCURRENCY).try_collect().await?;
        parts.iter().flat_map(|part| &part.rows).map(member::read).collect()
    }

    /// The first members of a group, at most `max`. One call for a few thousand.
    pub async fn some_members(
        &self,
        tenant: &TenantKey,
        group: &ResourceId,
        max: usize,
    ) -> Result<Vec<Member>, StoreError> {
        let partition = tenant.members(group);
        let query = RowQuery::small(KeyCondition::ids(&partition), max);
        self.query_first(query, max).await?.rows.iter().map(member::read).collect()
    }

    /// Which of these resources are members of which of these groups. One call for every hundred
    /// pairs.
    pub async fn members_among(
        &self,
        tenant: &TenantKey,
        groups: impl IntoIterator<Item = &ResourceId>,
        ids: &BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, Vec<Member>>, StoreError> {
        let partitions = groups.into_iter().map(|group| (tenant.members(group), group));
        self.rows_among(tenant, partitions.collect(), ids, member::read).await
    }
}

/// Maximum number of calls and read units that it takes to read the members of a group that has
/// about `count`.
pub fn price_of_members(count: usize) -> (usize, usize) {
    if count == 0 {
        return (0, 0);
    }
    let parts = parts(count);
    let units = parts * budget::units_of_small_rows(count);
    (2 * parts, units.max(count / budget::SMALL_ROWS_IN_A_UNIT))
}

/// How many parts of a group are read separately.
fn parts(count: usize) -> usize {
    count.div_ceil(BATCH).max(1)
}
