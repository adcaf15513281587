//! A query, from its parameters to its answer.

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

/// A page of the resources that match a query.
#[derive(Debug)]
pub struct Found {
    /// How many resources match. `None` in a walk by cursor through more resources than one request
    /// looks at.
    pub total: Option<usize>,
    /// The resources of the page, as they are sent. They are kept as JSON text, because parsed
    /// documents take many times as much memory.
    pub resources: Vec<Box<RawValue>>,
    /// Where the walk continues, if it pages by cursor and more resources follow.
    pub next_cursor: Option<String>,
}

impl Directory {
    /// The resources of all scopes that match a query. They are sorted as the query says; without a
    /// sort, they come in the order of scopes and of their keys. If no index answers, each request
    /// of a walk by cursor looks at the next 5,000 resources, or at fewer if each of them takes
    /// further reads. Its page may then hold fewer resources than requested, or none, and still
    /// have a cursor.
    ///
    /// # Errors
    /// `invalidFilter`; the errors of cursors; `tooMany` if no index answers, there are more than
    /// 5,000 resources, and the query sorts or pages by index; `tooMany` for a group whose members
    /// do not fit in an answer; 503.
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
        let page = Page::new(start, query.page_size(), query.descending);
        let mut page = self.matching(call, scopes, query, page).await?;
        let (resources, last) = self.represent(call, scopes, &mut page).await?;
        let next = if page.more { last } else { page.resume };
        let next = next.filter(|_| query.cursor.is_some() && page.count > 0);
        let next_cursor =
            next.map(|position| Cursor::new(walk, now, position, page.total).write(&key));
        Ok(Found { total: page.total, resources, next_cursor })
    }

    /// Fills a page with the resources that match.
    async fn matching(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        query: &Query,
        page: Page,
    ) -> Result<Page, Error> {
        let filters = filters(call, scopes, query)?;
        let sorts = sorts(scopes, query);
        if filters.is_empty() && sorts.is_none() {
            return self.list_all(call, scopes, page).await;
        }
        let mut sink = Sink::new(page, sorts.is_some(), MAX_SCANNED);
        let sorts = sorts.unwrap_or_default();
        for (index, Scope { resource_type, .. }) in scopes.iter().enumerate() {
            let filter = filters.get(index);
            let sort = sorts.get(index).and_then(Option::as_ref);
            self.gather(call, Part { index, resource_type, filter, sort }, &mut sink).await?;
        }
        Ok(sink.finish(query.descending))
    }
}

/// The sort of each scope that has the attribute; `None` if none of the scopes has it.
fn sorts<'s>(scopes: &[Scope<'s>], query: &Query) -> Option<Vec<Option<Sort<'s>>>> {
    let sort_by = query.sort_by.as_deref()?;
    let sorts: Vec<_> =
        scopes.iter().map(|scope| Sort::new(sort_by, &scope.resource_type.definition)).collect();
    sorts.iter().any(Option::is_some).then_some(sorts)
}

/// The filter for each scope; empty without a filter.
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
