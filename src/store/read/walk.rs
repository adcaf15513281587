//! Resources in the order of their sort keys, read as needed.

use super::listed::Listed;
use crate::budget::{self, QUERY_UNITS};
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::Item;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::engine::ranges::KeyRange;
use crate::store::model::collection::{Collection, KeyForm, Kind};
use crate::store::rows::counters::Counters;
use crate::store::rows::resource::{LIVE, STATE};

/// Calls that a walk leaves in the budget, so that what it found can be shown: one group of the
/// largest size, or several smaller ones.
pub const CALLS_OF_A_PAGE: usize = 50;
/// Read units that it leaves for the same purpose.
pub const UNITS_OF_A_PAGE: usize = 1_300;
/// Maximum number of rows that one call asks for: more would exceed the megabyte of an answer
/// anyway.
const MAX_ROWS: usize = 2_000;
/// Minimum number of rows that one call asks for.
const MIN_ROWS: usize = 40;
/// The attributes that a list needs. The names by which a resource is found would take as long to
/// parse.
const SHOWN: &str = "s, k, f, i, d, v, c, m, a, st, x, n";

/// Rows of a resource: its own and its claim, and of a group its heads.
fn rows_of_one(kind: &Kind) -> usize {
    if *kind == Kind::Group { 18 } else { 2 }
}

/// How far a walk has read.
#[derive(Debug, PartialEq, Eq)]
enum Reached {
    /// Nothing.
    Start,
    /// Up to this key.
    Key(String),
    /// All of its range.
    End,
}

/// Visible resources in key order, read as needed.
#[derive(Debug)]
pub struct Walk<'a> {
    store: &'a Store,
    collection: Collection,
    range: KeyRange,
    now: i64,
    /// Whether deleted and imported resources are returned too.
    with_invisible: bool,
    /// Rows of any kind that were read.
    rows: usize,
    /// Where resources are, set once a call found none.
    counters: Option<Counters>,
    ready: std::vec::IntoIter<Listed>,
    /// A group whose heads may follow.
    open: Option<Listed>,
    /// The key of the last resource that was returned.
    returned: Option<String>,
    reached: Reached,
    /// Maximum number of rows of the next call.
    limit: Option<usize>,
}

impl<'a> Walk<'a> {
    /// Reads about `wanted` resources with the first call. This allows for claims, for the heads of
    /// groups, and for deleted resources.
    pub(crate) fn new(
        store: &'a Store,
        collection: &Collection,
        range: KeyRange,
        wanted: usize,
        now: i64,
    ) -> Self {
        let rows = rows_of_one(&collection.kind);
        let wanted = wanted.saturating_add(1 + wanted / 16);
        let limit = wanted.saturating_mul(rows).saturating_add(2 * rows);
        Self {
            store,
            collection: collection.clone(),
            range,
            now,
            with_invisible: false,
            rows: 0,
            counters: None,
            ready: Vec::new().into_iter(),
            open: None,
            returned: None,
            reached: Reached::Start,
            limit: Some(limit.min(MAX_ROWS)),
        }
    }

    /// Reads without allowing for deleted resources among the wanted ones.
    pub(crate) fn exactly(mut self, wanted: usize) -> Self {
        let rows = rows_of_one(&self.collection.kind);
        self.limit = self.limit.map(|_| (wanted * rows).min(MAX_ROWS));
        self
    }

    /// Reads deleted and imported resources too.
    pub(crate) fn with_invisible(self) -> Self {
        Self { with_invisible: true, ..self }
    }

    /// From now on, reads as much as a call returns.
    pub fn unlimited(&mut self) {
        self.limit = None;
    }

    /// Whether the next resource takes a call that the request should not make. The request has
    /// made some calls already, and needs the rest of its budget to show what they found.
    fn must_stop(&self) -> bool {
        let reads = self.reached != Reached::End && self.rows > 0;
        reads && !budget::left().suffices(CALLS_OF_A_PAGE, UNITS_OF_A_PAGE + QUERY_UNITS as usize)
    }

