//! The resources of a page, as they are sent.

use std::collections::BTreeSet;
use std::iter::Peekable;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::{Error, ErrorKind, ResourceId};
use serde_json::value::RawValue;

use super::need::UNITS_OF_NAMES;
use super::page::Page;
use super::position::{Hit, Position};
use super::search::Scope;
use crate::budget::{self, ROW_UNITS};
use crate::directory::context::{Call, Directory};
use crate::directory::groups::expand::{self, Beyond, View};
use crate::directory::limits::{MAX_ANSWER_BYTES, MAX_MEMBERS_SHOWN};
use crate::directory::price::Price;
use crate::directory::size::sent_bytes;
use crate::directory::stint::Stint;

/// How many resources are read in parallel.
const CONCURRENCY: usize = 8;

/// A matching resource with what was read beyond its row.
struct Read<'s> {
    scope: &'s Scope<'s>,
    hit: Hit,
    beyond: Beyond,
}

impl Directory {
    /// The resources of a page as they are sent, and the position of the last one. The page ends
    /// early if the answer is full, or if the request may not read more.
    pub(super) async fn represent(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        page: &mut Page,
    ) -> Result<(Vec<Box<RawValue>>, Option<Position>), Error> {
        let (mut resources, mut last, mut bytes) = (Vec::with_capacity(page.hits.len()), None, 0);
        let mut hits = std::mem::take(&mut page.hits).into_iter().peekable();
        while hits.peek().is_some() {
            let mut chunk = affordable(call, scopes, &mut hits);
            if resources.is_empty() && chunk.is_empty() {
                // A page shows at least one resource, unless the reads for it are refused.
                chunk.extend(hits.next());
            }
            let (asked, refused, room) =
                (chunk.len(), budget::refusals(), MAX_ANSWER_BYTES.saturating_sub(bytes));
            let shown = match self.represent_chunk(call, scopes, chunk, room).await {
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
                break;
            }
        }
        Ok((resources, last))
    }

    /// Some resources as they are sent, with what they show beyond their rows. It may return fewer
    /// than asked for: only as many as fit in `room` bytes, and only those for which the names of
    /// their groups can be read.
    async fn represent_chunk(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        hits: Vec<Hit>,
        room: usize,
    ) -> Result<Vec<(Position, Box<RawValue>)>, Error> {
        let mut read = self.read_beyond(call, scopes, hits).await?;
        let mut groups = groups_of(&read);
        while read.len() > 1 && !affordable_names(groups.len()) {
            read.pop();
            groups = groups_of(&read);
        }
        let names = self.group_names(call, &groups).await?;
        let (mut represented, mut bytes, mut stint) =
            (Vec::with_capacity(read.len()), 0, Stint::begin());
        for Read { scope: Scope { resource_type, projection }, hit, beyond } in read {
            let position = hit.position();
            let resource = hit.row.into_resource()?;
            let expanded = beyond.complete(call, resource, &names, projection)?;
            let resource = expanded.require_members()?.resource;
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

    /// Reads what these resources show beyond their rows.
    async fn read_beyond<'s>(
        &self,
        call: Call<'_>,
        scopes: &'s [Scope<'s>],
        hits: Vec<Hit>,
    ) -> Result<Vec<Read<'s>>, Error> {
        let each = stream::iter(hits).map(|hit| async move {
            let Some(scope) = scopes.get(hit.scope) else { return Ok(None) };
            let view = View { projection: &scope.projection, members: MAX_MEMBERS_SHOWN };
            let beyond =
                self.beyond(call, scope.resource_type, &hit.row.id, hit.row.members, view).await?;
            Ok::<_, Error>(Some(Read { scope, hit, beyond }))
        });
        each.buffered(CONCURRENCY).try_filter_map(async |read| Ok(read)).try_collect().await
    }
}

/// The groups that these resources show.
fn groups_of(read: &[Read<'_>]) -> BTreeSet<ResourceId> {
    read.iter().flat_map(|read| read.beyond.groups()).cloned().collect()
}

/// The next resources that the request can afford to show.
fn affordable(
    call: Call<'_>,
    scopes: &[Scope<'_>],
    hits: &mut Peekable<std::vec::IntoIter<Hit>>,
) -> Vec<Hit> {
    let (mut chunk, mut sum) = (Vec::with_capacity(CONCURRENCY), Directory::price_of_gone(call));
    while let Some(hit) = hits.peek().filter(|_| chunk.len() < CONCURRENCY) {
        let price = scopes
            .get(hit.scope)
            .map(|scope| expand::price(scope.resource_type, hit.row.members, &scope.projection));
        let price = price.unwrap_or_default();
        sum = sum + price;
        if price != Price::FREE && !sum.is_affordable() {
            break;
        }
        chunk.extend(hits.next());
    }
    chunk
}

/// Whether the request can afford to read the names of this number of groups.
fn affordable_names(groups: usize) -> bool {
    let units = (groups * ROW_UNITS as usize).min(groups + UNITS_OF_NAMES);
    Price::new(groups.div_ceil(16), units).is_affordable()
}

pub(super) fn too_much_to_read() -> Error {
    Error::new(
        ErrorKind::TooMany,
        "Showing these resources takes more reads than one request may make. Ask for fewer \
        attributes, or for fewer resources by count.",
    )
}
