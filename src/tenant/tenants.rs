//! A tenant with its profile, and the cache in front of its row.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scim_core::{Additions, Error};

use super::cache::Cache;
use super::profile::{Profile, ServedType, ServedTypes};
use crate::clock::Clock;
use crate::store::{Kind, Store, TenantCode, TenantKey, TenantRow};

/// How long a tenant's row is trusted.
const CACHE_TTL: Duration = Duration::from_secs(60);
/// How long a code without a tenant is remembered.
const UNKNOWN_TTL: Duration = Duration::from_secs(30);
/// Maximum number of tenants that are remembered, and of codes without a tenant.
const MAX_REMEMBERED: usize = 10_000;

/// A customer of the team that runs this service, with one identity provider.
#[derive(Debug)]
pub struct Tenant {
    row: TenantRow,
    /// How the service behaves for this tenant.
    pub profile: Profile,
    /// The resource types it has.
    pub types: Arc<ServedTypes>,
    unfinished: AtomicBool,
}

impl Tenant {
    /// The key that gives access to the tenant's rows.
    pub fn key(&self) -> TenantKey {
        self.row.key()
    }

    /// Its code.
    pub fn code(&self) -> &TenantCode {
        self.row.code()
    }

    /// The path under which it is served, if it has its own.
    pub fn base_path(&self) -> Option<&str> {
        self.profile.address.path()
    }

    /// Its base URL; `deployment` is that of the deployment.
    pub fn base_url<'a>(&'a self, deployment: &'a str) -> Cow<'a, str> {
        self.profile.address.url(deployment)
    }

    /// Whether resources of a type are served at all.
    pub fn serves(&self, resource_type: &ServedType) -> bool {
        resource_type.kind != Kind::Group || self.profile.groups.enabled
    }

    /// Whether SCIM is switched on.
    pub fn is_enabled(&self) -> bool {
        self.row.enabled
    }

    /// Whether it has sent a request with a valid token before.
    pub fn is_connected(&self) -> bool {
        self.row.connected.is_some()
    }

    /// Whether earlier requests may have left work that a write should continue.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished.load(Ordering::Relaxed)
    }

    /// Records whether work is left, for the next requests in this process.
    pub fn set_unfinished(&self, unfinished: bool) {
        self.unfinished.store(unfinished, Ordering::Relaxed);
    }

    /// Whether users can expire while they are visible.
    pub fn is_expiring(&self) -> bool {
        self.row.expiring
    }
}

/// Tenants by code.
#[derive(Debug)]
pub struct Tenants {
    store: Store,
    clock: Clock,
    additions: Additions,
    /// Tenants, and when they were read, in seconds since 1970.
    known: Mutex<Cache<TenantCode, (Arc<Tenant>, i64)>>,
    /// Codes without a tenant, and when they were looked up, in seconds since 1970. They have a
    /// cache of their own because anyone can invent them: a flood of them must not displace the
    /// tenants.
    unknown: Mutex<Cache<TenantCode, i64>>,
}

impl Tenants {
    /// The tenants in `store`, with these resource types in addition to User and Group.
    pub fn new(store: Store, clock: Clock, additions: &Additions) -> Self {
        Self::remembering(MAX_REMEMBERED, store, clock, additions)
    }

    /// Like [`Tenants::new`]. It remembers at most `most` tenants, and as many codes without a
    /// tenant.
    pub fn remembering(most: usize, store: Store, clock: Clock, additions: &Additions) -> Self {
        let (known, unknown) =
            (Mutex::new(Cache::with_capacity(most)), Mutex::new(Cache::with_capacity(most)));
        Self { store, clock, additions: additions.clone(), known, unknown }
    }

    /// The tenant of a row. Tenants with the same profile share what was built from it.
    fn tenant(&self, row: TenantRow, before: Option<&Tenant>) -> Result<Tenant, Error> {
        let (profile, types) = match before.filter(|before| before.row.profile == row.profile) {
            Some(before) => (before.profile.clone(), before.types.clone()),
            None => self.read_profile(&row)?,
        };
        let unfinished = AtomicBool::new(row.unfinished);
        Ok(Tenant { row, profile, types, unfinished })
    }

    fn read_profile(&self, row: &TenantRow) -> Result<(Profile, Arc<ServedTypes>), Error> {
        let read = Profile::read(&row.profile).and_then(|profile| {
            let types = ServedTypes::new(&profile, &self.additions)?;
            Ok((profile, Arc::new(types)))
        });
        read.map_err(|wrong| {
            tracing::error!(%wrong, "a tenant's profile cannot be used");
            Error::unavailable(
                "This version of the service cannot use the tenant's profile; the operator must \
                 correct it.",
            )
        })
    }

    /// The tenant with this code, read at most a minute ago; `None` if the code has no tenant.
    ///
    /// # Errors
    /// 503 if the store does not answer.
    pub async fn get(&self, code: &TenantCode) -> Result<Option<Arc<Tenant>>, Error> {
        let now = self.clock.seconds();
        // After the clock ran back, nothing is fresh.
        let fresh = |read: i64, limit: Duration| {
            u64::try_from(now - read).is_ok_and(|age| Duration::from_secs(age) < limit)
        };
        let before = locked(&self.known).get(code).cloned();
        if let Some((tenant, _)) = before.as_ref().filter(|(_, read)| fresh(*read, CACHE_TTL)) {
            return Ok(Some(tenant.clone()));
        }
        if locked(&self.unknown).get(code).is_some_and(|read| fresh(*read, UNKNOWN_TTL)) {
            return Ok(None);
        }
        let Some(row) = self.store.tenant(code).await? else {
            locked(&self.unknown).insert(code.clone(), now);
            return Ok(None);
        };
        let tenant =
            Arc::new(self.tenant(row, before.as_ref().map(|(tenant, _)| tenant.as_ref()))?);
        locked(&self.known).insert(code.clone(), (tenant.clone(), now));
        Ok(Some(tenant))
    }

    /// Records that a tenant has sent its first request with a valid token: it is now connected.
    /// This takes one call, once.
    ///
    /// # Errors
    /// 503 if the store does not answer.
    pub async fn connect(&self, tenant: &Tenant) -> Result<(), Error> {
        let now = self.clock.seconds();
        self.store.connect(tenant.code(), now).await?;
        let mut row = tenant.row.clone();
        row.connected = Some(now);
        let connected = self.tenant(row, Some(tenant))?;
        // The tenant may have been read again in the meantime.
        let mut known = locked(&self.known);
        let same = |known: &Tenant| known.row.profile_version == tenant.row.profile_version;
        if let Some((slot, _)) = known.get_mut(tenant.code()).filter(|(known, _)| same(known)) {
            *slot = Arc::new(connected);
        }
        Ok(())
    }
}

fn locked<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
