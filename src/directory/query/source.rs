//! Where the resources that a query judges come from: either an index found them, or they are all
//! resources of a type. They come in batches, in the order of their keys.

use std::collections::VecDeque;

use futures_util::future::try_join_all;
use scim_core::{Error, ResourceId};

use super::lookup::LookedUp;
use crate::budget::{self, QUERY_UNITS};
use crate::directory::context::{Call, Directory};
use crate::directory::price::Price;
use crate::store::{
    CALLS_OF_A_PAGE, Collection, KeyRange, Kind, Listed, Store, StoreError, UNITS_OF_A_PAGE, Walk,
};

/// How many resources of an index are read at a time. At the largest size, these are a megabyte.
const BATCH: usize = 16;
/// How many key ranges are read in parallel.
const CONCURRENCY: usize = 4;
/// Maximum number of rows that one request reads for a filter without index, for a sort, or for a
/// part of a walk: twice what 5,000 users and their claims take, because rows of deleted users lie
/// between them.
const MAX_ROWS: usize = 20_000;

/// What comes next.
pub(super) enum Next {
    /// Some resources.
    Batch(Vec<Listed>),
    /// Nothing. If the source did not hold all resources of the type, the others follow this key.
    End(Option<String>),
    /// Nothing that the request can afford. The next request continues after this key; `None` if
    /// this one has read nothing.
    OutOfBudget(Option<String>),
}

/// Where resources come from.
pub(super) enum Source<'a> {
    /// Resources that an index found.
    LookUp(LookUp<'a>),
    /// All resources of the type.
    Scan(Scan<'a>),
}

impl Source<'_> {
    pub(super) async fn next(&mut self) -> Result<Next, Error> {
        match self {
            Self::LookUp(found) => found.next().await,
            Self::Scan(scan) => scan.next().await,
        }
    }
}

/// Resources that an index found.
pub(super) struct LookUp<'a> {
    directory: &'a Directory,
    collection: Collection,
    left: VecDeque<(String, ResourceId, Option<Listed>)>,
    /// The last key that was read.
    last: Option<String>,
}

impl<'a> LookUp<'a> {
    /// The found resources that follow a key.
    pub(super) fn new(
        directory: &'a Directory,
        call: Call<'_>,
        kind: &Kind,
        found: &mut LookedUp,
        after: Option<&str>,
    ) -> Self {
        let candidates = std::mem::take(&mut found.candidates).into_iter();
        let candidates =
            candidates.filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        let left = candidates.map(|(key, (id, row))| (key, id, row)).collect();
        Self { directory, collection: call.collection(kind), left, last: None }
    }

    async fn next(&mut self) -> Result<Next, Error> {
        if self.left.is_empty() {
            return Ok(Next::End(None));
        }
        let unread = self.left.iter().take(BATCH).filter(|(_, _, row)| row.is_none()).count();
        let calls = if self.collection.kind == Kind::Group { unread } else { 1 };
        let units = unread * budget::GROUP_UNITS as usize;
        let price = Price::new(calls + CALLS_OF_A_PAGE, units + UNITS_OF_A_PAGE);
        if unread > 0 && !price.is_affordable() {
            return Ok(Next::OutOfBudget(self.last.clone()));
        }
        let batch: Vec<_> = self.left.drain(..BATCH.min(self.left.len())).collect();
        self.last = batch.last().map(|(key, ..)| key.clone());
        let now = self.directory.clock.seconds();
        let unread =
            batch.iter().filter(|(_, _, row)| row.is_none()).map(|(_, id, _)| id.clone()).collect();
        let read = self.directory.store.resources(&self.collection, unread, now).await?;
        let read = read.into_iter().filter(|resource| resource.is_visible(now));
        let read = read.map(|resource| Listed::of(&self.collection, resource));
        let mut rows: Vec<Listed> =
            batch.into_iter().filter_map(|(_, _, row)| row).chain(read).collect();
        rows.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(Next::Batch(rows))
    }
}

/// All resources of a type.
pub(super) struct Scan<'a> {
    store: &'a Store,
    collection: Collection,
    now: i64,
    ranges: VecDeque<KeyRange>,
    /// How many resources the first call reads. If it is set, the first range is read alone.
    first: Option<usize>,
    /// The ranges that are being read, each with what its last call returned.
    open: VecDeque<(Walk<'a>, Vec<Listed>)>,
    /// Rows of the ranges that were read.
    rows: usize,
    /// The key after which resources follow that are in none of the ranges.
    rest: Option<String>,
}

impl<'a> Scan<'a> {
    /// The resources in these ranges; further resources come after `rest`.
    pub(super) fn new(
        store: &'a Store,
        collection: Collection,
        now: i64,
        (ranges, rest): (Vec<KeyRange>, Option<String>),
        first: Option<usize>,
    ) -> Self {
        Self {
            store,
            collection,
            now,
            ranges: ranges.into(),
            first,
            open: VecDeque::new(),
            rows: 0,
            rest,
        }
    }

    async fn next(&mut self) -> Result<Next, Error> {
        loop {
            let Some((walk, batch)) = self.open.front_mut() else {
                match self.open_ranges().await? {
                    Some(end) => return Ok(end),
                    None => continue,
                }
            };
            if !batch.is_empty() {
                return Ok(Next::Batch(std::mem::take(batch)));
            }
            if let Some(position) = walk.position() {
                let deleted =
                    self.collection.kind == Kind::User && self.rows + walk.rows() > MAX_ROWS;
                if deleted || !affordable(1) {
                    return Ok(Next::OutOfBudget(Some(position)));
                }
            }
            match walk.next_batch().await? {
                Some(next) => *batch = next,
                None => {
                    self.rows += walk.rows();
                    self.open.pop_front();
                }
            }
        }
    }

    /// Begins to read the next ranges, as many in parallel as the request can afford. If there are
    /// none to read, returns how the source ends.
    async fn open_ranges(&mut self) -> Result<Option<Next>, Error> {
        let Some(next) = self.ranges.front() else { return Ok(Some(Next::End(self.rest.take()))) };
        let wanted = self.first.take();
        let most = if wanted.is_some() { 1 } else { CONCURRENCY };
        let Some(count) = (1..=most).rev().find(|count| affordable(*count)) else {
            return Ok(Some(Next::OutOfBudget((self.rows > 0).then(|| next.begin().to_owned()))));
        };
        let ranges: Vec<KeyRange> = self.ranges.drain(..count.min(self.ranges.len())).collect();
        let begun = ranges.into_iter().map(|range| {
            let mut walk = self.store.range(&self.collection, range, wanted, self.now);
            async move {
                let batch = walk.next_batch().await?.unwrap_or_default();
                walk.unlimited();
                Ok::<_, StoreError>((walk, batch))
            }
        });
        self.open = try_join_all(begun).await?.into();
        Ok(None)
    }
}

/// Whether the request can afford this many further queries and still show what was found.
fn affordable(queries: usize) -> bool {
    let page = Price::new(CALLS_OF_A_PAGE, UNITS_OF_A_PAGE);
    (Price::new(1, QUERY_UNITS as usize) * queries + page).is_affordable()
}
