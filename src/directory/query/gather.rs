//! Gathers the resources that match: from a source, within the budget of the request, into a sink.

use scim_core::{Error, ErrorKind, Filter, Sort};

use super::lookup::LookedUp;
use super::page::{Sink, Start};
use super::plan::Plan;
use super::position::Position;
use super::source::{LookUp, Scan, Source};
use crate::directory::context::{Call, Directory};
use crate::directory::limits::MAX_SCANNED;
use crate::tenant::ServedType;

/// A resource type among those that are queried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    /// Its index among them.
    pub(super) index: usize,
    pub(super) resource_type: &'a ServedType,
    pub(super) filter: Option<&'a Filter<'a>>,
    pub(super) sort: Option<&'a Sort<'a>>,
}

/// Why gathering ended.
pub(super) enum Stop {
    /// Everything in the source was looked at. If the source did not hold all resources, the others
    /// follow this key.
    End(Option<String>),
    /// The page is full, and the remaining matches need not be counted.
    Full,
    /// The request may not look at more resources. The others follow this key; without a key, the
    /// request has looked at none.
    OutOfBudget(Option<String>),
}

/// Why a query may have to look at more resources than one request may.
#[derive(Debug, Clone, Copy)]
pub(super) enum Obstacle {
    /// No index answers the filter.
    NoIndex,
    /// An index answers it, but too many resources have the value.
    CommonValue,
}

/// The resources of a type that are looked at.
pub(super) struct Selection {
    /// What the indexes found; `None` if all resources of the type are looked at.
    pub(super) found: Option<LookedUp>,
    /// Most of them in one request.
    pub(super) most: usize,
    obstacle: Obstacle,
}

impl Selection {
    fn all(plan: &Plan, obstacle: Obstacle) -> Self {
        Self { found: None, most: plan.most().unwrap_or(MAX_SCANNED), obstacle }
    }

    /// 400 for a query that would have to look at more than one request may.
    fn too_many(&self, part: Part<'_>, sink: &Sink) -> Error {
        let way = if sink.sorts() {
            "omit sortBy"
        } else {
            "page by cursor (cursor= in place of startIndex)"
        };
        let detail = match self.obstacle {
            Obstacle::CommonValue => format!(
                "Too many resources have this value: the query would have to look at more than a \
                request may; {way}."
            ),
            Obstacle::NoIndex => {
                let most = self.most.min(MAX_SCANNED);
                let indexed: Vec<String> =
                    part.resource_type.indexed.iter().map(|name| format!("{name} eq")).collect();
                format!(
                    "This query would have to look at more than {most} resources, or to read or \
                    compare more than a request may; {way}, or join the filter by and with one \
                    of: {}.",
                    indexed.join(", ")
                )
            }
        };
        Error::new(ErrorKind::TooMany, detail)
    }
}

impl Directory {
    /// Gathers the resources of a type that pass the filter, in the order of their keys.
    pub(super) async fn gather(
        &self,
        call: Call<'_>,
        part: Part<'_>,
        sink: &mut Sink,
    ) -> Result<(), Error> {
        if sink.is_partial() {
            // An earlier type is not finished. Another request continues there, and comes to this
            // type later.
            return Ok(());
        }
        let after = match &sink.page.start {
            Start::After(cursor) if sink.walks() && part.index < cursor.scope => return Ok(()),
            Start::After(cursor) if sink.walks() && part.index == cursor.scope => {
                Some(cursor.after.clone())
            }
            Start::After(_) | Start::First | Start::Index(_) => None,
        };
        let mut selection = self.select(call, part).await?;
        let source = self.source(call, part, &mut selection, after.as_deref(), sink).await?;
        let stop = self.judge_all(call, part, source, &selection, sink).await?;
        let resume = resume_after(stop, part, &selection, sink)?;
        sink.page.resume = resume.map(|key| Position::of_key(part.index, key));
        Ok(())
    }

    /// Which resources of a type are looked at.
    async fn select(&self, call: Call<'_>, part: Part<'_>) -> Result<Selection, Error> {
        let plan =
            part.filter.map_or(Plan::scan(None), |filter| Plan::of(part.resource_type, filter));
        let Plan::LookUp(equalities) = &plan else {
            return Ok(Selection::all(&plan, Obstacle::NoIndex));
        };
        Ok(match self.look_up(call, part.resource_type, equalities).await? {
            Some(found) => {
                Selection { found: Some(found), most: usize::MAX, obstacle: Obstacle::NoIndex }
            }
            // The index has more resources than may be read one by one.
            None => Selection::all(&Plan::scan(part.filter), Obstacle::CommonValue),
        })
    }

    /// The source of the selected resources that come after a key.
    async fn source<'d>(
        &'d self,
        call: Call<'_>,
        part: Part<'_>,
        selection: &mut Selection,
        after: Option<&str>,
        sink: &mut Sink,
    ) -> Result<Source<'d>, Error> {
        if let Some(found) = &mut selection.found {
            let look_up = LookUp::new(self, call, &part.resource_type.kind, found, after);
            return Ok(Source::LookUp(look_up));
        }
        let collection = call.collection(&part.resource_type.kind);
        let left = sink.left.min(selection.most);
        let most_read = if sink.walks() { left } else { usize::MAX };
        let ranges = self.store.ranges(&collection, after, most_read).await?;
        if !sink.walks() && ranges.total > left {
            return Err(selection.too_many(part, sink));
        }
        sink.left = sink.left.saturating_sub(ranges.total);
        if ranges.next.is_some() {
            sink.leave_rest();
        }
        let now = self.clock.seconds();
        let ranges = (ranges.ranges, ranges.next);
        Ok(Source::Scan(Scan::new(&self.store, collection, now, ranges, sink.first_read())))
    }
}

/// The key after which the next request continues with this type, if resources are left.
fn resume_after(
    stop: Stop,
    part: Part<'_>,
    selection: &Selection,
    sink: &mut Sink,
) -> Result<Option<String>, Error> {
    match stop {
        Stop::End(rest) => {
            sink.end_type();
            Ok(rest)
        }
        Stop::Full => {
            sink.leave_rest();
            Ok(None)
        }
        Stop::OutOfBudget(_) if !sink.walks() => Err(selection.too_many(part, sink)),
        // A cursor to where this request began would take every later request back to the same
        // place.
        Stop::OutOfBudget(None) if !sink.has_ended_a_type() => Err(too_much()),
        Stop::OutOfBudget(key) => {
            sink.leave_rest();
            Ok(Some(key.unwrap_or_default()))
        }
    }
}

/// 400 for a query that one request cannot answer even in part.
fn too_much() -> Error {
    Error::new(
        ErrorKind::TooMany,
        "The filter has to read or compare more than a request may. Compare fewer values, or send \
        several queries with some of the values each.",
    )
}
