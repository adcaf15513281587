//! Lists of resources in the order of their ids.

use super::counters::Start;
use super::item::Item;
use super::keys::{Collection, Place};
use super::ranges::KeyRange;
use super::resources::Stored;
use super::{Query, Rows, Store, StoreError};

/// Most bytes of documents in a page: an answer must fit what Lambda may return, 6 MB with every
/// quote in it escaped.
pub const MAX_PAGE_BYTES: usize = 3 * 1_024 * 1_024;
/// Most rows that are asked for at once: more would be over the megabyte of an answer anyway.
const MOST_ROWS: usize = 2_000;
/// How many resources a key range holds that is read beside others: most of them in one call.
const AT_ONCE: usize = 500;

/// A page of visible resources.
#[derive(Debug)]
pub struct Page {
    /// Visible resources of the collection.
    pub total: usize,
    /// Those of this page: fewer than asked for at the end, or when they are large; then the last
    /// one does not fit the page any more and shows that there are others.
    pub resources: Vec<Stored>,
}

/// Where the next resources of a collection are.
#[derive(Debug)]
pub struct Ranges {
    /// Visible resources of the collection.
    pub total: usize,
    /// Key ranges in the order of ids.
    pub ranges: Vec<KeyRange>,
    /// What to go on behind, if resources follow the last range: no id, but it sorts among them.
    pub next: Option<String>,
}

impl Store {
    /// `count` visible resources from the one at `index` (from 0) on. Two calls side by side for the
    /// first page, two in a row for any other, whatever their number.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn page(&self, at: &Collection, index: usize, count: usize, now: i64) -> Result<Page, StoreError> {
        if count == 0 {
            return Ok(Page { total: self.count(at).await?, resources: Vec::new() });
        }
        if index == 0 {
            let (total, resources) = tokio::try_join!(self.count(at), self.some(at, KeyRange::all(), 0, count, now))?;
            return Ok(Page { total: total.max(resources.len()), resources });
        }
        let counters = self.counters(at).await?;
        let total = counters.total();
        let resources = match counters.locate(index, count) {
            None => Vec::new(),
            Some(Start::Behind { from, skip }) => self.some(at, KeyRange::from(from), skip, count, now).await?,
            Some(Start::Within { from, bucket, size, offset, likely }) => {
                let mut walk = Walk::new(self, at, KeyRange::from(from), likely, now);
                let mut read = Vec::new();
                let mut behind = None;
                while let Some(resource) = walk.next().await? {
                    if !resource.resource.id.as_str().starts_with(&bucket) {
                        behind = Some(resource);
                        break;
                    }
                    read.push(resource);
                }
                match (offset + read.len()).checked_sub(size) {
                    // Reading began before the first one of the page.
                    Some(skip) => fill(read.into_iter().skip(skip).chain(behind), walk, count).await?,
                    None => self.some(at, KeyRange::from(bucket), offset, count, now).await?,
                }
            }
        };
        Ok(Page { total, resources })
    }

    /// `count` visible resources behind the one with this id, or behind all that sort before this text.
    /// One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn after(&self, at: &Collection, id: &str, count: usize, now: i64) -> Result<Vec<Stored>, StoreError> {
        self.some(at, KeyRange::from(behind(id)), 0, count, now).await
    }

    /// How many visible resources a collection has, and the key ranges in which the next of them are, for
    /// [`Store::range`]: behind the one with the id `after`, about `most`. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn ranges(&self, at: &Collection, after: Option<&str>, most: usize) -> Result<Ranges, StoreError> {
        let counters = self.counters(at).await?;
        let (ranges, next) = counters.split(after.map(behind).as_deref(), AT_ONCE, most);
        Ok(Ranges { total: counters.total(), ranges, next })
    }

    /// All visible resources in a key range. One call a megabyte.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn range(&self, at: &Collection, range: KeyRange, now: i64) -> Result<Vec<Stored>, StoreError> {
        let mut walk = Walk::new(self, at, range, MOST_ROWS, now);
        let mut resources = Vec::new();
        while let Some(resource) = walk.next().await? {
            resources.push(resource);
        }
        Ok(resources)
    }

    async fn some(
        &self,
        at: &Collection,
        range: KeyRange,
        skip: usize,
        count: usize,
        now: i64,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut walk = Walk::new(self, at, range, skip + count, now);
        for _ in 0..skip {
            walk.next().await?;
        }
        fill(std::iter::empty(), walk, count).await
    }
}

