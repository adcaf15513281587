//! Queries: by index where one answers, by a bounded look at all users where none does.

use std::collections::BTreeMap;

use scim_core::filter::Equality;
use scim_core::{Error, ErrorKind, Filter, Query, Resource, ResourceId, ResourceType};

use super::{Call, Directory};
use crate::store::PageRoom;
use crate::store::users::StoredUser;
use crate::tenant::unanswered;

/// Most users that a filter without index is evaluated on.
const MOST_SCANNED: usize = 5_000;
/// Most index look-ups for one filter.
const MOST_LOOKUPS: usize = 50;

/// A page of what a query found.
#[derive(Debug)]
pub struct Found {
    /// How many users match.
    pub total: usize,
    /// The users of the page.
    pub users: Vec<Resource>,
}

impl Directory {
    /// The users that a query asks for, in the order of their ids. `base_url` is what
    /// `meta.location` is compared with.
    ///
    /// # Errors
    /// `invalidFilter`; `tooMany` if no index answers the filter and the tenant has more than
    /// 5,000 users; 503.
    pub async fn query(&self, call: Call<'_>, query: &Query, base_url: &str) -> Result<Found, Error> {
        let key = call.tenant.key();
        let now = self.clock.seconds();
        let skip = query.start_index - 1;
        let Some(filter) = &query.filter else {
            let page = self.store.users_page(&key, skip, query.count, now).await.map_err(unanswered)?;
            return Ok(Found { total: page.total, users: page.users.into_iter().map(|user| user.resource).collect() });
        };
        let filter = Filter::parse(filter, &self.users)?;
        let mut found = Matching { total: 0, page: Vec::new(), skip, count: query.count, room: PageRoom::default() };
        let indexed = match filter.equalities() {
            Some(equalities) if equalities.len() <= MOST_LOOKUPS => self.look_up(call, equalities).await?,
            _ => None,
        };
        if let Some(candidates) = indexed {
            for user in candidates {
                found.judge(user, &filter, &self.users, base_url);
            }
            return Ok(Found { total: found.total, users: found.page });
        }
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
            found.judge(user, &filter, &self.users, base_url);
        }
        Ok(Found { total: found.total, users: found.page })
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

/// The users that passed a filter so far: all are counted, those of the page are kept.
struct Matching {
    total: usize,
    page: Vec<Resource>,
    skip: usize,
    count: usize,
    room: PageRoom,
}

impl Matching {
    fn judge(&mut self, user: StoredUser, filter: &Filter<'_>, users: &ResourceType, base_url: &str) {
        if !filter.matches(&users.view(&user.resource, base_url)) {
            return;
        }
        self.total += 1;
        // A page that its bytes have closed stays closed: pages have no holes.
        let next = self.total == self.skip.saturating_add(self.page.len()).saturating_add(1);
        if next && self.page.len() < self.count && self.room.takes(&user) {
            self.page.push(user.resource);
        }
    }
}

fn too_many() -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "This filter would have to look at more than {MOST_SCANNED} users; add and userName eq, externalId eq, \
             emails.value eq or id eq."
        ),
    )
}
