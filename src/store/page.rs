//! Lists of resources in the order of their ids.

use super::item::Item;
use super::keys::{Collection, Place};
use super::resources::Stored;
use super::{Rows, Store, StoreError};

/// Most bytes of documents in a page: an answer must fit what Lambda may return, 6 MB with every
/// quote in it escaped.
pub const MAX_PAGE_BYTES: usize = 3 * 1_024 * 1_024;
/// Most rows that are asked for at once: more would be over the megabyte of an answer anyway.
const MOST_ROWS: usize = 2_000;

/// A page of visible resources.
#[derive(Debug)]
pub struct Page {
    /// Visible resources of the collection.
    pub total: usize,
    /// Those of this page: fewer than asked for at the end, or when they are large; then the last
    /// one does not fit the page any more and shows that there are others.
    pub resources: Vec<Stored>,
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
            let (counters, resources) =
                tokio::try_join!(self.counters(at), self.some(at, Next::From("0".into()), 0, count, now))?;
            return Ok(Page { total: counters.total().max(resources.len()), resources });
        }
        let counters = self.counters(at).await?;
        let total = counters.total();
        if index >= total {
            return Ok(Page { total, resources: Vec::new() });
        }
        let (from, skip) = counters.locate(index);
        Ok(Page { total, resources: self.some(at, Next::From(from), skip, count, now).await? })
    }

    /// `count` visible resources behind the one with this id. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn after(&self, at: &Collection, id: &str, count: usize, now: i64) -> Result<Vec<Stored>, StoreError> {
        // The heads of a group stand behind it.
        self.some(at, Next::After(format!("{id}!g")), 0, count, now).await
    }

    /// How many visible resources a collection has. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn count(&self, at: &Collection) -> Result<usize, StoreError> {
        Ok(self.counters(at).await?.total())
    }

    /// Every visible resource, one by one. For filters that no index answers.
    pub fn all<'a>(&'a self, at: &'a Collection, now: i64) -> Walk<'a> {
        Walk::new(self, at, Next::From("0".into()), MOST_ROWS, now)
    }

    async fn some(
        &self,
        at: &Collection,
        from: Next,
        skip: usize,
        count: usize,
        now: i64,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut walk = Walk::new(self, at, from, skip + count, now);
        let mut resources = Vec::with_capacity(count);
        let mut left = skip;
        let mut room = PageRoom::default();
        while resources.len() < count
            && let Some(resource) = walk.next().await?
        {
            if left > 0 {
                left -= 1;
                continue;
            }
            let fits = room.takes(resource.bytes());
            resources.push(resource);
            if !fits {
                break;
            }
        }
        Ok(resources)
    }
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
pub struct Walk<'a> {
    store: &'a Store,
    at: &'a Collection,
    now: i64,
    ready: std::vec::IntoIter<Item>,
    /// A resource whose heads may follow.
    open: Option<Stored>,
    next: Next,
    limit: i32,
}

#[derive(Debug)]
enum Next {
    From(String),
    After(String),
    End,
}

impl<'a> Walk<'a> {
    /// Reads about `wanted` resources at once: each stands beside its claim, a group before its heads.
    fn new(store: &'a Store, at: &'a Collection, next: Next, wanted: usize, now: i64) -> Self {
        let rows = if at.kind == super::Kind::Group { 18 } else { 2 };
        let limit = i32::try_from(wanted.saturating_mul(rows).saturating_add(rows).min(MOST_ROWS)).unwrap_or(i32::MAX);
        Self { store, at, now, ready: Vec::new().into_iter(), open: None, next, limit }
    }

    /// The next resource; `None` at the end.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn next(&mut self) -> Result<Option<Stored>, StoreError> {
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
            let partition = self.at.rows();
            let rows = match &self.next {
                Next::From(from) => Rows::From(&partition, from),
                Next::After(after) => Rows::After(&partition, after),
                Next::End => return Ok(self.open.take()),
            };
            let (rows, last) = self.store.query(rows, Some(self.limit)).await?;
            self.ready = rows.into_iter();
            self.next = last.map_or(Next::End, Next::After);
        }
    }
}
