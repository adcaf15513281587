//! Verifies the token of a request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scim_core::{Error, ErrorKind};

use super::authorization::{self, Scheme};
use super::decision::{Decision, MAX_STALE};
use super::knowledge::{Judgement, Knowledge};
use super::last_seen::LastSeen;
use super::secret_copy::{Lookup, SecretCopy};
use super::secrets_manager::{Secrets, SecretsError};
use super::tenant_knowledge::TenantKnowledge;
use super::token::{KeyId, PlainToken};
use crate::clock::Clock;
use crate::reason::Reason;
use crate::store::{SecretNumber, TenantCode};
use crate::telemetry::{self, Counter};
use crate::tenant::cache::Cache;
use crate::tenant::profile::Header;
use crate::tenant::{Tenant, Tenants};

/// Maximum number of tenants of which something is known, and of secrets with a copy.
const MAX_REMEMBERED: usize = 10_000;
const MAX_COPIES: usize = 1_000;
/// How often a token is judged by another secret because its tenant has moved.
const MAX_MOVES: usize = 3;

/// A caller whose token was verified.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant the token belongs to.
    pub tenant: Arc<Tenant>,
    /// The key id of that token.
    pub key_id: KeyId,
}

/// Verifies tokens.
#[derive(Debug)]
pub struct Verifier {
    secrets: Secrets,
    tenants: Arc<Tenants>,
    clock: Clock,
    copies: Mutex<Cache<SecretNumber, Arc<SecretCopy>>>,
    /// How many lookups have begun, of all secrets.
    lookups: AtomicU64,
    knowledge: Mutex<Cache<TenantCode, Arc<TenantKnowledge>>>,
    last_seen: LastSeen,
}

/// What a secret says about a token.
#[derive(Debug)]
struct Verdict {
    /// Whether the token is accepted, and the error otherwise.
    answer: Result<(), Error>,
    basis: Basis,
    /// What is known about the record that was considered.
    knowledge: Option<Arc<Knowledge>>,
}

/// How recent the tenant's row must be for a verdict to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    /// It was known when the token arrived.
    Settled,
    /// It is younger than a minute now, since the token had to wait for a lookup.
    Recent,
    /// It was read after the token arrived, since the token was not found, or the record that
    /// accepts it may have left the secret.
    Confirmed,
}

impl Verifier {
    /// A verifier with empty caches.
    pub fn new(secrets: Secrets, tenants: Arc<Tenants>, clock: Clock) -> Self {
        let copies = Mutex::new(Cache::with_capacity(MAX_COPIES));
        let knowledge = Mutex::new(Cache::with_capacity(MAX_REMEMBERED));
        let (lookups, last_seen) = (AtomicU64::new(0), LastSeen::new());
        Self { secrets, tenants, clock, copies, lookups, knowledge, last_seen }
    }

