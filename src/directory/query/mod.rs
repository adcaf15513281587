//! Queries: by index where one answers, by a bounded look at all resources where none does.

mod cursor;
pub(super) mod facts;
mod gather;
mod lookup;
mod page;
pub(super) mod plan;
mod position;
mod source;

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::{Dialect, Error, ErrorKind, Filter, Projection, Query, Sort};
use serde_json::value::RawValue;

use super::limits::{MAX_ANSWER_BYTES, MAX_MEMBERS_SHOWN, MAX_SCANNED};
use super::size::sent_bytes;
use super::stint::Stint;
use super::whole::{self, Beyond, Expanded, View};
use super::{Call, Directory};
use crate::budget::{self, ROW_UNITS};
use crate::store::Portion;
use crate::tenant::{ServedType, unanswered};
use cursor::{Cursor, Walk};
use facts::UNITS_OF_NAMES;
use gather::Part;
use page::{Hit, Page, Sink, Start};
use position::Position;

/// How many resources are completed at a time.
const CONCURRENCY: usize = 8;

/// A resource type that is queried, and what the answer shows of its resources.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// The type.
    pub resource_type: &'a ServedType,
    /// The attributes shown.
    pub projection: Projection<'a>,
}

/// A page of what a query found.
#[derive(Debug)]
pub struct Found {
    /// How many resources match; `None` in a walk by cursor through more than one request looks at.
    pub total: Option<usize>,
    /// The resources of the page, as they are sent: in memory they take many times as much.
    pub resources: Vec<Box<RawValue>>,
    /// Where the walk goes on, if it pages by cursor and there is more.
    pub next_cursor: Option<String>,
}

impl Directory {
    /// The resources that a query asks for: of all scopes, in its order, or else in the order of
    /// scopes and sort keys. Where no index answers, a walk by cursor gets those among the next
    /// 5,000 resources, or fewer where each takes further reads: perhaps fewer than a page holds,
    /// or none, and a cursor.
    ///
    /// # Errors
    /// `invalidFilter`; the errors of cursors; `tooMany` if no index answers, there are more than
    /// 5,000 resources, and the query sorts or pages by index, or for a group whose members fit no
    /// answer; 503.
    pub async fn query(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        query: &Query,
    ) -> Result<Found, Error> {
        let key = call.tenant.key();
        let now = self.clock.seconds();
        let types: Vec<&str> =
            scopes.iter().map(|scope| scope.resource_type.definition.name.as_str()).collect();
        let walk = Walk { tenant: &key, types: &types, query };
        let start = match query.cursor.as_deref() {
            None => Start::Index(query.start_index - 1),
            Some("") => Start::First,
            Some(text) => Start::After(Cursor::read(text, walk, now)?),
        };
        let filters = filters(call, scopes, query)?;
        let page = Page::new(start, query.page_size(), query.descending);
        let mut page = match (filters.is_empty(), sorts(scopes, query)) {
            (true, None) => self.plain(call, scopes, page).await?,
            (_, sorts) => {
                let mut sink = Sink::new(page, sorts.is_some(), MAX_SCANNED);
                let sorts = sorts.unwrap_or_default();
                for (index, scope) in scopes.iter().enumerate() {
                    let (filter, sort) =
                        (filters.get(index), sorts.get(index).and_then(Option::as_ref));
                    self.gather(
                        call,
                        Part { index, resource_type: scope.resource_type, filter, sort },
                        &mut sink,
                    )
                    .await?;
                }
                sink.finish(query.descending)
            }
        };
        let (resources, last) = self.represent(call, scopes, &mut page).await?;
        let next = if page.more { last } else { page.resume };
        let next = next.filter(|_| query.cursor.is_some() && page.count > 0);
        let next_cursor =
            next.map(|position| Cursor::new(walk, now, position, page.total).write(&key));
        Ok(Found { total: page.total, resources, next_cursor })
    }

