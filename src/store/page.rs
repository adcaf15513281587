//! Lists of resources in the order of their sort keys.

use scim_core::ResourceId;

use super::counters::{Counters, Start};
use super::keys::{Collection, Place};
use super::listed::Listed;
use super::ranges::KeyRange;
use super::{Query, Rows, Store, StoreError};
use crate::budget::{self, QUERY_UNITS};

/// Most bytes of documents in a page: an answer must fit what Lambda may return, 6 MB with every
/// quote in it escaped.
pub const MAX_PAGE_BYTES: usize = 3 * 1_024 * 1_024;
/// What is left over of the budget, so that what was found can be shown: a group of the most
/// members, or more of smaller ones.
pub const CALLS_OF_A_PAGE: usize = 50;
/// The read units of that.
pub const UNITS_OF_A_PAGE: usize = 1_300;
/// Most rows that are asked for at once: more would be over the megabyte of an answer anyway.
const MAX_ROWS: usize = 2_000;
/// How many resources a key range holds that is read beside others: most of them in one call.
const BATCH: usize = 500;

/// What a list needs of a row. The names by which a resource is found take as long to be
/// understood.
const SHOWN: &str = "s, d, v, c, m, a, st, x, n";

/// A page of visible resources.
#[derive(Debug)]
pub struct Page {
    /// Visible resources of the collection.
    pub total: usize,
    /// Those of this page.
    pub portion: Portion,
}

/// Some resources in the order of their keys.
#[derive(Debug, Default)]
pub struct Portion {
    /// They: fewer than asked for at the end, or when they are large; then the last one does not
    /// fit the page any more and shows that there are others.
    pub resources: Vec<Listed>,
    /// What to go on behind, if the request may not read more for them, although others may follow.
    pub rest: Option<String>,
}

/// Where the next resources of a collection are.
#[derive(Debug)]
pub struct Ranges {
    /// Visible resources of the collection.
    pub total: usize,
    /// Key ranges in their order.
    pub ranges: Vec<KeyRange>,
    /// What to go on behind, if resources follow the last range: no key of one, but it sorts among
    /// them.
    pub next: Option<String>,
}

impl Store {
    /// `count` visible resources from the one at `index` (from 0) on, without those who are
    /// `overdue`: their time has come by `now`, and they are counted still. Two calls side by side
    /// for the first page, two in a row for any other, whatever their number.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn page(
        &self,
        collection: &Collection,
        index: usize,
        count: usize,
        now: i64,
        overdue: &[ResourceId],
    ) -> Result<Page, StoreError> {
        if index == 0 || count == 0 {
            let resources = async {
                match count {
                    0 => Ok(Portion::default()),
                    _ => self.some(collection, KeyRange::all(), 0, count, now).await,
                }
            };
            let (total, portion) = tokio::try_join!(self.count(collection), resources)?;
            return Ok(Page {
                total: total.saturating_sub(overdue.len()).max(portion.resources.len()),
                portion,
            });
        }
        let counters = self.counters(collection, overdue).await?;
        let total = counters.total();
        let portion = match counters.locate(index, count) {
            None => Portion::default(),
            Some(Start::Behind { from, skip }) => {
                self.some(collection, KeyRange::from(from), skip, count, now).await?
            }
            Some(Start::Within { from, bucket, size, offset, likely }) => {
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
                    // Where the page begins cannot be told before the bucket was read.
                    return Ok(Page {
                        total,
                        portion: Portion { resources: Vec::new(), rest: Some(rest) },
                    });
                }
                let inside = read.iter().filter(|resource| resource.key < bucket.to).count();
                match (offset + inside).checked_sub(size) {
                    // Reading began before the first one of the page.
                    Some(skip) => fill(read.into_iter().skip(skip), walk, count).await?,
                    None => {
                        self.some(collection, KeyRange::from(bucket.from), offset, count, now)
                            .await?
                    }
                }
            }
        };
        Ok(Page { total, portion })
    }

    /// `count` visible resources behind the one with this sort key, or behind all that sort before
    /// this text. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn after(
        &self,
        collection: &Collection,
        key: &str,
        count: usize,
        now: i64,
    ) -> Result<Portion, StoreError> {
        self.some(collection, KeyRange::from(behind(key)), 0, count, now).await
    }

    /// How many visible resources a collection has, and the key ranges in which the next of them
    /// are, for [`Store::range`]: behind the one with the sort key `after`, about `most`. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn ranges(
        &self,
        collection: &Collection,
        after: Option<&str>,
        most: usize,
    ) -> Result<Ranges, StoreError> {
        let counters = self.counters(collection, &[]).await?;
        let (ranges, next) = counters.split(after.map(behind).as_deref(), BATCH, most);
        Ok(Ranges { total: counters.total(), ranges, next })
    }

    /// The visible resources in a key range, one call after the other; with the first one about
    /// `wanted`, if it says how many.
    pub fn range<'a>(
        &'a self,
        collection: &Collection,
        range: KeyRange,
        wanted: Option<usize>,
        now: i64,
    ) -> Walk<'a> {
        let mut walk = Walk::new(self, collection, range, wanted.unwrap_or_default(), now);
        walk.limit = walk.limit.filter(|_| wanted.is_some());
        walk
    }

    /// All resources that have not expired, the deleted and the imported too, one call after the
    /// other.
    pub fn everyone<'a>(&'a self, collection: &Collection, now: i64) -> Walk<'a> {
        Walk { everyone: true, ..self.range(collection, KeyRange::all(), None, now) }
    }

    async fn some(
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

/// What sorts behind a resource: the heads of a group stand there.
fn behind(key: &str) -> String {
    format!("{key}!g")
}

/// `count` resources: those that were read, and more of the walk; with the first one that a page
/// has no room for, if there is one.
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

/// How much more a page holds.
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

/// Rows of a resource, beside which its claim stands, and of a group its heads.
fn rows(is_group: bool) -> usize {
    if is_group { 18 } else { 2 }
}

/// Visible resources in key order, read as needed.
#[derive(Debug)]
pub struct Walk<'a> {
    store: &'a Store,
    collection: Collection,
    range: KeyRange,
    now: i64,
    /// Whether those who are not visible are wanted too.
    everyone: bool,
    /// Rows that were read, of whatever kind.
    rows: usize,
    /// Where resources are, once it took a call to find none.
    counters: Option<Counters>,
    ready: std::vec::IntoIter<Listed>,
    /// A group whose heads may follow.
    open: Option<Listed>,
    /// The key of the last resource that was given.
    given: Option<String>,
    /// The last key that was read; `None` when there is no more.
    next: Option<Option<String>>,
    limit: Option<usize>,
    is_group: bool,
}