/// The sort key behind a resource: the heads of a group stand there.
fn behind(id: &str) -> String {
    format!("{id}!g")
}

/// `count` resources: those that were read, and more of the walk. Those that are beyond the room of a page
/// end it.
async fn fill(read: impl Iterator<Item = Stored>, mut walk: Walk<'_>, count: usize) -> Result<Vec<Stored>, StoreError> {
    let mut read = read.fuse();
    let mut resources = Vec::with_capacity(count);
    let mut room = PageRoom::default();
    while resources.len() < count {
        let next = match read.next() {
            Some(resource) => Some(resource),
            None => walk.next().await?,
        };
        let Some(resource) = next else { break };
        let fits = room.takes(resource.bytes());
        resources.push(resource);
        if !fits {
            break;
        }
    }
    Ok(resources)
}

/// How much more a page holds.
#[derive(Debug, Default)]
pub struct PageRoom(usize);

impl PageRoom {
    /// Whether a resource of so many bytes still fits; the first one always does.
    pub fn takes(&mut self, bytes: usize) -> bool {
        let first = self.0 == 0;
        self.0 += bytes;
        first || self.0 <= MAX_PAGE_BYTES
    }
}

/// Visible resources in key order, read as needed.
#[derive(Debug)]
struct Walk<'a> {
    store: &'a Store,
    partition: String,
    range: KeyRange,
    now: i64,
    ready: std::vec::IntoIter<Item>,
    /// A resource whose heads may follow.
    open: Option<Stored>,
    /// The last key that was read; `None` when there is no more.
    next: Option<Option<String>>,
    limit: usize,
}

impl<'a> Walk<'a> {
    /// Reads about `wanted` resources at once: each stands beside its claim, a group before its heads, and
    /// some are deleted.
    fn new(store: &'a Store, at: &Collection, range: KeyRange, wanted: usize, now: i64) -> Self {
        let rows = if at.kind == super::Kind::Group { 18 } else { 2 };
        let wanted = wanted.saturating_add(1 + wanted / 16);
        let limit = wanted.saturating_mul(rows).saturating_add(2 * rows).min(MOST_ROWS);
        let ready = Vec::new().into_iter();
        Self { store, partition: at.rows(), range, now, ready, open: None, next: Some(None), limit }
    }

    /// The next resource; `None` at the end.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    async fn next(&mut self) -> Result<Option<Stored>, StoreError> {
        loop {
            for item in self.ready.by_ref() {
                match (Place::of(item.s()), &mut self.open) {
                    (Place::Claim, _) | (Place::Head(_), None) => {}
                    (Place::Head(_), Some(group)) => group.join(&item)?,
                    (Place::Resource, open) => {
                        let lives = !item.is_expired(self.now) && item.text("st") == Some("live");
                        let next = lives.then(|| Stored::read(&item)).transpose()?;
                        if let Some(complete) = std::mem::replace(open, next) {
                            return Ok(Some(complete));
                        }
                    }
                }
            }
            let Some(after) = &self.next else { return Ok(self.open.take()) };
            let rows = Rows::Between(&self.partition, &self.range.from, &self.range.to);
            let (rows, last) =
                self.store.query(Query { after: after.as_deref(), limit: Some(self.limit), ..Query::of(rows) }).await?;
            self.ready = rows.into_iter();
            self.next = last.map(Some);
        }
    }
}
