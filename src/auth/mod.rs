//! Who is calling: from an `Authorization` header to an authenticated tenant, or 401, or 503.
//!
//! A token's records are cached for less than 60 seconds, so a revoked token is refused within that
//! time. A key id that they do not name is looked up at once, so a new token is good when it is
//! minted. Bad tokens are cheap all the same: their form and checksum are tested first, unknown
//! tenants are remembered, and a tenant has a small budget of looks for key ids that its secret
//! does not hold. What could not be looked up is 503, never 401, and so it is when Secrets Manager
//! is down: an identity provider takes 401 for a wrong password and stops.

mod decision;
mod entry;
pub mod records;
pub mod secrets_manager;
pub mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use scim_core::{Error, ErrorKind};

use crate::clock::Clock;
use crate::store::TenantCode;
use crate::tenant::profile::Header;
use crate::tenant::{Tenant, Tenants};
use decision::Step;
use entry::Entry;
use secrets_manager::{Secrets, SecretsError};
use token::{KeyId, PlainToken};

/// One sentence for every token that is not good, so that nothing is learned from it.
pub(crate) const NOT_ACCEPTED: &str =
    "The bearer token is not accepted; paste the token that the operator issued for this tenant.";

/// A caller whose token was verified.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant the token belongs to.
    pub tenant: Arc<Tenant>,
    /// Which of its tokens.
    pub key_id: KeyId,
}

/// Verifies tokens.
#[derive(Debug)]
pub struct Verifier {
    secrets: Secrets,
    tenants: Arc<Tenants>,
    clock: Clock,
    entries: Mutex<HashMap<TenantCode, Arc<Entry>>>,
}

impl Verifier {
    /// A verifier with empty caches.
    pub fn new(secrets: Secrets, tenants: Arc<Tenants>, clock: Clock) -> Self {
        Self { secrets, tenants, clock, entries: Mutex::default() }
    }

    /// The caller whose token stands in these `Authorization` headers of a request to `host`.
    ///
    /// # Errors
    /// 401 if the token is not good, or not at this host; 403 if SCIM is switched off for the
    /// tenant; 503 if nobody can tell.
    pub async fn verify<'h>(
        &self,
        headers: impl Iterator<Item = &'h [u8]>,
        host: Option<&str>,
    ) -> Result<Caller, Error> {
        let (token, alone) = token::authorization(headers)?;
        let Some(tenant) = self.tenants.get(token.tenant()).await? else { return Err(refused()) };
        self.check(&self.entry(token.tenant()), &token).await?;
        // Only who has a good token learns more than that it is not accepted.
        if alone && tenant.profile.dialect.header == Header::Bearer {
            return Err(Error::new(ErrorKind::Unauthorized, token::NO_SCHEME));
        }
        let here =
            |bound: &String| host.is_some_and(|host| name_of(host).eq_ignore_ascii_case(bound));
        if tenant.profile.address.host.as_ref().is_some_and(|bound| !here(bound)) {
            return Err(refused());
        }
        if !tenant.is_enabled() {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "SCIM is switched off for this tenant; nothing was changed. The service \
                provider's operator can switch it on.",
            ));
        }
        Ok(Caller { tenant, key_id: token.key_id().clone() })
    }

    /// Makes the caller's tenant connected, if this was its first good request. That it was is no
    /// matter of the answer: what fails is tried again with the next one.
    pub async fn connect(&self, caller: &Caller) {
        if !caller.tenant.is_connected()
            && let Err(error) = self.tenants.connect(&caller.tenant).await
        {
            tracing::warn!(%error, "a connection could not be noted");
        }
    }

    fn entry(&self, tenant: &TenantCode) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .entry(tenant.clone())
            .or_insert_with(|| Arc::new(Entry::new(self.clock.milliseconds())))
            .clone()
    }

    /// Judges a token, after a look where that is needed.
    async fn check(&self, entry: &Entry, token: &PlainToken) -> Result<(), Error> {
        let came = entry.looks();
        let step = || entry.step(token, came, self.clock.milliseconds());
        let first = step();
        if first != Step::Ask {
            return self.conclude(entry, token, first);
        }
        let _only = entry.look.lock().await;
        // Somebody else may have looked while this one waited.
        let second = step();
        if second != Step::Ask {
            return self.conclude(entry, token, second);
        }
        self.look(entry, token).await;
        self.conclude(entry, token, step())
    }

    /// Asks Secrets Manager for the tenant's records.
    async fn look(&self, entry: &Entry, token: &PlainToken) {
        let look = entry.begin(token, self.clock.milliseconds());
        match self.secrets.records(token.tenant()).await {
            Ok(records) => entry.found(look, records),
            Err(error) => {
                match &error {
                    SecretsError::Unavailable(_) | SecretsError::Changed => {
                        tracing::warn!(tenant = %token.tenant(), %error, "token store")
                    }
                    SecretsError::Malformed(_) => {
                        tracing::error!(tenant = %token.tenant(), %error, "token store")
                    }
                }
                entry.failed(self.clock.milliseconds());
            }
        }
    }

    fn conclude(&self, entry: &Entry, token: &PlainToken, step: Step) -> Result<(), Error> {
        match step {
            Step::Judge if entry.admits(token, self.clock.seconds()) => Ok(()),
            Step::Judge => Err(refused()),
            // A look that tells nothing of this token, such as one before which the clock ran back.
            Step::Unavailable | Step::Ask => Err(unknown()),
        }
    }
}

/// The name in a Host header, which may name a port too.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn refused() -> Error {
    Error::new(ErrorKind::Unauthorized, NOT_ACCEPTED)
}

fn unknown() -> Error {
    Error::unavailable("The token cannot be checked right now; send the request again in a moment.")
}
