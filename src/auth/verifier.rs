//! Verifies the token of a request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use scim_core::{Error, ErrorKind};

use super::authorization::{self, NO_SCHEME, NOT_ACCEPTED, Scheme};
use super::decision::Decision;
use super::knowledge::Knowledge;
use super::secret_copy::SecretCopy;
use super::secrets_manager::{Secrets, SecretsError};
use super::tenant_knowledge::TenantKnowledge;
use super::token::{KeyId, PlainToken};
use crate::clock::Clock;
use crate::store::{SecretNumber, TenantCode};
use crate::tenant::profile::Header;
use crate::tenant::{Tenant, Tenants};

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
    copies: Mutex<HashMap<SecretNumber, Arc<SecretCopy>>>,
    knowledge: Mutex<HashMap<TenantCode, Arc<TenantKnowledge>>>,
}

/// What a secret says about a token.
#[derive(Debug)]
struct Verdict {
    /// Whether the token is accepted, and the error otherwise.
    answer: Result<(), Error>,
    /// Whether the token had to wait for a lookup, its own or that of another one.
    waited: bool,
}

impl Verifier {
    /// A verifier with empty caches.
    pub fn new(secrets: Secrets, tenants: Arc<Tenants>, clock: Clock) -> Self {
        let (copies, knowledge) = (Mutex::default(), Mutex::default());
        Self { secrets, tenants, clock, copies, knowledge }
    }

    /// The caller whose token is in these `Authorization` headers of a request to `host`.
    ///
    /// # Errors
    /// 401 if the token is not valid, or not valid at this host; 403 if SCIM is switched off for
    /// the tenant; 503 if the token cannot be checked right now.
    pub async fn verify<'h>(
        &self,
        headers: impl Iterator<Item = &'h [u8]>,
        host: Option<&str>,
    ) -> Result<Caller, Error> {
        let (token, scheme) = authorization::read(headers)?;
        let tenant = self.owner(&token).await?;
        // Only the owner of a valid token learns more than "not accepted".
        let alone = scheme == Scheme::None;
        if alone && tenant.profile.dialect.header == Header::Bearer {
            return Err(Error::new(ErrorKind::Unauthorized, NO_SCHEME));
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

    /// Records that the caller's tenant is connected, if this was its first successful request. If
    /// that fails, it is tried again with the next request; the answer does not depend on it.
    pub async fn connect(&self, caller: &Caller) {
        if !caller.tenant.is_connected()
            && let Err(error) = self.tenants.connect(&caller.tenant).await
        {
            tracing::warn!(%error, "a connection could not be recorded");
        }
    }

    /// The tenant of a valid token.
    ///
    /// The tenant's row may be a minute old, and the tenant may have moved to another secret since.
    /// So if the token had to wait, the row is considered again: a recent one if the token was
    /// found, and otherwise one that is read after the token arrived, since the token may have been
    /// minted in the other secret.
    async fn owner(&self, token: &PlainToken) -> Result<Arc<Tenant>, Error> {
        let (code, reads) = (token.tenant(), self.tenants.reads());
        let Some(tenant) = self.tenants.get(code).await? else { return Err(refused()) };
        let knowledge = self.knowledge(code);
        let verdict = self.judge(&knowledge, tenant.secret(), token).await;
        if !verdict.waited {
            return verdict.answer.map(|()| tenant);
        }
        let now = if verdict.answer.is_ok() {
            self.tenants.get(code).await?
        } else {
            let _only = knowledge.row.lock().await;
            self.tenants.read_after(code, reads).await?
        };
        let now = now.ok_or_else(refused)?;
        let answer = if now.secret() == tenant.secret() {
            verdict.answer
        } else {
            self.judge(&knowledge, now.secret(), token).await.answer
        };
        answer.map(|()| now)
    }

    fn knowledge(&self, tenant: &TenantCode) -> Arc<TenantKnowledge> {
        let mut all = self.knowledge.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(TenantKnowledge::new(tenant.clone(), self.clock.milliseconds()));
        all.entry(tenant.clone()).or_insert_with(new).clone()
    }

    fn copy(&self, secret: SecretNumber) -> Arc<SecretCopy> {
        let mut all = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(secret).or_default().clone()
    }

    /// Judges a token by a secret, after a lookup if it needs one.
    async fn judge(
        &self,
        knowledge: &TenantKnowledge,
        secret: Option<SecretNumber>,
        token: &PlainToken,
    ) -> Verdict {
        let Some(secret) = secret else {
            // No token was ever minted, unless the first one was minted since the row was read.
            let waited = knowledge.spend(self.clock.milliseconds());
            return Verdict { answer: Err(if waited { refused() } else { unknown() }), waited };
        };
        let copy = self.copy(secret);
        let came = copy.lookups();
        let knowledge = &knowledge.of(secret, came);
        let decide = || knowledge.decide(&copy.snapshot(), token, came, self.clock.milliseconds());
        let first = decide();
        if first != Decision::Ask {
            return Verdict { answer: self.conclude(knowledge, token, first), waited: false };
        }
        let _only = copy.lookup.lock().await;
        // Another request may have looked up the token while this one waited.
        let mut decision = decide();
        if decision == Decision::Ask {
            knowledge.charge(token);
            self.look_up(&copy, secret, token).await;
            decision = decide();
        }
        Verdict { answer: self.conclude(knowledge, token, decision), waited: true }
    }

    /// Asks Secrets Manager for the records of all tenants of a secret.
    async fn look_up(&self, copy: &SecretCopy, secret: SecretNumber, token: &PlainToken) {
        let lookup = copy.begin_lookup(self.clock.milliseconds());
        match self.secrets.shared(secret).await {
            Ok(shared) => copy.take(lookup, shared.records),
            Err(error) => {
                self.log(&error, token.tenant());
                copy.note_failure(self.clock.milliseconds());
            }
        }
    }

    /// Logs why a secret could not be read. It is an error if it does not pass by itself.
    fn log(&self, error: &SecretsError, tenant: &TenantCode) {
        let cure = match error {
            SecretsError::Unavailable(_) | SecretsError::Changed | SecretsError::Full(_) => {
                tracing::warn!(%tenant, %error, "token store");
                return;
            }
            SecretsError::Deleted(_) => "scimctl token list restores it",
            SecretsError::Malformed(_) => "make an earlier version of the secret the current one",
            SecretsError::Newer(_) => "deploy the newer release",
        };
        tracing::error!(%tenant, %error, cure, "token store");
    }

    fn conclude(
        &self,
        knowledge: &Knowledge,
        token: &PlainToken,
        decision: Decision,
    ) -> Result<(), Error> {
        match decision {
            Decision::Judge if knowledge.admits(token, self.clock.seconds()) => Ok(()),
            Decision::Judge => Err(refused()),
            // Ask again: the lookup says nothing about this token, for example because the clock
            // ran back before it.
            Decision::Unavailable | Decision::Ask => Err(unknown()),
        }
    }
}

/// The name in a Host header, which may also name a port.
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
