//! Who the customer is: a tenant with its profile, and the cache in front of its row.

mod profile;
mod types;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use scim_core::resource_types::Unusable;
use scim_core::{Additions, Error};

use crate::clock::Clock;
use crate::store::keys::TenantCode;
use crate::store::tenants::TenantRow;
use crate::store::{Store, StoreError, TenantKey};
pub use profile::Profile;
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
}

impl Tenant {
    /// The door to the tenant's rows.
    pub fn key(&self) -> TenantKey {
        self.row.key()
    }

    /// The base URL of the tenant's own, if it has one.
    pub fn base_url(&self) -> Option<&str> {
        self.row.base_url.as_deref()
    }
}

/// A tenant, or that there is none, and when that was read, in seconds since 1970.
type Known = (Option<Arc<Tenant>>, i64);

/// Tenants by code.
#[derive(Debug)]
pub struct Tenants {
    store: Store,
    clock: Clock,
    /// The resource types of each profile.
    types: Vec<(Profile, Arc<Types>)>,
    known: Mutex<HashMap<TenantCode, Known>>,
}

impl Tenants {
    /// The tenants in `store`, with these resource types beside User and Group.
    ///
    /// # Errors
    /// Never, while the schema files are well formed and the additions were read by
    /// [`Additions::parse`].
    pub fn new(store: Store, clock: Clock, additions: &Additions) -> Result<Self, Unusable> {
        let types = Profile::ALL.into_iter().map(|profile| {
            let types = Types::new(profile.dialect, additions)?;
            Ok((profile, Arc::new(types)))
        });
        Ok(Self { store, clock, types: types.collect::<Result<_, Unusable>>()?, known: Mutex::default() })
    }

    fn tenant(&self, row: TenantRow) -> Option<Tenant> {
        let profile = Profile::named(&row.profile);
        let (_, types) = self.types.iter().find(|(of, _)| *of == profile)?;
        Some(Tenant { row, profile, types: types.clone() })
    }

    /// The tenant with this code, at most a minute old; `None` if there is none.
    ///
    /// # Errors
    /// 503 if the store does not answer.
    pub async fn get(&self, code: &TenantCode) -> Result<Option<Arc<Tenant>>, Error> {
        let now = self.clock.seconds();
        if let Some((tenant, read)) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(code) {
            let limit = if tenant.is_some() { FRESH } else { UNKNOWN_FRESH };
            if (0..=limit).contains(&(now - read)) {
                return Ok(tenant.clone());
            }
        }
        let row = self.store.tenant(code).await.map_err(unanswered)?;
        let tenant = row.and_then(|row| self.tenant(row)).map(Arc::new);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(code.clone(), (tenant.clone(), now));
        Ok(tenant)
    }
}

/// The store's failure as a client may hear of it; its words go to the log.
pub(crate) fn unanswered(error: StoreError) -> Error {
    match &error {
        StoreError::Unavailable(_) => tracing::warn!(%error, "store"),
        StoreError::Broken(_) => tracing::error!(%error, "store"),
    }
    match error {
        StoreError::Unavailable(_) => {
            Error::unavailable("The directory does not answer right now; send the request again in a moment.")
        }
        StoreError::Broken(_) => Error::internal("The directory is not as expected; the operator's log tells more."),
    }
}