    /// The resources of a page as they are sent, and the place of the last one. The page ends where
    /// the answer, or what the request may read, does.
    async fn represent(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        page: &mut Page,
    ) -> Result<(Vec<Box<RawValue>>, Option<Position>), Error> {
        let (mut resources, mut last, mut bytes) = (Vec::with_capacity(page.hits.len()), None, 0);
        let mut hits = std::mem::take(&mut page.hits).into_iter().peekable();
        while hits.peek().is_some() {
            let mut chunk = self.affordable(call, scopes, &mut hits);
            if resources.is_empty() && chunk.is_empty() {
                // A page shows one at least, unless its reads are refused.
                chunk.extend(hits.next());
            }
            let (asked, refused, room) =
                (chunk.len(), budget::refusals(), MAX_ANSWER_BYTES.saturating_sub(bytes));
            let shown = match self.complete_chunk(call, scopes, chunk, room).await {
                Err(_) if budget::refusals() > refused && !resources.is_empty() => Vec::new(),
                Err(_) if budget::refusals() > refused => return Err(too_much_to_read()),
                shown => shown?,
            };
            let ends = shown.len() < asked || asked == 0;
            page.more |= ends;
            for (position, json) in shown {
                bytes += sent_bytes(json.get().as_bytes()) + 1;
                if bytes > MAX_ANSWER_BYTES && !resources.is_empty() {
                    page.more = true;
                    return Ok((resources, last));
                }
                resources.push(json);
                last = Some(position);
            }
            if ends {
                return Ok((resources, last));
            }
        }
        Ok((resources, last))
    }

    /// The next hits that the request can afford to show.
    fn affordable(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        hits: &mut std::iter::Peekable<std::vec::IntoIter<Hit>>,
    ) -> Vec<Hit> {
        let (mut chunk, mut sum) = (Vec::with_capacity(CONCURRENCY), Self::price_of_gone(call));
        while let Some(hit) = hits.peek().filter(|_| chunk.len() < CONCURRENCY) {
            let price = scopes
                .get(hit.scope)
                .map(|scope| whole::price(scope.resource_type, hit.row.members, &scope.projection));
            let price = price.unwrap_or_default();
            sum = facts::add(sum, price);
            if price != (0, 0) && !budget::left().suffices(sum.0, sum.1) {
                break;
            }
            chunk.extend(hits.next());
        }
        chunk
    }

    /// Some resources as they are sent, with what is shown beyond their rows; those that are not
    /// needed to fill `room` bytes are left out.
    async fn complete_chunk(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        hits: Vec<Hit>,
        room: usize,
    ) -> Result<Vec<(Position, Box<RawValue>)>, Error> {
        let each = stream::iter(hits).map(|hit| async move {
            let Some(scope) = scopes.get(hit.scope) else { return Ok(None) };
            let view = View { projection: &scope.projection, members: MAX_MEMBERS_SHOWN };
            let beyond =
                self.beyond(call, scope.resource_type, &hit.row.id, hit.row.members, view).await?;
            Ok::<_, Error>(Some((scope, hit, beyond)))
        });
        let mut read: Vec<_> =
            each.buffered(CONCURRENCY).try_filter_map(async |read| Ok(read)).try_collect().await?;
        let names_of = |read: &[(_, _, Beyond)]| -> BTreeSet<_> {
            read.iter().flat_map(|(_, _, beyond)| beyond.groups()).cloned().collect()
        };
        let mut groups = names_of(&read);
        while read.len() > 1 && !affordable_names(groups.len()) {
            read.pop();
            groups = names_of(&read);
        }
        let names = self.group_names(call, &groups).await?;
        let (mut represented, mut bytes, mut stint) =
            (Vec::with_capacity(read.len()), 0, Stint::begin());
        for (Scope { resource_type, projection }, hit, beyond) in read {
            let position = hit.position();
            let resource = hit.row.into_resource().map_err(unanswered)?;
            let Expanded { resource, .. } =
                beyond.complete(call, resource, &names, projection)?.require_members()?;
            let shown = resource_type.definition.represent(resource, projection, call.base_url);
            let json = serde_json::value::to_raw_value(&shown);
            let json = json.map_err(|_| Error::internal("A resource could not be written."))?;
            let length = json.get().len();
            represented.push((position, json));
            bytes += length;
            if bytes > room {
                break;
            }
            stint.add(length).await;
        }
        Ok(represented)
    }

