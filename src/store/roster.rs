//! Reading who is in a group.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::members::MemberType;
use scim_core::{Member, ResourceId};

use super::item::Item;
use super::keys::TenantKey;
use super::members::NAMED;
use super::{KeyRange, Rows, Store, StoreError};

/// How many members are read in one call: less than a megabyte.
const MEMBERS_AT_ONCE: usize = 4_000;
/// How many parts of a group are read at a time.
const PARTS_AT_ONCE: usize = 4;

impl Store {
    /// The members of a group that has about `count`, in the order of their ids, strongly consistent. One
    /// call for a few thousand, key ranges side by side for more.
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
        let each = stream::iter(KeyRange::parts(count.div_ceil(MEMBERS_AT_ONCE))).map(|range| async {
            let KeyRange { from, to } = range;
            self.query_some(Rows::Between(&partition, &from, &to), usize::MAX).await
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
        let items = self.query_some(Rows::ids(&tenant.members(group)), most).await?.0;
        items.iter().map(member).collect()
    }

    /// Which of these are members of a group. One call each, side by side.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn members_among(
        &self,
        tenant: &TenantKey,
        group: &ResourceId,
        ids: &BTreeSet<ResourceId>,
    ) -> Result<Vec<Member>, StoreError> {
        self.get_among(&tenant.members(group), ids).await?.iter().map(member).collect()
    }
}

pub(super) fn member(item: &Item) -> Result<Member, StoreError> {
    let value = item.s().parse().map_err(|()| StoreError::broken("a member's id is none"))?;
    let kind = match item.text("k") {
        Some("G") => Some(MemberType::Group),
        Some(NAMED) => None,
        _ => Some(MemberType::User),
    };
    Ok(Member { value, kind, display: item.text("n").map(str::to_owned) })
}
