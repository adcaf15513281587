//! Queries: by index where one answers, by a bounded look at all resources where none does.

use std::pin::pin;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::{Dialect, Error, ErrorKind, Filter, Projection, Query, Resource, Sort, SortKey};

use super::cursor::{Cursor, Walk};
use super::page::{Hit, Page, Start};
use super::plan::{MOST_SCANNED, Plan};
use super::{Call, Directory, MOST_MEMBERS, Shown, Wanted};
use crate::store::{Kind, Listed, PageRoom, StoreError};
use crate::tenant::{Type, unanswered};

/// Most bytes of documents that a sort holds; in memory they take several times as much.
const MOST_SORTED_BYTES: usize = 8 * 1_024 * 1_024;
/// How many resources are judged or completed at a time.
const SIDE_BY_SIDE: usize = 8;
/// Most rows that one request reads for a filter without index, a sort, or a part of a walk: twice as many as
/// 5,000 users and their claims, for those who are deleted.
const MOST_ROWS: usize = 20_000;
/// How many key ranges are read at a time.
const RANGES_AT_ONCE: usize = 4;

/// A resource type that is queried, and what the answer shows of its resources.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// The type.
    pub of: &'a Type,
    /// The attributes shown.
    pub projection: Projection<'a>,
}

/// A page of what a query found.
#[derive(Debug)]
pub struct Found {
    /// How many resources match; `None` in a walk by cursor through more than one request looks at.
    pub total: Option<usize>,
    /// The resources of the page, each with the index of its scope.
    pub resources: Vec<(usize, Resource)>,
    /// Where the walk goes on, if it pages by cursor and there is more.
    pub next_cursor: Option<String>,
}

