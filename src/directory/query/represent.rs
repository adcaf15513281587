//! The resources of a page, as they are sent.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::{Error, ErrorKind};
use serde_json::value::RawValue;

use super::facts::{self, UNITS_OF_NAMES};
use super::page::Page;
use super::position::{Hit, Position};
use super::search::Scope;
use crate::budget::{self, ROW_UNITS};
use crate::directory::context::{Call, Directory};
use crate::directory::groups::expand::{self, Beyond, Expanded, View};
use crate::directory::limits::{MAX_ANSWER_BYTES, MAX_MEMBERS_SHOWN};
use crate::directory::size::sent_bytes;
use crate::directory::stint::Stint;
use crate::tenant::unanswered;

/// How many resources are completed at a time.
const CONCURRENCY: usize = 8;

impl Directory {
    /// The resources of a page as they are sent, and the place of the last one. The page ends where
    /// the answer, or what the request may read, does.
    pub(super) async fn represent(
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
            let price = scopes.get(hit.scope).map(|scope| {
                expand::price(scope.resource_type, hit.row.members, &scope.projection)
            });
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
}

/// Whether the request can afford to read what this number of groups are called.
fn affordable_names(groups: usize) -> bool {
    let units = (groups * ROW_UNITS as usize).min(groups + UNITS_OF_NAMES);
    budget::left().suffices(groups.div_ceil(16), units)
}

pub(super) fn too_much_to_read() -> Error {
    Error::new(
        ErrorKind::TooMany,
        "What the answer would show takes more reads than a request may make; ask for fewer \
        attributes, or for fewer resources by count.",
    )
}
