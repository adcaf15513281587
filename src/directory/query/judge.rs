//! Judges resources by the filter, a chunk at a time.

use scim_core::{Error, ErrorKind, OutOfWork, ResourceId, SortKey};

use super::facts::Facts;
use super::gather::{Part, Selection, Stop};
use super::lookup::LookedUp;
use super::need::{CHUNK, Need};
use super::page::Sink;
use super::position::Hit;
use super::source::{Next, Source};
use crate::budget::{self, MAX_COMPARISONS_OF_A_RESOURCE};
use crate::directory::context::{Call, Directory};
use crate::directory::price::Price;
use crate::directory::stint::Stint;
use crate::store::{CALLS_OF_A_PAGE, Listed, UNITS_OF_A_PAGE};

/// The work of judging a member of a group, expressed in bytes of documents.
const BYTES_OF_A_MEMBER: usize = 100;

/// What is needed to judge the resources of a type, and the progress so far.
struct Judging<'a> {
    call: Call<'a>,
    part: Part<'a>,
    need: Need,
    found: Option<&'a LookedUp>,
    /// Maximum number of resources that a request judges in a walk.
    most: usize,
    judged: usize,
    /// The key of the last resource that was judged.
    last: Option<String>,
    stint: Stint,
}

/// What happened to one resource.
enum Verdict {
    Passes(Box<Hit>),
    Fails,
    /// The request does not have enough comparisons left to decide.
    OutOfWork,
}

impl Directory {
    /// Judges all resources of the source, in order.
    pub(super) async fn judge_all(
        &self,
        call: Call<'_>,
        part: Part<'_>,
        mut source: Source<'_>,
        selection: &Selection,
        sink: &mut Sink,
    ) -> Result<Stop, Error> {
        let mut judging = Judging {
            call,
            part,
            need: part
                .filter
                .map_or(Need::Row, |filter| Need::of(&part.resource_type.kind, filter)),
            found: selection.found.as_ref(),
            most: selection.most,
            judged: 0,
            last: None,
            stint: Stint::begin(),
        };
        loop {
            let batch = match source.next().await? {
                Next::Batch(batch) => batch,
                Next::End(rest) => return Ok(Stop::End(rest)),
                Next::OutOfBudget(key) => return Ok(Stop::OutOfBudget(key)),
            };
            if let Some(stop) = self.judge_batch(&mut judging, batch, sink).await? {
                return Ok(stop);
            }
        }
    }

    async fn judge_batch(
        &self,
        judging: &mut Judging<'_>,
        batch: Vec<Listed>,
        sink: &mut Sink,
    ) -> Result<Option<Stop>, Error> {
        let mut rows = batch.into_iter();
        while !rows.as_slice().is_empty() {
            let size = judging.chunk_size(rows.as_slice(), sink);
            if size == 0 {
                return Ok(Some(judging.out_of_budget()));
            }
            let chunk = rows.by_ref().take(size).collect();
            if let Some(stop) = self.judge_chunk(judging, chunk, sink).await? {
                return Ok(Some(stop));
            }
        }
        Ok(None)
    }

    async fn judge_chunk(
        &self,
        judging: &mut Judging<'_>,
        chunk: Vec<Listed>,
        sink: &mut Sink,
    ) -> Result<Option<Stop>, Error> {
        let Judging { call, part, found, .. } = *judging;
        let refused = budget::refusals();
        let facts = self.facts(call, part.resource_type, &judging.need, &chunk, found).await;
        let mut facts = match facts {
            Err(_) if budget::refusals() > refused => return Ok(Some(judging.out_of_budget())),
            facts => facts?,
        };
        for row in chunk {
            let members = if judging.need.is_all() { row.members * BYTES_OF_A_MEMBER } else { 0 };
            let (key, bytes) = (row.key.clone(), row.bytes() + members);
            match judge(call, part, row, sink.sorts(), &mut facts)? {
                Verdict::Passes(hit) => sink.take(*hit)?,
                Verdict::Fails => {}
                Verdict::OutOfWork => return Ok(Some(judging.out_of_budget())),
            }
            if sink.is_full() {
                return Ok(Some(Stop::Full));
            }
            judging.last = Some(key);
            judging.judged += 1;
            judging.stint.add(bytes).await;
        }
        Ok(None)
    }
}

impl Judging<'_> {
    fn out_of_budget(&self) -> Stop {
        Stop::OutOfBudget(self.last.clone())
    }

    /// How many of the next resources are judged at once; 0 if the request may not judge more.
    fn chunk_size(&self, rows: &[Listed], sink: &Sink) -> usize {
        // A bucket of a large tenant holds more resources than one request may judge.
        let left = self.most.saturating_sub(self.judged);
        let room = if sink.walks() { CHUNK.min(left) } else { CHUNK };
        // One resource may need many reads. If the first ones were judged together and the budget
        // did not suffice for all of them, a walk would never make progress.
        let room = if self.need.is_all() && self.last.is_none() { 1 } else { room };
        room.min(self.affordable(rows, sink)).min(rows.len())
    }

    /// How many of these resources the request can afford to judge at once.
    fn affordable(&self, rows: &[Listed], sink: &Sink) -> usize {
        let kind = &self.part.resource_type.kind;
        let gone = if self.need.is_of_members(kind) {
            Directory::price_of_gone(self.call)
        } else {
            Price::FREE
        };
        // A walk must still be able to show what it has found; another request continues.
        let page = if sink.walks() && sink.has_found() {
            Price::new(CALLS_OF_A_PAGE, UNITS_OF_A_PAGE)
        } else {
            Price::FREE
        };
        let affordable = |count: &usize| {
            let some = rows.get(..*count).unwrap_or_default();
            let price = self.need.price(kind, some, self.found);
            let price = if price == Price::FREE { price } else { page + price };
            (gone + price).is_affordable()
        };
        (1..=CHUNK.min(rows.len())).rev().find(affordable).unwrap_or_default()
    }
}

fn judge(
    call: Call<'_>,
    part: Part<'_>,
    row: Listed,
    sorts: bool,
    facts: &mut Facts,
) -> Result<Verdict, Error> {
    // The attribute that the query sorts by may exist only in another of the queried types.
    let absent = sorts.then_some(SortKey::Absent);
    if part.filter.is_none() && part.sort.is_none() {
        return Ok(Verdict::Passes(Box::new(Hit { scope: part.index, sort_key: absent, row })));
    }
    let mut resource = row.resource()?;
    facts.add_to(call, &mut resource);
    let view = part.resource_type.definition.into_view(resource, call.base_url);
    let suffices = budget::comparisons() >= MAX_COMPARISONS_OF_A_RESOURCE;
    let judged =
        part.filter.map_or(Ok(true), |filter| budget::comparing(|left| filter.judge(&view, left)));
    match judged {
        Ok(false) => return Ok(Verdict::Fails),
        Err(OutOfWork) if suffices => return Err(too_large_to_compare(&row.id)),
        Err(OutOfWork) => return Ok(Verdict::OutOfWork),
        Ok(true) => {}
    }
    let sort_key = part.sort.map(|sort| sort.key(&view)).or(absent);
    Ok(Verdict::Passes(Box::new(Hit { scope: part.index, sort_key, row })))
}

/// 400 for a filter that compares too many values of one resource.
fn too_large_to_compare(resource: &ResourceId) -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The filter compares more values of the resource {resource} than a request may. \
            Compare fewer values, or join the filter by and with one that excludes this resource."
        ),
    )
}
