//! Queries: by index where one answers, by a bounded look at all users where none does.

use std::collections::BTreeMap;

use scim_core::filter::Equality;
use scim_core::{Error, ErrorKind, Filter, Query, Resource, ResourceId};

use super::{Call, Directory};
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
        let candidates = match filter.equalities() {
            Some(equalities) if equalities.len() <= MOST_LOOKUPS => self.look_up(call, equalities).await?,
            _ => self.store.all_users(&key, MOST_SCANNED, now).await.map_err(unanswered)?.ok_or_else(|| {
                Error::new(
                    ErrorKind::TooMany,
                    format!(
                        "This filter would have to look at more than {MOST_SCANNED} users; add and userName eq, \
                         externalId eq, emails.value eq or id eq."
                    ),
                )
            })?,
        };
        let users = candidates.into_iter().map(|user| user.resource);
        let matching: Vec<_> = users.filter(|user| filter.matches(&self.users.view(user, base_url))).collect();
        let total = matching.len();
        Ok(Found { total, users: matching.into_iter().skip(skip).take(query.count).collect() })
    }

    async fn look_up(&self, call: Call<'_>, equalities: Vec<Equality>) -> Result<Vec<StoredUser>, Error> {
        let key = call.tenant.key();
        let now = self.clock.seconds();
        let mut found = BTreeMap::new();
        for Equality { attribute, value } in equalities {
            let users = match attribute {
                "userName" => self.store.user_by_name(&key, &value, now).await.map(Vec::from_iter),
                "externalId" => self.store.users_by_external_id(&key, &value, now).await,
                "emails.value" => self.store.users_by_email(&key, &value, now).await,
                _ => match value.parse::<ResourceId>() {
                    Ok(id) => self.store.user(&key, &id, now).await.map(Vec::from_iter),
                    Err(()) => Ok(Vec::new()),
                },
            };
            let users = users.map_err(unanswered)?.into_iter().filter(|user| user.is_visible(now));
            found.extend(users.map(|user| (user.resource.id.clone(), user)));
        }
        Ok(found.into_values().collect())
    }
}
