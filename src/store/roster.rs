//! Reading who is in a group.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::members::MemberType;
use scim_core::{Member, ResourceId};

use super::batch_get::Size;
use super::item::Item;
use super::keys::TenantKey;
use super::members::NAMED;
use super::{KeyRange, Query, Rows, Store, StoreError};
use crate::budget;

/// How many members are read in one call: less than a megabyte.
const MEMBERS_AT_ONCE: usize = 4_000;
/// How many parts of a group are read at a time.
const PARTS_AT_ONCE: usize = 4;

impl Store {
    /// The members of a group that has about `count`, in the order of their ids, strongly
    /// consistent. One call for a few thousand, key ranges side by side for more.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn members(
        &self,
        tenant: &TenantKey,
        group: &ResourceId,
        count: usize,
    ) -> Result<Vec<Member>, StoreError> {
        let partition = tenant.members(group);
        let each = stream::iter(KeyRange::parts(parts(count))).map(|range| async {
            let KeyRange { from, to } = range;
            self.query_some(Query::small(Rows::Between(&partition, &from, &to), count), usize::MAX)
                .await
        });
        let parts: Vec<(Vec<Item>, bool)> = each.buffered(PARTS_AT_ONCE).try_collect().await?;
        parts.iter().flat_map(|(items, _)| items).map(member).collect()
    }

    /// The first members of a group, at most `most`. One call for a few thousand.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn some_members(
        &self,
        tenant: &TenantKey,
        group: &ResourceId,
        most: usize,
    ) -> Result<Vec<Member>, StoreError> {
        let partition = tenant.members(group);
        let items = self.query_some(Query::small(Rows::ids(&partition), most), most).await?.0;
        items.iter().map(member).collect()
    }

    /// Which of these are members of which of these groups. One call for each hundred of both.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn members_among(
        &self,
        tenant: &TenantKey,
        groups: impl IntoIterator<Item = &ResourceId>,
        ids: &BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, Vec<Member>>, StoreError> {
        let groups: BTreeMap<String, &ResourceId> =
            groups.into_iter().map(|group| (tenant.members(group), group)).collect();
        let keys =
            groups.keys().flat_map(|p| ids.iter().map(move |id| (p.clone(), id.to_string())));
        let mut members: BTreeMap<ResourceId, Vec<Member>> = BTreeMap::new();
        for ((p, _), row) in self.get_many(keys.collect::<Vec<_>>(), Size::Small, None).await? {
            if let Some(group) = groups.get(&p) {
                members.entry((*group).clone()).or_default().push(member(&row)?);
            }
        }
        Ok(members)
    }
}

/// The most calls and read units that it takes to read the members of a group that has about
/// `count`.
pub fn price_of_members(count: usize) -> (usize, usize) {
    if count == 0 {
        return (0, 0);
    }
    let parts = parts(count);
    (
        2 * parts,
        (parts * budget::units_of_small_rows(count)).max(count / budget::SMALL_ROWS_IN_A_UNIT),
    )
}

/// How many parts of a group are read for themselves.
fn parts(count: usize) -> usize {
    count.div_ceil(MEMBERS_AT_ONCE).max(1)
}

pub(super) fn member(item: &Item) -> Result<Member, StoreError> {
    let value = item
        .s()
        .parse()
        .map_err(|()| StoreError::broken("a member's row has an id that is not valid"))?;
    let kind = match item.text("k") {
        Some("G") => Some(MemberType::Group),
        Some(NAMED) => None,
        _ => Some(MemberType::User),
    };
    Ok(Member { value, kind, display: item.text("n").map(str::to_owned) })
}
