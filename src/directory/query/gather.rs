//! Gathering what passes: from a source, under the budget of the request, into a sink.

use scim_core::{Error, ErrorKind, Filter, OutOfWork, ResourceId, Sort, SortKey};

use super::facts::{self, CHUNK, Facts, Need};
use super::lookup::LookedUp;
use super::page::{Sink, Start};
use super::plan::Plan;
use super::position::{Hit, Position};
use super::source::{LookUp, Next, Scan, Source};
use crate::budget::{self, MAX_COMPARISONS_OF_A_RESOURCE};
use crate::directory::context::{Call, Directory};
use crate::directory::limits::MAX_SCANNED;
use crate::directory::stint::Stint;
use crate::store::{CALLS_OF_A_PAGE, Listed, UNITS_OF_A_PAGE};
use crate::tenant::{ServedType, unanswered};

/// A resource type among those that are queried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    /// Its place among them.
    pub(super) index: usize,
    pub(super) resource_type: &'a ServedType,
    pub(super) filter: Option<&'a Filter<'a>>,
    pub(super) sort: Option<&'a Sort<'a>>,
}

/// What a member that is judged takes, in bytes of documents.
const BYTES_OF_A_MEMBER: usize = 100;

/// Why gathering ended.
enum Stop {
    /// All resources were looked at; those that were not to be are behind this key.
    End(Option<String>),
    /// The page is full, and nothing else is asked for.
    Full,
    /// The request may not look at more; others are behind this key, or where it began.
    OutOfBudget(Option<String>),
}

impl Directory {
    /// Gathers the resources of a type that pass the filter, in the order of their keys: by index,
    /// or from all of them.
    pub(super) async fn gather(
        &self,
        call: Call<'_>,
        part: Part<'_>,
        sink: &mut Sink,
    ) -> Result<(), Error> {
        if !sink.whole {
            // A type before is not at its end; another request goes on there, and comes to this
            // one.
            return Ok(());
        }
        let after = match &sink.page.start {
            Start::After(cursor) if sink.walks() && part.index < cursor.scope => return Ok(()),
            Start::After(cursor) if sink.walks() && part.index == cursor.scope => {
                Some(cursor.after.clone())
            }
            Start::After(_) | Start::First | Start::Index(_) => None,
        };
        let plan =
            part.filter.map_or(Plan::scan(None), |filter| Plan::of(part.resource_type, filter));
        let mut found = match &plan {
            Plan::LookUp(equalities) => self.look_up(call, part.resource_type, equalities).await?,
            Plan::Scan { .. } => None,
        };
        // An index may know more resources than are read one by one.
        let of_many = found.is_none() && matches!(plan, Plan::LookUp(_));
        let plan = if of_many { Plan::scan(part.filter) } else { plan };
        let (source, most) = match &mut found {
            Some(found) => {
                let source =
                    LookUp::new(self, call, &part.resource_type.kind, found, after.as_deref());
                (Source::LookUp(source), usize::MAX)
            }
            None => {
                let most = plan.most().unwrap_or(MAX_SCANNED);
                (self.look_at_all(call, part, sink, after, most, of_many).await?, most)
            }
        };
        let stop = self.judge_all(call, part, source, found.as_ref(), most, sink).await?;
        let resume = match stop {
            Stop::End(rest) => {
                sink.advanced = true;
                rest
            }
            Stop::Full => {
                sink.whole = false;
                None
            }
            Stop::OutOfBudget(_) if !sink.walks() => {
                return Err(too_many(part.resource_type, most, sink.sorts(), of_many));
            }
            // A cursor to the place where this request began would lead every later request there
            // again.
            Stop::OutOfBudget(None) if !sink.advanced => return Err(too_much()),
            Stop::OutOfBudget(key) => {
                sink.whole = false;
                Some(key.unwrap_or_default())
            }
        };
        sink.page.resume = resume.map(|key| Position::of_key(part.index, key));
        Ok(())
    }

