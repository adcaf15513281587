//! The key ranges of a collection that are read in parallel.

use super::walk::Walk;
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::ranges::KeyRange;
use crate::store::model::collection::{Collection, behind};

/// How many resources a key range holds if it is read in parallel with others. Most ranges take one
/// call.
const BATCH: usize = 500;

/// Where the next resources of a collection are.
#[derive(Debug)]
pub struct Ranges {
    /// Visible resources of the collection.
    pub total: usize,
    /// Key ranges in their order.
    pub ranges: Vec<KeyRange>,
    /// The key to continue after, if resources follow the last range. It belongs to no resource,
    /// but sorts among their keys.
    pub next: Option<String>,
}

impl Store {
    /// How many visible resources a collection has, and the key ranges of the next ones, for
    /// [`Store::range`]: about `max` resources after the one with the sort key `after`. One call.
    pub async fn ranges(
        &self,
        collection: &Collection,
        after: Option<&str>,
        max: usize,
    ) -> Result<Ranges, StoreError> {
        let counters = self.counters(collection, &[]).await?;
        let (ranges, next) = counters.split(after.map(behind).as_deref(), BATCH, max);
        Ok(Ranges { total: counters.total(), ranges, next })
    }

    /// The visible resources in a key range. The first call reads about `wanted` of them if it is
    /// given, and otherwise as many as it can.
    pub fn range<'a>(
        &'a self,
        collection: &Collection,
        range: KeyRange,
        wanted: Option<usize>,
        now: i64,
    ) -> Walk<'a> {
        let mut walk = Walk::new(self, collection, range, wanted.unwrap_or_default(), now);
        if wanted.is_none() {
            walk.unlimited();
        }
        walk
    }

    /// All resources that have not expired, including deleted and imported ones.
    pub fn everyone<'a>(&'a self, collection: &Collection, now: i64) -> Walk<'a> {
        self.range(collection, KeyRange::all(), None, now).with_invisible()
    }
}
