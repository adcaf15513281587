//! Queries: by index where one answers, by a bounded look at all users where none does.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use scim_core::filter::Equality;
use scim_core::{Error, ErrorKind, Filter, Query, Resource, ResourceId, Sort, SortKey};

use super::cursor::Cursor;
use super::{Call, Directory};
use crate::store::PageRoom;
use crate::store::users::StoredUser;
use crate::tenant::unanswered;

/// Most users that a filter without index, or a sort, looks at.
const MOST_SCANNED: usize = 5_000;
/// Most bytes of documents that a sort holds.
const MOST_SORTED_BYTES: usize = 48 * 1_024 * 1_024;
/// Most index look-ups for one filter.
const MOST_LOOKUPS: usize = 50;

/// A page of what a query found.
#[derive(Debug)]
pub struct Found {
    /// How many users match.
    pub total: usize,
    /// The users of the page.
    pub users: Vec<Resource>,
    /// Where the walk goes on, if it pages by cursor and there is more.
    pub next_cursor: Option<String>,
}

impl Directory {
    /// The users that a query asks for, in its order, or else in that of their ids. `base_url` is what
    /// `meta.location` is compared with.
    ///
    /// # Errors
    /// `invalidFilter`; the errors of cursors; `tooMany` if no index answers and the tenant has more
    /// than 5,000 users; 503.
    pub async fn query(&self, call: Call<'_>, query: &Query, base_url: &str) -> Result<Found, Error> {
        let key = call.tenant.key();
        let now = self.clock.seconds();
        let start = match query.cursor.as_deref() {
            None => Start::Index(query.start_index - 1),
            Some("") => Start::First,
            Some(text) => Start::After(Cursor::read(text, &key, query, now)?),
        };
        let filter = query
            .filter
            .as_deref()
            .map(|filter| Filter::parse(filter, &self.users, call.tenant.profile.dialect))
            .transpose()?;
        let sort = query.sort_by.as_deref().and_then(|by| Sort::new(by, query.descending, &self.users));
        let page = match (&filter, sort) {
            (None, None) => self.plain(call, start, query.page_size()).await?,
            (filter, sort) => {
                let mut page = Page::new(start, query.page_size(), sort);
                self.judge_all(call, filter.as_ref(), sort, base_url, &mut page).await?;
                page
            }
        };
        let next = page.last.filter(|_| page.more && query.cursor.is_some());
        let next = next.map(|(id, at)| Cursor::new(&key, query, now, id, at, page.total).write(&key));
        Ok(Found { total: page.total, users: page.users, next_cursor: next })
    }