    /// The caller whose token is in these `Authorization` headers of a request to `host`. `named`
    /// becomes the tenant that the token names, even if the token is refused.
    ///
    /// # Errors
    /// 401 if the token is not valid, or not valid at this host; 503 if it cannot be checked right
    /// now.
    pub async fn verify<'h>(
        &self,
        headers: impl Iterator<Item = &'h [u8]>,
        host: Option<&str>,
        named: &mut Option<Arc<Tenant>>,
    ) -> Result<Caller, Error> {
        let (token, scheme) = authorization::read(headers)?;
        let tenant = self.owner(&token, named).await?;
        // Only the owner of a valid token learns more than "not accepted".
        let alone = scheme == Scheme::None;
        if alone && tenant.profile.dialect.header == Header::Bearer {
            return Err(Reason::SchemeMissing.error());
        }
        let here =
            |bound: &String| host.is_some_and(|host| name_of(host).eq_ignore_ascii_case(bound));
        if tenant.profile.address.host.as_ref().is_some_and(|bound| !here(bound)) {
            return Err(refused());
        }
        Ok(Caller { tenant, key_id: token.key_id().clone() })
    }

    /// Records that the caller's tenant is connected, if this was its first successful request. If
    /// that fails, it is tried again with the next request; the answer does not depend on it.
    pub async fn connect(&self, caller: &Caller) {
        if !caller.tenant.is_connected()
            && let Err(error) = self.tenants.connect(&caller.tenant).await
        {
            tracing::warn!(%error, "a connection could not be recorded");
        }
    }

    /// Records the hour in which the caller's token was accepted, once an hour. If that fails, or is
    /// dropped, a later request tries it again; the answer does not depend on it.
    pub async fn note_use(&self, caller: &Caller) {
        let Caller { tenant, key_id } = caller;
        let token = (tenant.code().clone(), key_id.clone());
        let Some(hour) = self.last_seen.due(&token, self.clock.seconds()) else { return };
        match Box::pin(self.tenants.note_token_use(tenant, key_id.as_str(), hour)).await {
            Ok(()) => self.last_seen.store(token, hour),
            Err(error) => tracing::warn!(%error, "the use of a token could not be recorded"),
        }
    }

    /// The tenant of a valid token.
    ///
    /// The tenant's row may be a minute old, and the tenant may have moved to another secret since.
    /// So the row is considered again if the verdict needs a later one, and if that names another
    /// secret, the token is judged by that.
    async fn owner(
        &self,
        token: &PlainToken,
        named: &mut Option<Arc<Tenant>>,
    ) -> Result<Arc<Tenant>, Error> {
        let (code, reads) = (token.tenant(), self.tenants.reads());
        let Some(mut tenant) = self.tenants.get(code).await? else { return Err(refused()) };
        *named = Some(tenant.clone());
        let tenant_knowledge = self.knowledge(code);
        for _ in 0..MAX_MOVES {
            let verdict = self.judge(&tenant_knowledge, tenant.secret(), token).await;
            let later = match verdict.basis {
                Basis::Settled => return verdict.answer.map(|()| tenant),
                Basis::Recent => self.tenants.get(code).await?,
                Basis::Confirmed => {
                    let _only = tenant_knowledge.row_read.lock().await;
                    self.tenants.read_after(code, reads).await?
                }
            };
            let later = later.ok_or_else(refused)?;
            if later.secret() == tenant.secret() {
                if verdict.basis == Basis::Confirmed {
                    self.confirm(&verdict, &tenant, token);
                }
                return verdict.answer.map(|()| later);
            }
            tenant = later;
        }
        Err(unknown())
    }

    /// Remembers that the tenant's row was read after the token arrived, and names the secret by
    /// which the token was judged.
    fn confirm(&self, verdict: &Verdict, tenant: &Tenant, token: &PlainToken) {
        if let (Some(knowledge), Some(secret)) = (&verdict.knowledge, tenant.secret()) {
            let is_not_found =
                verdict.answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Unauthorized);
            knowledge.confirm(token, is_not_found, &self.secrets.shared_name(secret));
        }
    }

    fn knowledge(&self, tenant: &TenantCode) -> Arc<TenantKnowledge> {
        let new = || TenantKnowledge::new(tenant.clone(), self.clock.milliseconds());
        remembered(&mut locked(&self.knowledge), tenant, new)
    }

    fn copy(&self, secret: SecretNumber) -> Arc<SecretCopy> {
        let copy = remembered(&mut locked(&self.copies), &secret, SecretCopy::default);
        copy.note_use(self.clock.milliseconds());
        copy
    }

    /// Judges a token by a secret, after a lookup if it needs one.
    async fn judge(
        &self,
        tenant: &TenantKnowledge,
        secret: Option<SecretNumber>,
        token: &PlainToken,
    ) -> Verdict {
        let Some(secret) = secret else {
            // No token was ever minted, unless the first one was minted since the row was read.
            return if tenant.spend(self.clock.milliseconds()) {
                Verdict { answer: Err(refused()), basis: Basis::Confirmed, knowledge: None }
            } else {
                Verdict { answer: Err(unknown()), basis: Basis::Settled, knowledge: None }
            };
        };
        let copy = self.copy(secret);
        let lookups_on_arrival = self.lookups.load(Ordering::SeqCst);
        let knowledge = tenant.of(secret, lookups_on_arrival);
        let decide = || {
            let now = self.clock.milliseconds();
            knowledge.decide(&copy.snapshot(), token, lookups_on_arrival, now)
        };
        let first = decide();
        if first != Decision::Ask {
            return self.conclude(knowledge, token, first, false);
        }
        let only = copy.lookup.lock().await;
        // Another request may have looked up the token while this one waited.
        let mut decision = decide();
        if decision == Decision::Ask {
            knowledge.charge(token);
            self.look_up(&copy, secret, token).await;
            decision = decide();
        }
        drop(only);
        self.conclude(knowledge, token, decision, true)
    }

    /// Asks Secrets Manager for the records of all tenants of a secret.
    async fn look_up(&self, copy: &SecretCopy, secret: SecretNumber, token: &PlainToken) {
        let number = self.lookups.fetch_add(1, Ordering::SeqCst) + 1;
        let lookup = Lookup { number, began: self.clock.milliseconds() };
        let shared = match self.secrets.shared(secret).await {
            Ok(shared) if shared.version().is_none() => {
                Err(SecretsError::Missing(self.secrets.shared_name(secret)))
            }
            shared => shared,
        };
        let now = self.clock.milliseconds();
        match shared {
            Ok(shared) => copy.take(lookup, shared.records, now),
            Err(error) => {
                log(&error, token.tenant());
                copy.note_failure(now);
            }
        }
        let unused_since = now - MAX_STALE.as_millis() as i64;
        locked(&self.copies).retain(|copy| copy.used() > unused_since);
    }

    fn conclude(
        &self,
        knowledge: Arc<Knowledge>,
        token: &PlainToken,
        decision: Decision,
        waited: bool,
    ) -> Verdict {
        let settled_unless =
            |unsettled: bool, basis| if unsettled { basis } else { Basis::Settled };
        let (answer, basis) = match decision {
            Decision::Judge => match knowledge.judge(token, self.clock.milliseconds()) {
                Judgement::Accepted { is_current: false } => (Ok(()), Basis::Confirmed),
                Judgement::Accepted { .. } => (Ok(()), settled_unless(waited, Basis::Recent)),
                Judgement::Refused { is_settled } => {
                    let basis = settled_unless(waited || !is_settled, Basis::Confirmed);
                    (Err(refused()), basis)
                }
            },
            // Ask again: the lookup says nothing about this token, for example because the clock
            // ran back before it.
            Decision::Unavailable | Decision::Ask => {
                (Err(unknown()), settled_unless(waited, Basis::Confirmed))
            }
        };
        Verdict { answer, basis, knowledge: Some(knowledge) }
    }
}

