//! A tenant with its profile, and the cache in front of its row.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scim_core::Additions;

use super::cache::Cache;
use super::failure::TenantError;
use super::profile::{Profile, ServedType, ServedTypes};
use crate::clock::Clock;
use crate::store::{Kind, SecretNumber, Store, TenantCode, TenantKey, TenantRow};

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

    /// The operator's name for it.
    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// The customer, if the operator named one.
    pub fn customer(&self) -> Option<&str> {
        self.row.customer.as_deref()
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

    /// The secret that holds the digests of its tokens, if one was ever minted.
    pub fn secret(&self) -> Option<SecretNumber> {
        self.row.secret
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

/// A tenant with the read that found it.
#[derive(Debug)]
struct Known {
    tenant: Arc<Tenant>,
    /// When the read began, in seconds since 1970.
    read: i64,
    /// The number of the read.
    number: u64,
}

/// Tenants by code.
#[derive(Debug)]
pub struct Tenants {
    store: Store,
    clock: Clock,
    additions: Additions,
    known: Mutex<Cache<TenantCode, Known>>,
    /// Codes without a tenant, and when they were looked up, in seconds since 1970. They have a
    /// cache of their own because anyone can invent them: a flood of them must not displace the
    /// tenants.
    unknown: Mutex<Cache<TenantCode, i64>>,
    /// How many reads of rows have begun.
    reads: AtomicU64,
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
        let reads = AtomicU64::new(0);
        Self { store, clock, additions: additions.clone(), known, unknown, reads }
    }

    /// The tenant of a row. Tenants with the same profile share what was built from it.
    fn tenant(&self, row: TenantRow, before: Option<&Tenant>) -> Result<Tenant, TenantError> {
        let (profile, types) = match before.filter(|before| before.row.profile == row.profile) {
            Some(before) => (before.profile.clone(), before.types.clone()),
            None => self.read_profile(&row)?,
        };
        let unfinished = AtomicBool::new(row.unfinished);
        Ok(Tenant { row, profile, types, unfinished })
    }

    fn read_profile(&self, row: &TenantRow) -> Result<(Profile, Arc<ServedTypes>), TenantError> {
        let read = Profile::read(&row.profile).and_then(|profile| {
            let types = ServedTypes::new(&profile, &self.additions)?;
            Ok((profile, Arc::new(types)))
        });
        read.map_err(|wrong| {
            tracing::error!(%wrong, "a tenant's profile cannot be used");
            TenantError::Profile(wrong)
        })
    }

    /// The tenant with this code, read at most a minute ago; `None` if the code has no tenant.
    ///
    /// # Errors
    /// [`TenantError`].
    pub async fn get(&self, code: &TenantCode) -> Result<Option<Arc<Tenant>>, TenantError> {
        let now = self.clock.seconds();
        // After the clock ran back, nothing is fresh.
        let fresh = |read: i64, limit: Duration| {
            u64::try_from(now - read).is_ok_and(|age| Duration::from_secs(age) < limit)
        };
        if let Some(known) =
            locked(&self.known).get(code).filter(|known| fresh(known.read, CACHE_TTL))
        {
            return Ok(Some(known.tenant.clone()));
        }
        if locked(&self.unknown).get(code).is_some_and(|read| fresh(*read, UNKNOWN_TTL)) {
            return Ok(None);
        }
        self.read(code).await
    }

    /// How many reads of rows have begun. One that begins later finds all that is written now.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    /// The tenant with this code, from a read of its row that is not among the first `reads`.
    ///
    /// # Errors
    /// [`TenantError`].
    pub async fn read_after(
        &self,
        code: &TenantCode,
        reads: u64,
    ) -> Result<Option<Arc<Tenant>>, TenantError> {
        if let Some(known) = locked(&self.known).get(code).filter(|known| known.number > reads) {
            return Ok(Some(known.tenant.clone()));
        }
        self.read(code).await
    }

    async fn read(&self, code: &TenantCode) -> Result<Option<Arc<Tenant>>, TenantError> {
        let read = self.clock.seconds();
        let number = self.reads.fetch_add(1, Ordering::SeqCst) + 1;
        let Some(row) = self.store.tenant(code).await? else {
            locked(&self.unknown).insert(code.clone(), read);
            return Ok(None);
        };
        let before = locked(&self.known).get(code).map(|before| before.tenant.clone());
        let tenant = Arc::new(self.tenant(row, before.as_deref())?);
        let mut known = locked(&self.known);
        // A slow read must not hide what a later one has found.
        if let Some(later) = known.get(code).filter(|known| known.number > number) {
            return Ok(Some(later.tenant.clone()));
        }
        known.insert(code.clone(), Known { tenant: tenant.clone(), read, number });
        Ok(Some(tenant))
    }

    /// Records that a tenant has sent its first request with a valid token: it is now connected.
    /// This takes one call, once.
    ///
    /// # Errors
    /// [`TenantError`].
    pub async fn connect(&self, tenant: &Tenant) -> Result<(), TenantError> {
        let now = self.clock.seconds();
        self.store.connect(tenant.code(), now).await?;
        // The tenant may have been read again in the meantime.
        if let Some(known) = locked(&self.known).get_mut(tenant.code()) {
            let mut row = known.tenant.row.clone();
            row.connected = Some(now);
            row.unfinished = known.tenant.is_unfinished();
            known.tenant = Arc::new(self.tenant(row, Some(&known.tenant))?);
        }
        Ok(())
    }

    /// Records the hour in which a token of the tenant was accepted, unless the table has a later
    /// one.
    ///
    /// # Errors
    /// [`TenantError`].
    pub async fn note_token_use(
        &self,
        tenant: &Tenant,
        key_id: &str,
        hour: i64,
    ) -> Result<(), TenantError> {
        self.store.note_token_use(&tenant.key(), key_id, hour).await?;
        Ok(())
    }
}

fn locked<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
