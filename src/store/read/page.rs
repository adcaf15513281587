//! Pages of resources in the order of their sort keys.

use scim_core::ResourceId;

use super::listed::Listed;
use super::walk::Walk;
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::ranges::KeyRange;
use crate::store::model::collection::{Collection, behind};
use crate::store::rows::counters::{Start, Within};

/// Maximum number of bytes of documents in a page: an answer must fit into what Lambda may return,
/// which is 6 MB with every quote escaped.
pub const MAX_PAGE_BYTES: usize = 3 * 1_024 * 1_024;

/// A page of visible resources.
#[derive(Debug)]
pub struct Page {
    /// Visible resources of the collection.
    pub total: usize,
    /// The resources of this page.
    pub portion: Portion,
}

/// Some resources in the order of their keys.
#[derive(Debug, Default)]
pub struct Portion {
    /// The resources: fewer than asked for at the end, or if they are large. In the second case the
    /// last one no longer fits in the page, and shows that there are more.
    pub resources: Vec<Listed>,
    /// The key to continue after, if the request may not read more although others may follow.
    pub rest: Option<String>,
}

impl Store {
    /// `count` visible resources from the one at `index` (from 0) on. The resources that are
    /// `overdue`, whose time has come by `now`, are still counted in the table, but not here. Two
    /// calls in parallel for the first page, two in a row for any other, whatever their number.
    pub async fn page(
        &self,
        collection: &Collection,
        index: usize,
        count: usize,
        now: i64,
        overdue: &[ResourceId],
    ) -> Result<Page, StoreError> {
        if index == 0 || count == 0 {
            return self.first_page(collection, count, now, overdue).await;
        }
        let counters = self.counters(collection, overdue).await?;
        let portion = match counters.locate(index, count) {
            None => Portion::default(),
            Some(Start::Behind { from, skip }) => {
                self.portion(collection, KeyRange::from(from), skip, count, now).await?
            }
            Some(Start::Within(within)) => {
                self.portion_within(collection, within, count, now).await?
            }
        };
        Ok(Page { total: counters.total(), portion })
    }

    async fn first_page(
        &self,
        collection: &Collection,
        count: usize,
        now: i64,
        overdue: &[ResourceId],
    ) -> Result<Page, StoreError> {
        let portion = async {
            match count {
                0 => Ok(Portion::default()),
                _ => self.portion(collection, KeyRange::all(), 0, count, now).await,
            }
        };
        let (total, portion) = tokio::try_join!(self.count(collection), portion)?;
        Ok(Page {
            total: total.saturating_sub(overdue.len()).max(portion.resources.len()),
            portion,
        })
    }

    /// `count` resources from the middle of a bucket on. The bucket is read to its end, and the
    /// number of resources read shows which one is the first.
    async fn portion_within(
        &self,
        collection: &Collection,
        Within { from, bucket, size, offset, likely }: Within,
        count: usize,
        now: i64,
    ) -> Result<Portion, StoreError> {
        let mut walk =
            Walk::new(self, collection, KeyRange::from(from), likely, now).exactly(likely);
        let (mut read, mut behind) = (Vec::new(), false);
        while let Some(resource) = walk.next().await? {
            behind = resource.key >= bucket.to;
            read.push(resource);
            if behind {
                break;
            }
        }
        if let Some(rest) = walk.position().filter(|_| !behind) {
            // The page's first resource is unknown until the bucket has been read.
            return Ok(Portion { resources: Vec::new(), rest: Some(rest) });
        }
        let inside = read.iter().filter(|resource| resource.key < bucket.to).count();
        match (offset + inside).checked_sub(size) {
            // Reading began before the first one of the page.
            Some(skip) => fill(read.into_iter().skip(skip), walk, count).await,
            None => self.portion(collection, KeyRange::from(bucket.from), offset, count, now).await,
        }
    }

    /// `count` visible resources after the one with this sort key, or after all that sort before
    /// this text. One call.
    pub async fn after(
        &self,
        collection: &Collection,
        key: &str,
        count: usize,
        now: i64,
    ) -> Result<Portion, StoreError> {
        self.portion(collection, KeyRange::from(behind(key)), 0, count, now).await
    }

    /// `count` resources of a range after the first `skip`.
    async fn portion(
        &self,
        collection: &Collection,
        range: KeyRange,
        skip: usize,
        count: usize,
        now: i64,
    ) -> Result<Portion, StoreError> {
        let mut walk = Walk::new(self, collection, range, skip + count, now);
        for _ in 0..skip {
            walk.next().await?;
        }
        fill(std::iter::empty(), walk, count).await
    }
}

/// `count` resources: those that were read, then more from the walk. The first one that does not
/// fit in the page is included, if there is one.
async fn fill(
    read: impl Iterator<Item = Listed>,
    mut walk: Walk<'_>,
    count: usize,
) -> Result<Portion, StoreError> {
    let mut read = read.fuse();
    let mut portion = Portion { resources: Vec::with_capacity(count), rest: None };
    let mut room = PageRoom::default();
    while portion.resources.len() < count {
        let next = match read.next() {
            Some(resource) => Some(resource),
            None => walk.next().await?,
        };
        let Some(resource) = next else {
            portion.rest = walk.position();
            break;
        };
        let fits = room.takes(resource.bytes());
        portion.resources.push(resource);
        if !fits {
            break;
        }
    }
    Ok(portion)
}

/// The space that is left in a page.
#[derive(Debug, Default)]
pub struct PageRoom(usize);

impl PageRoom {
    /// Whether a resource of these `bytes` still fits; the first one always does.
    pub fn takes(&mut self, bytes: usize) -> bool {
        let first = self.0 == 0;
        self.0 += bytes;
        first || self.0 <= MAX_PAGE_BYTES
    }
}
