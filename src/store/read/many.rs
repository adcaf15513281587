//! Many resources by their ids.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::ResourceId;

use crate::store::engine::batch_get::Size;
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key};
use crate::store::model::collection::{Collection, Kind};
use crate::store::model::stage::Stage;
use crate::store::model::stored::Stored;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::resource;

/// How many groups are read in parallel.
const CONCURRENCY: usize = 16;

impl Store {
    /// The resources with these ids that exist, in this order. A group takes a call, since its
    /// heads are read with it; sixteen resources of other types take one.
    pub async fn resources(
        &self,
        collection: &Collection,
        ids: Vec<ResourceId>,
        now: i64,
    ) -> Result<Vec<Stored>, StoreError> {
        if collection.kind == Kind::Group {
            let each = stream::iter(ids)
                .map(|id| async move { self.resource(collection, &id, now).await });
            let found: Vec<Option<Stored>> = each.buffered(CONCURRENCY).try_collect().await?;
            return Ok(found.into_iter().flatten().collect());
        }
        let key = |id: &ResourceId| resource::key(collection, id);
        let rows = self.get_many(ids.iter().map(key), Size::Any, None).await?;
        let found = ids.iter().filter_map(|id| rows.get(&key(id))).map(resource::read);
        found.filter(|found| found.as_ref().map_or(true, |found| found.is_there(now))).collect()
    }

    /// Which of these resources are visible, by their ids. Deleted users who could be restored are
    /// not visible. One call for sixteen.
    pub async fn visibility(
        &self,
        collection: &Collection,
        ids: impl IntoIterator<Item = &ResourceId>,
        now: i64,
    ) -> Result<BTreeMap<ResourceId, bool>, StoreError> {
        let keys: BTreeMap<Key, &ResourceId> =
            ids.into_iter().map(|id| (resource::key(collection, id), id)).collect();
        let rows =
            self.get_many(keys.keys().cloned(), Size::Any, Some("p, s, k, f, st, x")).await?;
        let there = rows.iter().filter(|(_, row)| !row.is_expired(now));
        let visible = there
            .filter_map(|(key, row)| Some((*keys.get(key)?, resource::state(row) == Stage::Live)));
        Ok(visible.map(|(id, visible)| (id.clone(), visible)).collect())
    }

    /// The small rows with these sort keys in these partitions, by the resource of each partition.
    /// One call for every hundred pairs.
    pub(in crate::store) async fn rows_among<T>(
        &self,
        tenant: &TenantKey,
        partitions: BTreeMap<String, &ResourceId>,
        ids: &BTreeSet<ResourceId>,
        read: fn(&Item) -> Result<T, StoreError>,
    ) -> Result<BTreeMap<ResourceId, Vec<T>>, StoreError> {
        let ids: Vec<String> = ids.iter().map(|id| tenant.id_key(id)).collect();
        let keys = partitions.keys().flat_map(|p| ids.iter().map(move |s| Key::new(p, s)));
        let mut found: BTreeMap<ResourceId, Vec<T>> = BTreeMap::new();
        for (Key { p, .. }, row) in
            self.get_many(keys.collect::<Vec<_>>(), Size::Small, None).await?
        {
            if let Some(id) = partitions.get(&p) {
                found.entry((*id).clone()).or_default().push(read(&row)?);
            }
        }
        Ok(found)
    }

    /// The names of these groups, by their ids; groups that do not exist are left out. One call for
    /// sixteen.
    pub async fn group_names(
        &self,
        tenant: &TenantKey,
        ids: impl IntoIterator<Item = &ResourceId>,
    ) -> Result<BTreeMap<ResourceId, Option<String>>, StoreError> {
        let collection = Collection { tenant: tenant.clone(), kind: Kind::Group };
        let keys = ids.into_iter().map(|id| resource::key(&collection, id));
        let rows = self.get_many(keys.collect::<Vec<_>>(), Size::Any, None).await?;
        let name = |row: &Item| {
            let group = resource::read(row)?.resource;
            Ok((group.id, group.attributes.text("displayName").map(str::to_owned)))
        };
        rows.values().map(name).collect()
    }
}
