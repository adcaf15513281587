//! A query from its message to its answer.

use scim_core::{Dialect, Error, Filter, Projection, Query, Sort};
use serde_json::value::RawValue;

use super::cursor::{Cursor, Walk};
use super::gather::Part;
use super::page::{Page, Sink, Start};
use crate::directory::context::{Call, Directory};
use crate::directory::limits::MAX_SCANNED;
use crate::tenant::ServedType;

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