    /// All users, in the order of their ids.
    async fn plain<'s>(&self, call: Call<'_>, start: Start, count: usize) -> Result<Page<'s>, Error> {
        let key = call.tenant.key();
        let now = self.clock.seconds();
        let (total, users) = match &start {
            Start::After(cursor) => {
                let users = self.store.users_after(&key, &cursor.after, count + 1, now).await.map_err(unanswered)?;
                (cursor.total, users)
            }
            Start::First => {
                let page = self.store.users_page(&key, 0, count + 1, now).await.map_err(unanswered)?;
                (page.total, page.users)
            }
            Start::Index(index) => {
                let page = self.store.users_page(&key, *index, count, now).await.map_err(unanswered)?;
                (page.total, page.users)
            }
        };
        let mut page = Page::new(Start::First, count, None);
        for user in users {
            page.judge(user, None);
        }
        page.total = total;
        Ok(page)
    }

    /// Judges every user that a filter may let pass, in the order of the query.
    async fn judge_all(
        &self,
        call: Call<'_>,
        filter: Option<&Filter<'_>>,
        sort: Option<Sort<'_>>,
        base_url: &str,
        page: &mut Page<'_>,
    ) -> Result<(), Error> {
        let key = call.tenant.key();
        let now = self.clock.seconds();
        let mut sorted = Sorted { users: Vec::new(), bytes: 0 };
        let mut take = |user: StoredUser| -> Result<(), Error> {
            let view = self.users.view(&user.resource, base_url);
            match (filter.is_none_or(|filter| filter.matches(&view)), sort) {
                (false, _) => Ok(()),
                (true, None) => {
                    page.judge(user, None);
                    Ok(())
                }
                (true, Some(sort)) => sorted.push(sort.key(&view), user),
            }
        };
        let indexed = match filter.and_then(Filter::equalities) {
            Some(equalities) if equalities.len() <= MOST_LOOKUPS => self.look_up(call, equalities).await?,
            _ => None,
        };
        if let Some(candidates) = indexed {
            candidates.into_iter().try_for_each(&mut take)?;
        } else {
            // The count costs one call; the look at all users that it spares, hundreds.
            if self.store.user_count(&key).await.map_err(unanswered)? > MOST_SCANNED {
                return Err(too_many());
            }
            let mut users = self.store.all_users(&key, now);
            let mut looked_at = 0;
            while let Some(user) = users.next().await.map_err(unanswered)? {
                looked_at += 1;
                if looked_at > MOST_SCANNED {
                    return Err(too_many());
                }
                take(user)?;
            }
        }
        if let Some(sort) = sort {
            sorted.users.sort_by(|(a, one), (b, other)| {
                sort.compare(a, b).then_with(|| one.resource.id.cmp(&other.resource.id))
            });
            for (at, user) in sorted.users {
                page.judge(user, Some(at));
            }
        }
        Ok(())
    }

    /// The users that fulfil one of the equalities, in the order of their ids; `None` if one of them
    /// stands for too many.
    async fn look_up(&self, call: Call<'_>, equalities: Vec<Equality>) -> Result<Option<Vec<StoredUser>>, Error> {
        let key = call.tenant.key();
        let now = self.clock.seconds();
        let mut found = BTreeMap::new();
        for Equality { attribute, value } in equalities {
            let users = match attribute {
                "userName" => self.store.user_by_name(&key, &value, now).await.map(|user| Some(Vec::from_iter(user))),
                "externalId" => self.store.users_by_external_id(&key, &value, now).await,
                "emails.value" => self.store.users_by_email(&key, &value, now).await,
                _ => match value.parse::<ResourceId>() {
                    Ok(id) => self.store.user(&key, &id, now).await.map(|user| Some(Vec::from_iter(user))),
                    Err(()) => Ok(Some(Vec::new())),
                },
            };
            let Some(users) = users.map_err(unanswered)? else { return Ok(None) };
            let users = users.into_iter().filter(|user| user.is_visible(now));
            found.extend(users.map(|user| (user.resource.id.clone(), user)));
        }
        Ok(Some(found.into_values().collect()))
    }
}

/// Where a page begins.
#[derive(Debug)]
enum Start {
    /// Behind so many matching users.
    Index(usize),
    /// At the first one, walking by cursor.
    First,
    After(Cursor),
}

/// A page in the making: matching users are judged in order, all are counted, some are kept.
struct Page<'s> {
    start: Start,
    sort: Option<Sort<'s>>,
    count: usize,
    total: usize,
    users: Vec<Resource>,
    room: PageRoom,
    /// The last user kept.
    last: Option<(String, Option<SortKey>)>,
    /// Whether users follow the page. Then nothing more is kept: pages have no holes.
    more: bool,
}

impl<'s> Page<'s> {
    fn new(start: Start, count: usize, sort: Option<Sort<'s>>) -> Self {
        Self { start, sort, count, total: 0, users: Vec::new(), room: PageRoom::default(), last: None, more: false }
    }

    fn judge(&mut self, user: StoredUser, at: Option<SortKey>) {
        self.total += 1;
        let begun = match &self.start {
            Start::Index(skip) => self.total > *skip,
            Start::First => true,
            Start::After(cursor) => {
                let by_key = match (&self.sort, &at, &cursor.key) {
                    (Some(sort), Some(at), Some(seen)) => sort.compare(at, seen),
                    _ => Ordering::Equal,
                };
                by_key.then_with(|| user.resource.id.as_str().cmp(&cursor.after)).is_gt()
            }
        };
        if !begun || self.more {
            return;
        }
        if self.users.len() == self.count || !self.room.takes(&user) {
            self.more = true;
            return;
        }
        self.last = Some((user.resource.id.to_string(), at));
        self.users.push(user.resource);
    }
}

/// Users that wait for being sorted.
struct Sorted {
    users: Vec<(SortKey, StoredUser)>,
    bytes: usize,
}

impl Sorted {
    fn push(&mut self, at: SortKey, user: StoredUser) -> Result<(), Error> {
        self.bytes += user.bytes();
        if self.bytes > MOST_SORTED_BYTES {
            return Err(too_many());
        }
        self.users.push((at, user));
        Ok(())
    }
}

fn too_many() -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "This query would have to look at more than {MOST_SCANNED} users; leave sortBy away, or add and userName eq, \
             externalId eq, emails.value eq or id eq to the filter."
        ),
    )
}