    /// All resources, in the order of scopes and sort keys.
    async fn plain(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        mut page: Page,
    ) -> Result<Page, Error> {
        let now = self.clock.seconds();
        let (mut total, mut is_short) = (0, false);
        for (index, scope) in scopes.iter().enumerate() {
            let collection = call.collection(&scope.resource_type.kind);
            // One more than is shown tells a walk whether there is more.
            let (from, spare) = match &page.start {
                Start::Index(skip) => (skip.saturating_sub(total), 0),
                Start::First | Start::After(_) => (0, 1),
            };
            let count =
                if page.more || is_short { 0 } else { page.count + spare - page.hits.len() };
            let found = match &page.start {
                Start::After(cursor) if index < cursor.scope => Portion::default(),
                Start::After(cursor) if index == cursor.scope && count > 0 => self
                    .store
                    .after(&collection, &cursor.after, count, now)
                    .await
                    .map_err(unanswered)?,
                // The walk knows the total from its beginning.
                Start::After(_) if count == 0 => Portion::default(),
                Start::After(_) => {
                    self.store.after(&collection, "", count, now).await.map_err(unanswered)?
                }
                Start::First | Start::Index(_) => {
                    let overdue =
                        if scope.resource_type.is_user() { self.overdue(call).await? } else { &[] };
                    let found = self
                        .store
                        .page(&collection, from, count, now, overdue)
                        .await
                        .map_err(unanswered)?;
                    total += found.total + self.erased_since(call, overdue).await?;
                    let nothing =
                        found.portion.resources.is_empty() && found.portion.rest.is_some();
                    if nothing && page.hits.is_empty() && matches!(page.start, Start::Index(_)) {
                        return Err(too_much_to_read());
                    }
                    found.portion
                }
            };
            for row in found.resources {
                page.keep(Hit { scope: index, sort_key: None, row });
            }
            if let Some(rest) = found.rest {
                page.resume = Some(Position::of_key(index, rest));
                is_short = true;
            }
        }
        page.total = match &page.start {
            Start::After(cursor) => cursor.total,
            Start::First | Start::Index(_) => Some(total),
        };
        Ok(page)
    }
}

/// What each scope is sorted by; `None` if none of them is.
fn sorts<'s>(scopes: &[Scope<'s>], query: &Query) -> Option<Vec<Option<Sort<'s>>>> {
    let by = query.sort_by.as_deref()?;
    let sorts: Vec<_> =
        scopes.iter().map(|scope| Sort::new(by, &scope.resource_type.definition)).collect();
    sorts.iter().any(Option::is_some).then_some(sorts)
}

/// The filter for each scope; nothing at all without a filter.
fn filters<'s>(
    call: Call<'_>,
    scopes: &[Scope<'s>],
    query: &Query,
) -> Result<Vec<Filter<'s>>, Error> {
    let Some(text) = query.filter.as_deref() else { return Ok(Vec::new()) };
    let parsed = scopes
        .iter()
        .map(|scope| Filter::parse(text, &scope.resource_type.definition, call.dialect()));
    let parsed: Vec<Result<Filter<'s>, Error>> = parsed.collect();
    if parsed.iter().all(Result::is_err)
        && let Some(error) = parsed.iter().find_map(|result| result.as_ref().err())
    {
        return Err(error.clone());
    }
    // "For filtered attributes that are not part of a particular resource type, the service
    // provider SHALL treat the attribute as if there is no attribute value." (RFC 7644, 3.4.2.1)
    let lenient =
        |scope: &Scope<'s>| Filter::parse(text, &scope.resource_type.definition, Dialect::TOLERANT);
    scopes.iter().zip(parsed).map(|(scope, parsed)| parsed.or_else(|_| lenient(scope))).collect()
}

/// Whether the request can afford to read what this number of groups are called.
fn affordable_names(groups: usize) -> bool {
    let units = (groups * ROW_UNITS as usize).min(groups + UNITS_OF_NAMES);
    budget::left().suffices(groups.div_ceil(16), units)
}

fn too_much_to_read() -> Error {
    Error::new(
        ErrorKind::TooMany,
        "What the answer would show takes more reads than a request may make; ask for fewer \
        attributes, or for fewer resources by count.",
    )
}
