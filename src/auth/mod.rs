//! Who is calling: from an `Authorization` header to an authenticated tenant, or 401, or 503.
//!
//! A token's records are cached for 60 seconds, so a revoked token is refused within that
//! time. Bad tokens are cheap: their form and checksum are tested first, unknown tenants are
//! remembered, and a known tenant's secret is read at most once in 10 seconds for key ids
//! it does not hold. When Secrets Manager is down the answer is 503, never 401: an identity
//! provider takes 401 for a wrong password and stops.

pub mod records;
pub mod secrets_manager;
pub mod token;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use scim_core::{Error, ErrorKind};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::store::keys::TenantCode;
use crate::tenant::profile::Header;
use crate::tenant::{Tenant, Tenants};
use records::TokenRecord;
use secrets_manager::{Secrets, SecretsError};
use token::{KeyId, PlainToken};

/// How long records are believed without asking again, in seconds.
const FRESH: i64 = 60;
/// How long records that were good are believed while Secrets Manager is down, in seconds.
const STALE: i64 = 300;
/// How long after a look another one waits, in seconds.
const PAUSE: i64 = 10;
/// How long after a failed look another one waits while old records will do, in seconds.
const FAILED_PAUSE: i64 = 2;

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
    entries: Mutex<HashMap<TenantCode, Arc<Mutex<Entry>>>>,
}

/// What is known of one tenant's tokens. Its lock is held over a look, so one is in flight at most.
#[derive(Debug, Default)]
struct Entry {
    records: Vec<TokenRecord>,
    /// When the records were read, in seconds since 1970.
    read: Option<i64>,
    /// When Secrets Manager was last asked.
    asked: Option<i64>,
    /// Whether it failed to answer then.
    failed: bool,
    /// Key ids whose tokens were verified against these records.
    verified: HashSet<String>,
}

impl Verifier {
    /// A verifier with empty caches.
    pub fn new(secrets: Secrets, tenants: Arc<Tenants>, clock: Clock) -> Self {
        Self { secrets, tenants, clock, entries: Mutex::default() }
    }

    /// The caller whose token stands in these `Authorization` headers of a request to `host`.
    ///
    /// # Errors
    /// 401 if the token is not good, or not at this host; 403 if SCIM is switched off for the tenant; 503 if
    /// nobody can tell.
    pub async fn verify<'h>(
        &self,
        headers: impl Iterator<Item = &'h [u8]>,
        host: Option<&str>,
    ) -> Result<Caller, Error> {
        let (token, alone) = token::authorization(headers)?;
        let Some(tenant) = self.tenants.get(token.tenant()).await? else { return Err(refused()) };
        let entry = self.entries.lock().await.entry(token.tenant().clone()).or_default().clone();
        let mut entry = entry.lock().await;
        self.check(&mut entry, &token).await?;
        drop(entry);
        // Only who has a good token learns more than that it is not accepted.
        if alone && tenant.profile.dialect.header == Header::Bearer {
            return Err(Error::new(ErrorKind::Unauthorized, token::NO_SCHEME));
        }
        let here = |bound: &String| host.is_some_and(|host| name_of(host).eq_ignore_ascii_case(bound));
        if tenant.profile.address.host.as_ref().is_some_and(|bound| !here(bound)) {
            return Err(refused());
        }
        if !tenant.is_enabled() {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "SCIM is switched off for this tenant; nothing was changed. The service provider's operator can \
                 switch it on.",
            ));
        }
        Ok(Caller { tenant, key_id: token.key_id().clone() })
    }

    /// Makes the caller's tenant connected, if this was its first good request. That it was is no matter of
    /// the answer: what fails is tried again with the next one.
    pub async fn connect(&self, caller: &Caller) {
        if !caller.tenant.is_connected()
            && let Err(error) = self.tenants.connect(&caller.tenant).await
        {
            tracing::warn!(%error, "a connection could not be noted");
        }
    }

    async fn check(&self, entry: &mut Entry, token: &PlainToken) -> Result<(), Error> {
        let now = self.clock.seconds();
        // A clock that ran back makes nothing fresh.
        let age = entry.read.map_or(i64::MAX, |read| if read <= now { now - read } else { i64::MAX });
        let since_asked = entry.asked.map_or(i64::MAX, |asked| (now - asked).max(0));
        let fresh = age <= FRESH;
        let known = entry.records.iter().any(|record| record.is(token.key_id()));
        if fresh && known {
            return entry.judge(token, now);
        }
        let usable = known && age <= STALE && entry.verified.contains(token.key_id().as_str());
        let just_asked = since_asked < if fresh { PAUSE } else { FAILED_PAUSE };
        if just_asked && entry.failed {
            return if usable { entry.judge(token, now) } else { Err(unknown()) };
        }
        if just_asked && fresh {
            return entry.judge(token, now);
        }
        entry.asked = Some(now);
        let answer = self.secrets.records(token.tenant()).await;
        entry.failed = answer.is_err();
        match answer {
            Ok(records) => {
                // Who was verified against a record that stayed the same still is.
                let kept = |kid: &String| {
                    let of = |records: &[TokenRecord]| records.iter().find(|record| record.kid == *kid).cloned();
                    of(&records) == of(&entry.records)
                };
                entry.verified.retain(kept);
                entry.records = records;
                entry.read = Some(now);
                entry.judge(token, now)
            }
            Err(error) => {
                match &error {
                    SecretsError::Unavailable(_) | SecretsError::Changed => {
                        tracing::warn!(tenant = %token.tenant(), %error, "token store")
                    }
                    SecretsError::Garbage(_) => tracing::error!(tenant = %token.tenant(), %error, "token store"),
                }
                if usable { entry.judge(token, now) } else { Err(unknown()) }
            }
        }
    }
}

impl Entry {
    fn judge(&mut self, token: &PlainToken, now: i64) -> Result<(), Error> {
        let admitted = self.records.iter().any(|record| record.is(token.key_id()) && record.admits(token, now));
        if !admitted {
            return Err(refused());
        }
        self.verified.insert(token.key_id().as_str().to_owned());
        Ok(())
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
