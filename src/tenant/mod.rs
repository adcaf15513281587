//! Who the customer is: a tenant with its profile, and the cache in front of its row.

pub mod profile;
mod types;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use scim_core::{Additions, Error, ErrorKind};

use crate::clock::Clock;
use crate::store::keys::TenantCode;
use crate::store::tenants::TenantRow;
use crate::store::{Kind, Store, StoreError, TenantKey};
pub use profile::{Profile, Wrong};
pub use types::{Type, Types};

/// How long a tenant's row is believed, in seconds.
const FRESH: i64 = 60;
/// How long a code without tenant is remembered, in seconds.
const UNKNOWN_FRESH: i64 = 30;
/// Most codes remembered; when it is reached, the cache starts anew.
const MOST: usize = 10_000;

/// A customer of the team that runs this service, with one identity provider.
#[derive(Debug)]
pub struct Tenant {
    row: TenantRow,
    /// How the service behaves for this tenant.
    pub profile: Profile,
    /// The resource types it has.
    pub types: Arc<Types>,
    unfinished: AtomicBool,
}

impl Tenant {
    /// The door to the tenant's rows.
    pub fn key(&self) -> TenantKey {
        self.row.key()
    }

    /// Its code.
    pub fn code(&self) -> &TenantCode {
        self.row.code()
    }

    /// The path under which it is served, if it has one of its own.
    pub fn base_path(&self) -> Option<&str> {
        self.profile.address.path()
    }

    /// Its base URL in a deployment whose own is `deployment`.
    pub fn base_url<'a>(&'a self, deployment: &'a str) -> Cow<'a, str> {
        self.profile.address.url(deployment)
    }

    /// Whether resources of a type are served at all.
    pub fn serves(&self, of: &Type) -> bool {
        of.kind != Kind::Group || self.profile.groups.enabled
    }

    /// Whether SCIM is switched on.
    pub fn is_enabled(&self) -> bool {
        self.row.enabled
    }

    /// Whether a good request came before.
    pub fn is_connected(&self) -> bool {
        self.row.connected.is_some()
    }

    /// Whether something may be unfinished that a write should go on with.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished.load(Ordering::Relaxed)
    }

    /// Notes whether something is unfinished, for the next requests in this process.
    pub fn set_unfinished(&self, unfinished: bool) {
        self.unfinished.store(unfinished, Ordering::Relaxed);
    }

    /// Whether visible users may expire.
    pub fn is_expiring(&self) -> bool {
        self.row.expiring
    }
}

/// A tenant, or that there is none, and when that was read, in seconds since 1970.
type Known = (Option<Arc<Tenant>>, i64);

/// Tenants by code.
#[derive(Debug)]
pub struct Tenants {
    store: Store,
    clock: Clock,
    additions: Additions,
    known: Mutex<HashMap<TenantCode, Known>>,
}

impl Tenants {
    /// The tenants in `store`, with these resource types beside User and Group.
    pub fn new(store: Store, clock: Clock, additions: &Additions) -> Self {
        Self { store, clock, additions: additions.clone(), known: Mutex::default() }
    }

    /// The tenant of a row. What was made of the same profile before is taken over.
    fn tenant(&self, row: TenantRow, before: Option<&Tenant>) -> Result<Tenant, Error> {
        if let Some(before) = before.filter(|before| before.row.profile == row.profile) {
            let (profile, types) = (before.profile.clone(), before.types.clone());
            let unfinished = AtomicBool::new(row.unfinished);
            return Ok(Tenant { row, profile, types, unfinished });
        }
        let made = Profile::read(&row.profile).and_then(|profile| {
            let types = Types::new(&profile, &self.additions)?;
            let unfinished = AtomicBool::new(row.unfinished);
            Ok(Tenant { row, profile, types: Arc::new(types), unfinished })
        });
        made.map_err(|wrong| {
            tracing::error!(%wrong, "a tenant's profile cannot be used");
            Error::unavailable("The tenant is not set up as this version expects; its operator must look.")
        })
    }

    /// The tenant with this code, at most a minute old; `None` if there is none.
    ///
    /// # Errors
    /// 503 if the store does not answer.
    pub async fn get(&self, code: &TenantCode) -> Result<Option<Arc<Tenant>>, Error> {
        let now = self.clock.seconds();
        if let Some((tenant, read)) = self.cached(code) {
            let limit = if tenant.is_some() { FRESH } else { UNKNOWN_FRESH };
            if (0..=limit).contains(&(now - read)) {
                return Ok(tenant);
            }
        }
        let row = self.store.tenant(code).await.map_err(unanswered)?;
        let before = self.cached(code).and_then(|(tenant, _)| tenant);
        let tenant = row.map(|row| self.tenant(row, before.as_deref())).transpose()?.map(Arc::new);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(code.clone(), (tenant.clone(), now));
        Ok(tenant)
    }

    fn cached(&self, code: &TenantCode) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(code).cloned()
    }

    /// Notes that the first good request of a tenant came: it is connected now. One call, once.
    ///
    /// # Errors
    /// 503 if the store does not answer.
    pub async fn connect(&self, tenant: &Tenant) -> Result<(), Error> {
        let now = self.clock.seconds();
        self.store.connect(tenant.code(), now).await.map_err(unanswered)?;
        let mut row = tenant.row.clone();
        row.connected = Some(now);
        let connected = self.tenant(row, Some(tenant))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have been read anew meanwhile.
        let same = |known: &Option<Arc<Tenant>>| {
            known.as_ref().is_some_and(|known| known.row.profile_version == tenant.row.profile_version)
        };
        if let Some((slot, _)) = known.get_mut(tenant.code()).filter(|(known, _)| same(known)) {
            *slot = Some(Arc::new(connected));
        }
        Ok(())
    }
}

/// The store's failure as a client may hear of it; its words go to the log.
pub(crate) fn unanswered(error: StoreError) -> Error {
    match &error {
        StoreError::Unavailable(_) => tracing::warn!(%error, "store"),
        StoreError::Broken(_) => tracing::error!(%error, "store"),
        StoreError::Spent => tracing::info!(%error, "store"),
    }
    match error {
        StoreError::Unavailable(_) => {
            Error::unavailable("The directory does not answer right now; send the request again in a moment.")
        }
        StoreError::Broken(_) => Error::internal("The directory is not as expected; the operator's log tells more."),
        StoreError::Spent => Error::new(
            ErrorKind::TooMany,
            "The request would read more than one request may; ask for fewer resources by count, for fewer attributes, \
             or for one member by members.value eq.",
        ),
    }
}