    /// All resources of a type, as far as the request may look at them.
    async fn look_at_all<'d>(
        &'d self,
        call: Call<'_>,
        part: Part<'_>,
        sink: &mut Sink,
        after: Option<String>,
        most: usize,
        of_many: bool,
    ) -> Result<Source<'d>, Error> {
        let collection = call.collection(&part.resource_type.kind);
        let left = sink.left.min(most);
        let most_read = if sink.walks() { left } else { usize::MAX };
        let ranges = self
            .store
            .ranges(&collection, after.as_deref(), most_read)
            .await
            .map_err(unanswered)?;
        if !sink.walks() && ranges.total > left {
            return Err(too_many(part.resource_type, most, sink.sorts(), of_many));
        }
        sink.left = sink.left.saturating_sub(ranges.total);
        sink.whole = ranges.next.is_none();
        sink.counts &= !sink.walks() || sink.whole;
        // A walk first reads as many as its page holds: perhaps all of them match.
        let first = if sink.counts { None } else { Some(sink.page.count + 1) };
        let now = self.clock.seconds();
        Ok(Source::Scan(Scan::new(
            &self.store,
            collection,
            now,
            (ranges.ranges, ranges.next),
            first,
        )))
    }

    /// Judges what the source has, in its order.
    async fn judge_all(
        &self,
        call: Call<'_>,
        part: Part<'_>,
        mut source: Source<'_>,
        found: Option<&LookedUp>,
        most: usize,
        sink: &mut Sink,
    ) -> Result<Stop, Error> {
        let need =
            part.filter.map_or(Need::Row, |filter| Need::of(&part.resource_type.kind, filter));
        let (mut judged, mut last, mut stint) = (0, None, Stint::begin());
        loop {
            let mut batch = match source.next().await? {
                Next::Batch(batch) => batch.into_iter(),
                Next::End(rest) => return Ok(Stop::End(rest)),
                Next::OutOfBudget(key) => return Ok(Stop::OutOfBudget(key)),
            };
            while !batch.as_slice().is_empty() {
                // A bucket of a large tenant holds more than one request may judge.
                let room =
                    if sink.walks() { CHUNK.min(most.saturating_sub(judged)) } else { CHUNK };
                // What one resource needs may be much; a walk that has come no further would never
                // get on.
                let room = if need.is_all() && last.is_none() { 1 } else { room };
                let affordable = self.affordable_chunk(
                    call,
                    part.resource_type,
                    &need,
                    batch.as_slice(),
                    found,
                    sink,
                );
                let chunk: Vec<Listed> = batch.by_ref().take(room.min(affordable)).collect();
                if chunk.is_empty() {
                    return Ok(Stop::OutOfBudget(last));
                }
                let refused = budget::refusals();
                let mut facts = match self
                    .facts(call, part.resource_type, &need, &chunk, found)
                    .await
                {
                    Err(_) if budget::refusals() > refused => return Ok(Stop::OutOfBudget(last)),
                    facts => facts?,
                };
                for row in chunk {
                    let members = if need.is_all() { row.members * BYTES_OF_A_MEMBER } else { 0 };
                    let (key, bytes) = (row.key.clone(), row.bytes() + members);
                    match self.judge(call, part, row, sink.sorts(), &mut facts)? {
                        Verdict::Passes(hit) => sink.take(*hit)?,
                        Verdict::Fails => {}
                        Verdict::OutOfWork => return Ok(Stop::OutOfBudget(last)),
                    }
                    if sink.is_full() {
                        return Ok(Stop::Full);
                    }
                    last = Some(key);
                    judged += 1;
                    stint.add(bytes).await;
                }
            }
        }
    }

    /// How many of these resources the request can afford to judge at once.
    fn affordable_chunk(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        need: &Need,
        rows: &[Listed],
        found: Option<&LookedUp>,
        sink: &Sink,
    ) -> usize {
        let left = budget::left();
        let gone = if need.is_of_members(&resource_type.kind) {
            Self::price_of_gone(call)
        } else {
            (0, 0)
        };
        // A walk shows what it has found, and another request goes on.
        let page = if sink.walks() && sink.has_found() {
            (CALLS_OF_A_PAGE, UNITS_OF_A_PAGE)
        } else {
            (0, 0)
        };
        let affordable = |count: &usize| {
            let some = rows.get(..*count).unwrap_or_default();
            let price = need.price(&resource_type.kind, some, found);
            let (calls, units) =
                facts::add(gone, if price == (0, 0) { price } else { facts::add(page, price) });
            left.suffices(calls, units)
        };
        (1..=CHUNK.min(rows.len())).rev().find(affordable).unwrap_or_default()
    }

    fn judge(
        &self,
        call: Call<'_>,
        part: Part<'_>,
        row: Listed,
        sorts: bool,
        facts: &mut Facts,
    ) -> Result<Verdict, Error> {
        // Another type may have the attribute that the query sorts by.
        let absent = sorts.then_some(SortKey::Absent);
        if part.filter.is_none() && part.sort.is_none() {
            return Ok(Verdict::Passes(Box::new(Hit { scope: part.index, sort_key: absent, row })));
        }
        let mut resource = row.resource().map_err(unanswered)?;
        facts.add_to(call, &mut resource);
        let view = part.resource_type.definition.into_view(resource, call.base_url);
        let suffices = budget::comparisons() >= MAX_COMPARISONS_OF_A_RESOURCE;
        let judged = part
            .filter
            .map_or(Ok(true), |filter| budget::comparing(|left| filter.judge(&view, left)));
        match judged {
            Ok(false) => return Ok(Verdict::Fails),
            Err(OutOfWork) if suffices => return Err(too_large_to_compare(&row.id)),
            Err(OutOfWork) => return Ok(Verdict::OutOfWork),
            Ok(true) => {}
        }
        let sort_key = part.sort.map(|sort| sort.key(&view)).or(absent);
        Ok(Verdict::Passes(Box::new(Hit { scope: part.index, sort_key, row })))
    }
}

/// What became of one resource.
enum Verdict {
    Passes(Box<Hit>),
    Fails,
    /// The comparisons that the request may make did not suffice.
    OutOfWork,
}

/// 400 for a query of which a request cannot even do a part.
fn too_much() -> Error {
    Error::new(
        ErrorKind::TooMany,
        "The filter has to read or compare more than a request may; compare fewer values, or send \
        a query for some of them at a time.",
    )
}

fn too_many(resource_type: &ServedType, most: usize, sorts: bool, of_many: bool) -> Error {
    let way = if sorts { "omit sortBy" } else { "page by cursor (cursor= in place of startIndex)" };
    let why = match of_many {
        true => format!(
            "So many resources have this value that the query would have to look at more than a \
            request may; {way}."
        ),
        false => {
            let most = most.min(MAX_SCANNED);
            let indexed: Vec<String> =
                resource_type.indexed.iter().map(|name| format!("{name} eq")).collect();
            format!(
                "This query would have to look at more than {most} resources, or to read or \
                compare more than a request may; {way}, or join the filter by and with one of: \
                {}.",
                indexed.join(", ")
            )
        }
    };
    Error::new(ErrorKind::TooMany, why)
}

/// 400 for a filter that compares too much of one resource.
fn too_large_to_compare(resource: &ResourceId) -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The filter compares more values of the resource {resource} than a request may; \
            compare fewer values, or join the filter by and with one that leaves this resource \
            out."
        ),
    )
}
