//! Rows that a resync touches, page by page: what the product hears of, in whatever state.

use scim_core::ResourceId;

use crate::store::engine::batch_get::Size;
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key};
use crate::store::engine::query::{KeyCondition, QueryPage, RowQuery};
use crate::store::engine::time::milliseconds;
use crate::store::model::collection::{Collection, KeyForm, Kind};
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::heads::{self, Head, is_head};
use crate::store::rows::{counters, identity, membership, resource};

/// Maximum number of rows that one call reads of a collection, with claims and heads.
const ROWS: usize = 400;
/// Maximum number of members or memberships that one call reads.
const MEMBERS: usize = 400;
/// The attributes of resources and heads that are needed.
const RESOURCES: &str = "p, s, k, f, i, v, m, x, n";
/// The attributes of members and memberships that are needed.
const IDS: &str = "p, s, k, f, i";

/// A row that can be touched.
#[derive(Debug, Clone)]
pub struct Touchable {
    /// The resource; of a membership, the member.
    pub id: ResourceId,
    /// When the resource changed last, or a member of the group, in milliseconds since 1970; of a
    /// membership, 0.
    pub changed: i64,
    /// How many members a group has.
    pub members: usize,
    pub(in crate::store) key: Key,
    /// The version of a resource's row. Memberships have no version.
    pub(in crate::store) version: Option<u64>,
}

/// Some rows in the order of their keys.
#[derive(Debug, Default)]
pub struct TouchablePage {
    /// The rows; a page may be empty although others follow.
    pub rows: Vec<Touchable>,
    /// Where to continue; `None` at the end. It stays valid whatever happens to the rows.
    pub next: Option<String>,
}

impl Store {
    /// The resources of a collection after a position, in whatever state, except those that have
    /// expired. One call.
    pub async fn touchable(
        &self,
        collection: &Collection,
        after: Option<&str>,
        now: i64,
    ) -> Result<TouchablePage, StoreError> {
        let partition = collection.partition();
        let keys = KeyCondition::ids(&partition);
        let page = self.touchable_rows(keys, after, (ROWS, RESOURCES)).await?;
        match collection.kind {
            Kind::Group => groups(page),
            Kind::User | Kind::Other(_) => {
                let is_resource = |row: &&Item| KeyForm::of(row.s()) == KeyForm::Resource;
                let rows = page.rows.iter().filter(is_resource).filter(|row| !row.is_expired(now));
                let rows = rows.map(of_resource).collect::<Result<_, _>>()?;
                Ok(TouchablePage { rows, next: page.next })
            }
        }
    }

    /// The resources with these ids that exist, in whatever state, except those that have expired.
    /// One call for sixteen.
    pub async fn touchable_by_ids(
        &self,
        collection: &Collection,
        ids: &[ResourceId],
        now: i64,
    ) -> Result<Vec<Touchable>, StoreError> {
        let keys: Vec<Key> = ids.iter().map(|id| resource::key(collection, id)).collect();
        let rows = self.get_many(keys, Size::Any, Some(RESOURCES)).await?;
        rows.values().filter(|row| !row.is_expired(now)).map(of_resource).collect()
    }

    /// The memberships of a group after a position. One call.
    pub async fn touchable_members(
        &self,
        tenant: &TenantKey,
        group: &ResourceId,
        after: Option<&str>,
    ) -> Result<TouchablePage, StoreError> {
        let partition = tenant.members(group);
        let keys = KeyCondition::ids(&partition);
        let page = self.touchable_rows(keys, after, (MEMBERS, IDS)).await?;
        let of_member = |row: &Item| {
            let id = identity::id(row, row.s())?;
            Ok(of_membership(membership::key(tenant, &id, group), id))
        };
        let rows = page.rows.iter().map(of_member).collect::<Result<_, StoreError>>()?;
        Ok(TouchablePage { rows, next: page.next })
    }

    /// The memberships of a member after a position. One call.
    pub async fn touchable_memberships(
        &self,
        tenant: &TenantKey,
        id: &ResourceId,
        after: Option<&str>,
    ) -> Result<TouchablePage, StoreError> {
        let partition = tenant.memberships(id);
        let keys = KeyCondition::ids(&partition);
        let page = self.touchable_rows(keys, after, (MEMBERS, IDS)).await?;
        let rows = page.rows.iter();
        let rows = rows.map(|row| of_membership(Key::new(&partition, row.s()), id.clone()));
        Ok(TouchablePage { rows: rows.collect(), next: page.next })
    }

    /// The types of the tenant's resources that are neither users nor groups, in the order of their
    /// names. One call for a few thousand counters.
    pub async fn other_kinds(&self, tenant: &TenantKey) -> Result<Vec<Kind>, StoreError> {
        let rows = self.query_all(&tenant.counters(), counters::OTHERS).await?;
        let mut names: Vec<&str> = rows.iter().filter_map(|row| counters::type_name(row)).collect();
        names.dedup();
        Ok(names.into_iter().map(Kind::of).collect())
    }

    async fn touchable_rows(
        &self,
        keys: KeyCondition<'_>,
        after: Option<&str>,
        (limit, only): (usize, &str),
    ) -> Result<QueryPage, StoreError> {
        self.query(RowQuery { after, limit: Some(limit), only: Some(only), ..RowQuery::new(keys) })
            .await
    }
}

fn of_resource(row: &Item) -> Result<Touchable, StoreError> {
    Ok(Touchable {
        id: resource::id(row)?,
        changed: resource::modified(row)?,
        members: 0,
        key: row.key()?,
        version: Some(resource::version(row)?),
    })
}

fn of_membership(key: Key, id: ResourceId) -> Touchable {
    Touchable { id, changed: 0, members: 0, key, version: None }
}

/// The groups of a page, each with what its heads say. If the page ends among the heads of a group,
/// the next page begins with that group.
fn groups(page: QueryPage) -> Result<TouchablePage, StoreError> {
    let QueryPage { rows, mut next } = page;
    let mut groups: Vec<Touchable> = Vec::new();
    let mut begins = 0;
    let mut is_whole = true;
    for (index, row) in rows.iter().enumerate() {
        match KeyForm::of(row.s()) {
            KeyForm::Claim => {}
            KeyForm::Resource => {
                groups.push(of_resource(row)?);
                (begins, is_whole) = (index, false);
            }
            KeyForm::Head(_) => {
                if let Some(group) = groups.last_mut().filter(|group| is_head(row, &group.id)) {
                    let head = Head::read(row)?;
                    group.changed = group.changed.max(milliseconds(head.last_modified));
                    group.members += head.members;
                    is_whole = heads::is_last(row);
                }
            }
        }
    }
    let before = begins.checked_sub(1).and_then(|index| rows.get(index));
    if let Some(before) = before.filter(|_| next.is_some() && !is_whole) {
        groups.pop();
        next = Some(before.s().to_owned());
    }
    Ok(TouchablePage { rows: groups, next })
}