impl Directory {
    /// The resources that a query asks for: of all scopes, in its order, or else in the order of scopes
    /// and sort keys. Where no index answers, a walk by cursor gets those among the next 5,000 resources, or
    /// fewer where each takes further reads: perhaps fewer than a page holds, or none, and a cursor.
    ///
    /// # Errors
    /// `invalidFilter`; the errors of cursors; `tooMany` if no index answers, there are more than 5,000
    /// resources, and the query sorts or pages by index, or for a group whose members fit no answer; 503.
    pub async fn query(&self, call: Call<'_>, scopes: &[Scope<'_>], query: &Query) -> Result<Found, Error> {
        let key = call.tenant.key();
        let now = self.clock.seconds();
        let types: Vec<&str> = scopes.iter().map(|scope| scope.of.resource.name.as_str()).collect();
        let walk = Walk { tenant: &key, types: &types, query };
        let start = match query.cursor.as_deref() {
            None => Start::Index(query.start_index - 1),
            Some("") => Start::First,
            Some(text) => Start::After(Cursor::read(text, walk, now)?),
        };
        let filters = filters(call, scopes, query)?;
        let by = query.sort_by.as_deref();
        let sorts: Vec<Option<Sort<'_>>> =
            scopes.iter().map(|scope| by.and_then(|by| Sort::new(by, &scope.of.resource))).collect();
        let sorted = sorts.iter().flatten().next().is_some();
        let page = Page::new(start, query.page_size(), query.descending);
        let mut page = if filters.is_empty() && !sorted {
            self.plain(call, scopes, page).await?
        } else {
            let waiting = sorted.then(Vec::new);
            let mut gathered = Gathered { page, waiting, bytes: 0, left: MOST_SCANNED, whole: true, counts: true };
            for (index, scope) in scopes.iter().enumerate() {
                let (filter, sort) = (filters.get(index), sorts.get(index).and_then(Option::as_ref));
                self.gather(call, Part { index, of: scope.of, filter, sort }, &mut gathered).await?;
            }
            gathered.finish(query.descending)
        };
        let mut room = PageRoom::default();
        let mut resources = Vec::with_capacity(page.hits.len());
        let mut last = None;
        let mut each = stream::iter(std::mem::take(&mut page.hits))
            .map(|hit| async { (hit.place(), hit.scope, self.complete_hit(call, scopes, hit).await) })
            .buffered(SIDE_BY_SIDE);
        while let Some((place, scope, shown)) = each.next().await {
            let Shown { resource, .. } = shown?.whole()?;
            let size = serde_json::to_vec(resource.attributes.as_object()).map_or(0, |json| json.len());
            if !room.takes(size) {
                page.more = true;
                break;
            }
            last = Some(place);
            resources.push((scope, resource));
        }
        let next = if page.more { last } else { page.resume };
        let next = next.filter(|_| query.cursor.is_some() && page.count > 0);
        let next = next.map(|place| Cursor::new(walk, now, place, page.total).write(&key));
        Ok(Found { total: page.total, resources, next_cursor: next })
    }

    async fn complete_hit(&self, call: Call<'_>, scopes: &[Scope<'_>], hit: Hit) -> Result<Shown, Error> {
        let Listed { resource, members, .. } = hit.resource;
        match scopes.get(hit.scope) {
            None => Ok(Shown { resource, cut: false }),
            Some(Scope { of, projection }) => {
                let wanted = Wanted { projection, members: MOST_MEMBERS };
                self.complete(call, of, resource, members, wanted).await
            }
        }
    }

    /// All resources, in the order of scopes and sort keys.
    async fn plain(&self, call: Call<'_>, scopes: &[Scope<'_>], mut page: Page) -> Result<Page, Error> {
        let now = self.clock.seconds();
        let mut total = 0;
        for (index, scope) in scopes.iter().enumerate() {
            let at = call.collection(&scope.of.kind);
            // One more than is shown tells a walk whether there is more.
            let (from, spare) = match &page.start {
                Start::Index(skip) => (skip.saturating_sub(total), 0),
                Start::First | Start::After(_) => (0, 1),
            };
            let count = if page.more { 0 } else { page.count + spare - page.hits.len() };
            let found = match &page.start {
                Start::After(cursor) if index < cursor.scope => Vec::new(),
                Start::After(cursor) if index == cursor.scope && count > 0 => {
                    self.store.after(&at, &cursor.after, count, now).await.map_err(unanswered)?
                }
                // The walk knows the total from its beginning.
                Start::After(_) if count == 0 => Vec::new(),
                Start::After(_) => self.store.after(&at, "", count, now).await.map_err(unanswered)?,
                _ => {
                    let found = self.store.page(&at, from, count, now).await.map_err(unanswered)?;
                    total += found.total;
                    found.resources
                }
            };
            for resource in found {
                page.keep(Hit { scope: index, key: None, resource });
            }
        }
        page.total = match &page.start {
            Start::After(cursor) => cursor.total,
            _ => Some(total),
        };
        Ok(page)
    }

    /// Gathers the resources of a type that pass the filter, in the order of their sort keys: by index, or from
    /// all of them.
    async fn gather(&self, call: Call<'_>, part: Part<'_>, gathered: &mut Gathered) -> Result<(), Error> {
        if !gathered.whole {
            // A type before is not at its end; another request goes on there, and comes to this one.
            return Ok(());
        }
        // Whether an index was asked, and found more than it reads.
        let mut of_many = false;
        let plan = match part.filter.map_or(Plan::scan(None), |filter| Plan::of(part.of, filter)) {
            Plan::LookUp(equalities) => match self.look_up(call, part.of, equalities).await? {
                Some(candidates) => return self.pass(call, part, candidates, gathered).await,
                None => {
                    of_many = true;
                    Plan::scan(part.filter)
                }
            },
            plan => plan,
        };
        let most = plan.most().unwrap_or(MOST_SCANNED);
        let walks = gathered.walks();
        let after = match &gathered.page.start {
            Start::After(cursor) if walks && part.index < cursor.scope => return Ok(()),
            Start::After(cursor) if walks && part.index == cursor.scope => Some(cursor.after.clone()),
            _ => None,
        };
        let at = call.collection(&part.of.kind);
        let now = self.clock.seconds();
        let left = gathered.left.min(most);
        let most_read = if walks { left } else { usize::MAX };
        let ranges = self.store.ranges(&at, after.as_deref(), most_read).await.map_err(unanswered)?;
        if !walks && ranges.total > left {
            return Err(too_many(part.of, most, gathered.waiting.is_some(), of_many));
        }
        gathered.left = gathered.left.saturating_sub(ranges.total);
        gathered.whole = ranges.next.is_none();
        // Only the first page of a walk counts, if it looks at all.
        gathered.counts = !walks || (gathered.whole && matches!(gathered.page.start, Start::First));
        // A walk first reads as many as its page holds: perhaps all of them match.
        let first = if gathered.counts { None } else { Some(gathered.page.count + 1) };
        let begin = |(range, wanted)| {
            let mut walk = self.store.range(&at, range, wanted, now);
            async move {
                let some = walk.some().await?;
                walk.hurry();
                Ok::<_, StoreError>((some, walk))
            }
        };
        let mut alone: Vec<_> = ranges.ranges.into_iter().map(|range| (range, None)).collect();
        let others = alone.split_off(usize::from(first.is_some()).min(alone.len()));
        alone.iter_mut().for_each(|(_, wanted)| *wanted = first);
        let alone = stream::iter(alone).then(begin);
        let others = stream::iter(others).map(begin).buffered(RANGES_AT_ONCE);
        let mut each = pin!(alone.chain(others));
        let (mut rows, mut judged, mut last) = (0, 0, None);
        while let Some((mut some, mut walk)) = each.try_next().await.map_err(unanswered)? {
            while let Some(mut candidates) = some {
                // A bucket of a large tenant holds more than one request may judge.
                let room = if walks { most - judged } else { usize::MAX };
                let cut = candidates.len() > room;
                candidates.truncate(room);
                judged += candidates.len();
                last = candidates.last().map(|last| last.key.clone()).or(last);
                self.pass(call, part, candidates, gathered).await?;
                if gathered.is_enough() {
                    gathered.whole = false;
                    return Ok(());
                }
                if cut {
                    gathered.whole = false;
                    gathered.page.resume = last.map(|last| (None, part.index, last));
                    return Ok(());
                }
                if rows + walk.rows() > MOST_ROWS
                    && part.of.kind == Kind::User
                    && let Some(position) = walk.position()
                {
                    if !walks {
                        return Err(too_many(part.of, most, gathered.waiting.is_some(), of_many));
                    }
                    gathered.whole = false;
                    gathered.page.resume = Some((None, part.index, position));
                    return Ok(());
                }
                some = walk.some().await.map_err(unanswered)?;
            }
            rows += walk.rows();
        }
        gathered.page.resume = ranges.next.map(|next| (None, part.index, next));
        Ok(())
    }

    /// Gathers those of `candidates` that pass the filter, in their order.
    async fn pass(
        &self,
        call: Call<'_>,
        part: Part<'_>,
        candidates: Vec<Listed>,
        gathered: &mut Gathered,
    ) -> Result<(), Error> {
        let mut each = stream::iter(candidates)
            .map(|candidate| async move {
                let Some(filter) = part.filter else { return Ok(Some(candidate)) };
                let whole = self.judgeable(call, part.of, &candidate, filter).await?;
                let passes = filter.matches(&part.of.resource.view(&whole, call.base_url));
                Ok::<_, Error>(passes.then_some(candidate))
            })
            .buffered(SIDE_BY_SIDE);
        while let Some(passed) = each.try_next().await? {
            if let Some(resource) = passed {
                let key = gathered.waiting.is_some().then(|| match part.sort {
                    Some(sort) => sort.key(&part.of.resource.view(&resource.resource, call.base_url)),
                    None => SortKey::Absent,
                });
                gathered.take(Hit { scope: part.index, key, resource })?;
                if gathered.is_enough() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// A resource type among those that are queried.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    index: usize,
    of: &'a Type,
    filter: Option<&'a Filter<'a>>,
    sort: Option<&'a Sort<'a>>,
}

/// What has been found so far.
struct Gathered {
    page: Page,
    /// Resources that wait for being sorted, if the query sorts.
    waiting: Option<Vec<Hit>>,
    /// Bytes of their documents.
    bytes: usize,
    /// How many resources may still be looked at.
    left: usize,
    /// Whether all resources were looked at that the query asks for.
    whole: bool,
    /// Whether all that match are counted, more than the page shows.
    counts: bool,
}

impl Gathered {
    /// Whether resources may be left for another request.
    fn walks(&self) -> bool {
        self.waiting.is_none() && !matches!(self.page.start, Start::Index(_))
    }

    /// Whether the page is full, and nothing else is asked for.
    fn is_enough(&self) -> bool {
        self.page.more && !self.counts
    }

    fn take(&mut self, hit: Hit) -> Result<(), Error> {
        let Some(waiting) = &mut self.waiting else {
            self.page.judge(hit);
            return Ok(());
        };
        self.bytes += hit.resource.bytes;
        if self.bytes > MOST_SORTED_BYTES {
            return Err(Error::new(ErrorKind::TooMany, "The resources are too large to be sorted; leave sortBy away."));
        }
        waiting.push(hit);
        Ok(())
    }

    fn finish(self, descending: bool) -> Page {
        let Self { mut page, waiting, whole, .. } = self;
        let sorted = waiting.is_some();
        let mut waiting = waiting.unwrap_or_default();
        waiting.sort_by(|a, b| a.compare(b, descending));
        waiting.into_iter().for_each(|hit| page.judge(hit));
        page.total = match &page.start {
            Start::After(cursor) if !sorted => cursor.total,
            _ => whole.then_some(page.judged),
        };
        page
    }
}

/// The filter for each scope; nothing at all without a filter.
fn filters<'s>(call: Call<'_>, scopes: &[Scope<'s>], query: &Query) -> Result<Vec<Filter<'s>>, Error> {
    let Some(text) = query.filter.as_deref() else { return Ok(Vec::new()) };
    let parsed = scopes.iter().map(|scope| Filter::parse(text, &scope.of.resource, call.dialect()));
    let parsed: Vec<Result<Filter<'s>, Error>> = parsed.collect();
    if parsed.iter().all(Result::is_err)
        && let Some(error) = parsed.iter().find_map(|result| result.as_ref().err())
    {
        return Err(error.clone());
    }
    // "For filtered attributes that are not part of a particular resource type, the service provider SHALL
    // treat the attribute as if there is no attribute value." (RFC 7644, 3.4.2.1)
    let lenient = |scope: &Scope<'s>| Filter::parse(text, &scope.of.resource, Dialect::TOLERANT);
    scopes.iter().zip(parsed).map(|(scope, parsed)| parsed.or_else(|_| lenient(scope))).collect()
}

fn too_many(of: &Type, most: usize, sorted: bool, of_many: bool) -> Error {
    let indexed: Vec<String> = of.indexed.iter().map(|name| format!("{name} eq")).collect();
    let way = if sorted { "leave sortBy away" } else { "page by cursor (cursor= in place of startIndex)" };
    if of_many {
        let why =
            format!("So many resources have this value that the query would have to look at more than {most}; {way}.");
        return Error::new(ErrorKind::TooMany, why);
    }
    Error::new(
        ErrorKind::TooMany,
        format!(
            "This query would have to look at more than {most} resources; {way}, or join the filter by and with one of: \
             {}.",
            indexed.join(", ")
        ),
    )
}
