//! The owners of a name's rows.

use std::collections::BTreeSet;

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::Item;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::rows::identity::ID;
use crate::store::rows::resource::{DELETED, STATE, UNMANAGED};

/// Maximum number of resources that are read one by one because they share a name.
pub(crate) const MAX_OWNERS: usize = 50;
/// Maximum number of pointers of one value that are read, those to former owners included.
const MAX_POINTERS: usize = 200;

/// Which owners of a name to return.
#[derive(Clone, Copy)]
pub(crate) enum OwnerFilter {
    /// Visible at this time.
    Visible(i64),
    /// Deleted, but can be restored at this time.
    Deleted(i64),
    /// Imported, but not provisioned yet.
    Unmanaged,
    /// In any state, but not expired at this time.
    Any(i64),
}

impl OwnerFilter {
    fn matches(self, row: &Item) -> bool {
        match self {
            Self::Visible(now) => leads_to_visible(row, now),
            Self::Deleted(now) => row.text(STATE) == Some(DELETED) && !row.is_expired(now),
            Self::Unmanaged => row.text(STATE) == Some(UNMANAGED),
            Self::Any(now) => !row.is_expired(now),
        }
    }
}

/// The owners of a value.
pub(crate) struct Owners {
    pub(crate) ids: Vec<ResourceId>,
    /// Whether all rows of the value were read.
    pub(crate) complete: bool,
}

/// Whether a claim or a pointer may lead to a visible resource.
pub(crate) fn leads_to_visible(row: &Item, now: i64) -> bool {
    row.text(STATE).is_none() && !row.is_expired(now)
}

impl Store {
    /// The owners that the first 200 pointers under a prefix name. A pointer says what happened to
    /// its owner, so owners that are not wanted need not be read.
    pub(in crate::store) async fn owners(
        &self,
        partition: &str,
        prefix: &str,
        filter: OwnerFilter,
    ) -> Result<Owners, StoreError> {
        let query = RowQuery::new(KeyCondition::BeginsWith(partition, prefix));
        let first = self.query_first(query, MAX_POINTERS).await?;
        let wanted = first.rows.iter().filter(|row| filter.matches(row));
        let ids: BTreeSet<ResourceId> =
            wanted.filter_map(|row| row.text(ID)?.parse().ok()).collect();
        Ok(Owners { ids: ids.into_iter().collect(), complete: first.complete })
    }
}
