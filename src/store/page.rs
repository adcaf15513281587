//! Lists of users in the order of their ids.

use super::keys::is_claim;
use super::users::StoredUser;
use super::{Rows, Store, StoreError, TenantKey};

/// Most bytes of documents in a page: an answer must fit what Lambda may return, 6 MB with every
/// quote in it escaped.
const MAX_PAGE_BYTES: usize = 3 * 1_024 * 1_024;

/// A page of visible users.
#[derive(Debug)]
pub struct Page {
    /// Visible users of the tenant.
    pub total: usize,
    /// The users of this page: fewer than asked for at the end, or when they are large; then the last
    /// one does not fit the page any more and shows that there are others.
    pub users: Vec<StoredUser>,
}

impl Store {
    /// `count` visible users from the one at `index` (from 0) on. Two calls side by side for the
    /// first page, two in a row for any other, whatever the number of users.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn users_page(
        &self,
        tenant: &TenantKey,
        index: usize,
        count: usize,
        now: i64,
    ) -> Result<Page, StoreError> {
        if count == 0 {
            return Ok(Page { total: self.counters(tenant).await?.total(), users: Vec::new() });
        }
        if index == 0 {
            let (counters, users) = tokio::try_join!(
                self.counters(tenant),
                self.users_from(tenant, Next::From("0".into()), 0, count, now)
            )?;
            return Ok(Page { total: counters.total().max(users.len()), users });
        }
        let counters = self.counters(tenant).await?;
        let total = counters.total();
        if index >= total {
            return Ok(Page { total, users: Vec::new() });
        }
        let (from, skip) = counters.locate(index);
        Ok(Page { total, users: self.users_from(tenant, Next::From(from), skip, count, now).await? })
    }

    /// `count` visible users behind the one with this id. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn users_after(
        &self,
        tenant: &TenantKey,
        id: &str,
        count: usize,
        now: i64,
    ) -> Result<Vec<StoredUser>, StoreError> {
        self.users_from(tenant, Next::After(id.to_owned()), 0, count, now).await
    }

    /// How many visible users a tenant has. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn user_count(&self, tenant: &TenantKey) -> Result<usize, StoreError> {
        Ok(self.counters(tenant).await?.total())
    }

    /// Every visible user, one by one. For filters that no index answers.
    pub fn all_users<'a>(&'a self, tenant: &'a TenantKey, now: i64) -> UserRows<'a> {
        UserRows::new(self, tenant, Next::From("0".into()), usize::MAX / 4, now)
    }

    async fn users_from(
        &self,
        tenant: &TenantKey,
        from: Next,
        skip: usize,
        count: usize,
        now: i64,
    ) -> Result<Vec<StoredUser>, StoreError> {
        let mut rows = UserRows::new(self, tenant, from, skip + count, now);
        let mut users = Vec::with_capacity(count);
        let mut left = skip;
        let mut room = PageRoom::default();
        while users.len() < count
            && let Some(user) = rows.next().await?
        {
            if left > 0 {
                left -= 1;
                continue;
            }
            let fits = room.takes(&user);
            users.push(user);
            if !fits {
                break;
            }
        }
        Ok(users)
    }
}

/// How much more a page holds.
#[derive(Debug, Default)]
pub struct PageRoom(usize);

impl PageRoom {
    /// Whether the user still fits; the first one always does.
    pub fn takes(&mut self, user: &StoredUser) -> bool {
        let first = self.0 == 0;
        self.0 += user.bytes;
        first || self.0 <= MAX_PAGE_BYTES
    }
}

/// Visible users in key order, read as needed.
#[derive(Debug)]
pub struct UserRows<'a> {
    store: &'a Store,
    tenant: &'a TenantKey,
    now: i64,
    ready: std::vec::IntoIter<super::item::Item>,
    next: Next,
    limit: i32,
}

#[derive(Debug)]
enum Next {
    From(String),
    After(String),
    End,
}

impl<'a> UserRows<'a> {
    /// Reads about `wanted` users at once: each stands beside its claim.
    fn new(store: &'a Store, tenant: &'a TenantKey, next: Next, wanted: usize, now: i64) -> Self {
        let limit = i32::try_from(wanted.saturating_mul(2) + 2).unwrap_or(i32::MAX).min(2_000);
        Self { store, tenant, now, ready: Vec::new().into_iter(), next, limit }
    }

    /// The next user; `None` at the end.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn next(&mut self) -> Result<Option<StoredUser>, StoreError> {
        loop {
            for row in self.ready.by_ref() {
                if is_claim(row.s()) || row.is_expired(self.now) || row.text("st") != Some("live") {
                    continue;
                }
                return StoredUser::read(&row).map(Some);
            }
            let partition = self.tenant.users();
            let rows = match &self.next {
                Next::From(from) => Rows::From(&partition, from),
                Next::After(after) => Rows::After(&partition, after),
                Next::End => return Ok(None),
            };
            let (rows, last) = self.store.query(rows, Some(self.limit)).await?;
            self.ready = rows.into_iter();
            self.next = last.map_or(Next::End, Next::After);
        }
    }
}