/// Logs why a secret could not be read. It is an error if it does not pass by itself.
fn log(error: &SecretsError, tenant: &TenantCode) {
    let cure = match error {
        SecretsError::Unavailable(_) | SecretsError::Changed | SecretsError::Full(_) => {
            telemetry::count(Counter::SecretsFailed, tenant.as_str());
            tracing::warn!(%tenant, %error, "token store");
            return;
        }
        SecretsError::Denied { .. } => "allow the function to read the secret and to use its key",
        SecretsError::Deleted(_) => "scimctl token list restores it",
        SecretsError::Missing(_) => "scimctl token rotate --overlap-days 0 for each of its tenants",
        SecretsError::Malformed(_) => "make an earlier version of the secret the current one",
        SecretsError::Newer(_) => "deploy the newer release",
    };
    telemetry::count_lasting(Counter::SecretsFailed, tenant.as_str());
    tracing::error!(%tenant, %error, cure, "token store");
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The value of a key, which is a new one if none is remembered.
fn remembered<K: Eq + std::hash::Hash + Clone, V>(
    cache: &mut Cache<K, Arc<V>>,
    key: &K,
    new: impl FnOnce() -> V,
) -> Arc<V> {
    if let Some(value) = cache.get(key) {
        return value.clone();
    }
    let value = Arc::new(new());
    cache.insert(key.clone(), value.clone());
    value
}

/// The name in a Host header, which may also name a port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn refused() -> Error {
    // It reveals nothing about what is wrong with the token.
    Reason::TokenRefused.error()
}

fn unknown() -> Error {
    Reason::TokenUnchecked.error()
}