impl<'a> Walk<'a> {
    /// Reads about `wanted` resources at once: each stands beside its claim, a group before its
    /// heads, and some are deleted.
    fn new(
        store: &'a Store,
        collection: &Collection,
        range: KeyRange,
        wanted: usize,
        now: i64,
    ) -> Self {
        let is_group = collection.kind == super::Kind::Group;
        let rows = rows(is_group);
        let wanted = wanted.saturating_add(1 + wanted / 16);
        Self {
            store,
            collection: collection.clone(),
            range,
            now,
            everyone: false,
            rows: 0,
            counters: None,
            ready: Vec::new().into_iter(),
            open: None,
            given: None,
            next: Some(None),
            limit: Some(wanted.saturating_mul(rows).saturating_add(2 * rows).min(MAX_ROWS)),
            is_group,
        }
    }

    /// Whether the next resource takes a call that the request should not make: it has made some
    /// already, and what is left is for showing what they found.
    fn must_stop(&self) -> bool {
        let reads = self.next.is_some() && self.rows > 0;
        reads && !budget::left().suffices(CALLS_OF_A_PAGE, UNITS_OF_A_PAGE + QUERY_UNITS as usize)
    }

    /// Reads as much as a call returns from now on.
    pub fn unlimited(&mut self) {
        self.limit = None;
    }

    /// Without room for deleted resources among those that are wanted.
    fn exactly(mut self, wanted: usize) -> Self {
        self.limit = self.limit.map(|_| (wanted * rows(self.is_group)).min(MAX_ROWS));
        self
    }

    /// How many rows were read, those of claims and of deleted resources included.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What to go on behind, unless this was the end: no key of one perhaps, but it sorts among
    /// them.
    pub fn position(&self) -> Option<String> {
        let read = self.next.as_ref()?;
        // A group is held back until its heads are there.
        let last = if self.open.is_some() { &self.given } else { read };
        Some(last.clone().unwrap_or_else(|| self.range.from.clone()))
    }

    /// The resources of the next call; `None` at the end.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        let Some(after) = &self.next else { return Ok(self.open.take().map(|last| vec![last])) };
        let partition = self.collection.rows();
        let rows = Rows::Between(&partition, &self.range.from, &self.range.to);
        let query = Query {
            after: after.as_deref(),
            limit: self.limit,
            only: Some(SHOWN),
            ..Query::of(rows)
        };
        let (rows, last) = self.store.query(query).await?;
        self.next = last.map(Some);
        self.rows += rows.len();
        let mut resources = Vec::new();
        for row in rows {
            match Place::of(row.s()) {
                Place::Claim => {}
                Place::Head(_) => {
                    if let Some(open) = &mut self.open {
                        open.join(&row)?;
                    }
                }
                Place::Resource => {
                    resources.extend(self.open.take());
                    if !row.is_expired(self.now)
                        && (self.everyone || row.text("st") == Some("live"))
                    {
                        self.open = Some(Listed::read(row)?);
                    }
                }
            }
            if !self.is_group {
                resources.extend(self.open.take());
            }
        }
        if let Some(last) = resources.last() {
            self.given = Some(last.key.clone());
        }
        // What is missing after the first call is little, but where most are deleted.
        let found = resources.len();
        let most = if self.is_group { 18 * found } else { 2 * found };
        let next = |limit: usize| if 4 * most < limit { limit * 2 } else { (limit / 4).max(40) };
        self.limit = self.limit.map(|limit| next(limit).min(MAX_ROWS));
        if found == 0 && !self.is_group && !self.everyone {
            self.pass_over().await?;
        }
        Ok(Some(resources))
    }

    /// Passes over the parts of the range in which all resources are deleted.
    async fn pass_over(&mut self) -> Result<(), StoreError> {
        let Some(Some(last)) = &self.next else { return Ok(()) };
        let counters = match self.counters.take() {
            Some(counters) => counters,
            None => self.store.counters(&self.collection, &[]).await?,
        };
        match counters.next(last).filter(|next| *next <= self.range.to) {
            None => self.next = None,
            Some(next) if next > *last => {
                self.range.from = next;
                self.next = Some(None);
            }
            Some(_) => {}
        }
        self.counters = Some(counters);
        Ok(())
    }

    /// The next resource; `None` at the end, or where [`Walk::must_stop`] says so.
    async fn next(&mut self) -> Result<Option<Listed>, StoreError> {
        loop {
            if let Some(resource) = self.ready.next() {
                return Ok(Some(resource));
            }
            if self.must_stop() {
                return Ok(None);
            }
            let Some(batch) = self.next_batch().await? else { return Ok(None) };
            self.ready = batch.into_iter();
        }
    }
}
