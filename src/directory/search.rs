//! Queries: by index where one answers, by a bounded look at all resources where none does.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::filter_plan::Equality;
use scim_core::members::MEMBERS;
use scim_core::{Dialect, Error, ErrorKind, Filter, Interest, Projection, Query, Resource, ResourceId, Sort, SortKey};

use super::cursor::{Cursor, Walk};
use super::page::{Hit, Page, Start};
use super::whole::GROUPS;
use super::{Call, Directory, MOST_MEMBERS, Shown, Wanted};
use crate::store::{PageRoom, Stored};
use crate::tenant::{Type, unanswered};

/// Most resources that a filter without index, or a sort, looks at.
const MOST_SCANNED: usize = 5_000;
/// Most of them if the filter needs members or groups, which are other rows.
const MOST_LOADED: usize = 500;
/// Most bytes of documents that a sort holds; in memory they take several times as much.
const MOST_SORTED_BYTES: usize = 8 * 1_024 * 1_024;
/// Most members of a group that `groups.value eq` reads.
const MOST_OWNERS: usize = 1_000;
/// Most index look-ups for one filter.
const MOST_LOOKUPS: usize = 50;
/// How many resources are read, judged or completed at a time.
const SIDE_BY_SIDE: usize = 8;

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
    /// How many resources match.
    pub total: usize,
    /// The resources of the page, each with the index of its scope.
    pub resources: Vec<(usize, Resource)>,
    /// Where the walk goes on, if it pages by cursor and there is more.
    pub next_cursor: Option<String>,
}