    /// How many rows were read, including those of claims and of deleted resources.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The key to continue after, unless this was the end. It may belong to no resource, but sorts
    /// among their keys.
    pub fn position(&self) -> Option<String> {
        let read = match &self.reached {
            Reached::Start => None,
            Reached::Key(key) => Some(key),
            Reached::End => return None,
        };
        // A group is held back until its heads have been read.
        let last = if self.open.is_some() { self.returned.as_ref() } else { read };
        Some(last.unwrap_or(&self.range.from).clone())
    }

    /// The next resource; `None` at the end, or when the walk must stop.
    pub(crate) async fn next(&mut self) -> Result<Option<Listed>, StoreError> {
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

    /// The resources of the next call; `None` at the end.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        let Some(rows) = self.fetch().await? else {
            return Ok(self.open.take().map(|last| vec![last]));
        };
        let resources = self.assemble(rows)?;
        if let Some(last) = resources.last() {
            self.returned = Some(last.key.clone());
        }
        self.adapt_limit(resources.len());
        let is_group = self.collection.kind == Kind::Group;
        if resources.is_empty() && !is_group && !self.with_invisible {
            self.pass_over().await?;
        }
        Ok(Some(resources))
    }

    /// The rows of the next call; `None` at the end.
    async fn fetch(&mut self) -> Result<Option<Vec<Item>>, StoreError> {
        let after = match &self.reached {
            Reached::Start => None,
            Reached::Key(key) => Some(key.as_str()),
            Reached::End => return Ok(None),
        };
        let partition = self.collection.partition();
        let page = self
            .store
            .query(RowQuery {
                after,
                limit: self.limit,
                only: Some(SHOWN),
                ..RowQuery::new(KeyCondition::range(&partition, &self.range))
            })
            .await?;
        self.reached = page.next.map_or(Reached::End, Reached::Key);
        self.rows += page.rows.len();
        Ok(Some(page.rows))
    }

    /// The resources that these rows complete.
    fn assemble(&mut self, rows: Vec<Item>) -> Result<Vec<Listed>, StoreError> {
        let is_group = self.collection.kind == Kind::Group;
        let mut resources = Vec::new();
        for row in rows {
            match KeyForm::of(row.s()) {
                KeyForm::Claim => {}
                KeyForm::Head(_) => {
                    if let Some(open) = &mut self.open {
                        open.join(&row)?;
                    }
                }
                KeyForm::Resource => {
                    resources.extend(self.open.take());
                    if self.is_wanted(&row) {
                        self.open = Some(Listed::read(row)?);
                    }
                }
            }
            if !is_group {
                resources.extend(self.open.take());
            }
        }
        Ok(resources)
    }

    fn is_wanted(&self, row: &Item) -> bool {
        !row.is_expired(self.now) && (self.with_invisible || row.text(STATE) == Some(LIVE))
    }

    /// After the first call, asks for fewer rows, since few resources are missing then, or for more
    /// if most resources are deleted.
    fn adapt_limit(&mut self, found: usize) {
        let useful = rows_of_one(&self.collection.kind) * found;
        let adapted = |limit: usize| {
            if 4 * useful < limit { limit * 2 } else { (limit / 4).max(MIN_ROWS) }
        };
        self.limit = self.limit.map(|limit| adapted(limit).min(MAX_ROWS));
    }

    /// Skips the parts of the range in which all resources are deleted.
    async fn pass_over(&mut self) -> Result<(), StoreError> {
        let Reached::Key(last) = &self.reached else { return Ok(()) };
        let counters = match self.counters.take() {
            Some(counters) => counters,
            None => self.store.counters(&self.collection, &[]).await?,
        };
        match counters.next(last).filter(|next| *next <= self.range.to) {
            None => self.reached = Reached::End,
            Some(next) if next > *last => {
                self.range.from = next;
                self.reached = Reached::Start;
            }
            Some(_) => {}
        }
        self.counters = Some(counters);
        Ok(())
    }
}