impl Directory {
    /// The resources that a query asks for: of all scopes, in its order, or else in the order of scopes
    /// and ids.
    ///
    /// # Errors
    /// `invalidFilter`; the errors of cursors; `tooMany` if no index answers and there are more than
    /// 5,000 resources, or for a group whose members fit no answer; 503.
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
        let mut page = Page::new(start, query.page_size(), query.descending);
        if filters.is_empty() && !sorted {
            self.plain(call, scopes, &mut page).await?;
        } else {
            let mut waiting = Sorted { hits: Vec::new(), bytes: 0 };
            for (index, scope) in scopes.iter().enumerate() {
                let filter = filters.get(index);
                let sort = sorts.get(index).and_then(Option::as_ref);
                let mut take = |resource: Stored| {
                    let key = sorted.then(|| match sort {
                        Some(sort) => sort.key(&scope.of.resource.view(&resource.resource, call.base_url)),
                        None => SortKey::Absent,
                    });
                    let hit = Hit { scope: index, key, resource };
                    if sorted {
                        return waiting.push(hit);
                    }
                    page.judge(hit);
                    Ok(())
                };
                self.judge(call, scope.of, filter, &mut take).await?;
            }
            waiting.hits.sort_by(|a, b| a.compare(b, query.descending));
            waiting.hits.into_iter().for_each(|hit| page.judge(hit));
        }
        let mut room = PageRoom::default();
        let mut resources = Vec::with_capacity(page.hits.len());
        let mut last = None;
        let mut more = page.more;
        let mut each = stream::iter(std::mem::take(&mut page.hits))
            .map(|hit| async { (hit.place(), hit.scope, self.complete_hit(call, scopes, hit).await) })
            .buffered(SIDE_BY_SIDE);
        while let Some((place, scope, shown)) = each.next().await {
            let Shown { resource, .. } = shown?.whole()?;
            let size = serde_json::to_vec(resource.attributes.as_object()).map_or(0, |json| json.len());
            if !room.takes(size) {
                more = true;
                break;
            }
            last = Some(place);
            resources.push((scope, resource));
        }
        let next = last.filter(|_| more && query.cursor.is_some());
        let next = next.map(|place| Cursor::new(walk, now, place, page.total).write(&key));
        Ok(Found { total: page.total, resources, next_cursor: next })
    }

    async fn complete_hit(&self, call: Call<'_>, scopes: &[Scope<'_>], hit: Hit) -> Result<Shown, Error> {
        match scopes.get(hit.scope) {
            None => Ok(Shown { resource: hit.resource.resource, cut: false }),
            Some(Scope { of, projection }) => {
                let wanted = Wanted { projection, members: MOST_MEMBERS };
                self.complete(call, of, hit.resource.resource, wanted).await
            }
        }
    }

    /// All resources, in the order of scopes and ids.
    async fn plain(&self, call: Call<'_>, scopes: &[Scope<'_>], page: &mut Page) -> Result<(), Error> {
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
            _ => total,
        };
        Ok(())
    }

    /// Gives every resource of a type that passes the filter to `take`, in the order of their ids.
    async fn judge(
        &self,
        call: Call<'_>,
        of: &Type,
        filter: Option<&Filter<'_>>,
        take: &mut impl FnMut(Stored) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let now = self.clock.seconds();
        let at = call.collection(&of.kind);
        let indexed = match filter.and_then(|filter| filter.equalities(&of.indexed)) {
            Some(equalities) if equalities.len() <= MOST_LOOKUPS => self.look_up(call, of, equalities).await?,
            _ => None,
        };
        if let Some(candidates) = indexed {
            return self.pass(call, of, filter, candidates, take).await;
        }
        let loads = filter.is_some_and(|filter| {
            [MEMBERS, GROUPS].iter().any(|attribute| filter.interest(attribute) != Interest::None)
        });
        let most = if loads { MOST_LOADED } else { MOST_SCANNED };
        // The count costs one call; the look at all resources that it spares, hundreds.
        if self.store.count(&at).await.map_err(unanswered)? > most {
            return Err(too_many(of, most));
        }
        let mut walk = self.store.all(&at, now);
        let mut looked_at = 0;
        let mut some = Vec::new();
        loop {
            let next = walk.next().await.map_err(unanswered)?;
            let ended = next.is_none();
            some.extend(next);
            looked_at += usize::from(!ended);
            if looked_at > most {
                return Err(too_many(of, most));
            }
            if ended || some.len() >= SIDE_BY_SIDE {
                self.pass(call, of, filter, std::mem::take(&mut some), take).await?;
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Gives those of `candidates` that pass the filter to `take`, in their order.
    async fn pass(
        &self,
        call: Call<'_>,
        of: &Type,
        filter: Option<&Filter<'_>>,
        candidates: Vec<Stored>,
        take: &mut impl FnMut(Stored) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(filter) = filter else { return candidates.into_iter().try_for_each(take) };
        let mut each = stream::iter(candidates)
            .map(|candidate| async move {
                let whole = self.judgeable(call, of, &candidate.resource, filter).await?;
                let passes = filter.matches(&of.resource.view(&whole, call.base_url));
                Ok::<_, Error>(passes.then_some(candidate))
            })
            .buffered(SIDE_BY_SIDE);
        while let Some(passed) = each.try_next().await? {
            passed.map_or(Ok(()), &mut *take)?;
        }
        Ok(())
    }

    /// The resources that fulfil one of the equalities, in the order of their ids; `None` if one of them
    /// stands for too many.
    async fn look_up(
        &self,
        call: Call<'_>,
        of: &Type,
        equalities: Vec<Equality>,
    ) -> Result<Option<Vec<Stored>>, Error> {
        let at = call.collection(&of.kind);
        let now = self.clock.seconds();
        let mut found = BTreeMap::new();
        for Equality { attribute, value } in equalities {
            let id = || value.to_lowercase().parse::<ResourceId>();
            let form = || of.resource.name_form(&value);
            let some = match attribute.as_str() {
                "id" => match value.parse() {
                    Ok(id) => self.store.resource(&at, &id, now).await.map(|one| Some(Vec::from_iter(one))),
                    Err(()) => Ok(Some(Vec::new())),
                },
                "externalId" => self.store.by_external_id(&at, &value, now).await,
                "emails.value" => self.store.by_email(&at, &value, form().ok().as_deref(), now).await,
                "members.value" => match id() {
                    Ok(id) => Ok(self.groups_of(call, &id).await?),
                    Err(()) => Ok(Some(Vec::new())),
                },
                "groups.value" => match id() {
                    Ok(id) => {
                        let members = self.members(call, &id, MOST_OWNERS).await?;
                        if members.len() > MOST_OWNERS {
                            return Ok(None);
                        }
                        let ids = members.into_iter().map(|member| member.value).collect();
                        self.store.resources(&at, ids, now).await.map(Some)
                    }
                    Err(()) => Ok(Some(Vec::new())),
                },
                // A name that cannot be stored has no owner.
                _ => match form() {
                    Ok(form) => self.store.by_name(&at, &form, now).await,
                    Err(_) => Ok(Some(Vec::new())),
                },
            };
            let Some(some) = some.map_err(unanswered)? else { return Ok(None) };
            let visible = some.into_iter().filter(|resource| resource.is_visible(now));
            found.extend(visible.map(|resource| (resource.resource.id.clone(), resource)));
        }
        Ok(Some(found.into_values().collect()))
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
    let lenient = |scope: &Scope<'s>| Filter::parse(text, &scope.of.resource, Dialect::Tolerant);
    scopes.iter().zip(parsed).map(|(scope, parsed)| parsed.or_else(|_| lenient(scope))).collect()
}

/// Resources that wait for being sorted.
struct Sorted {
    hits: Vec<Hit>,
    bytes: usize,
}

impl Sorted {
    fn push(&mut self, hit: Hit) -> Result<(), Error> {
        self.bytes += hit.resource.bytes();
        if self.bytes > MOST_SORTED_BYTES {
            return Err(Error::new(ErrorKind::TooMany, "The resources are too large to be sorted; leave sortBy away."));
        }
        self.hits.push(hit);
        Ok(())
    }
}

fn too_many(of: &Type, most: usize) -> Error {
    let indexed: Vec<String> = of.indexed.iter().map(|name| format!("{name} eq")).collect();
    Error::new(
        ErrorKind::TooMany,
        format!(
            "This query would have to look at more than {most} resources of the type {}; leave sortBy away, or join the \
             filter by and with one of: {}.",
            of.resource.name,
            indexed.join(", ")
        ),
    )
}
