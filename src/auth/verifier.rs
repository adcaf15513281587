//! Verifies the token of a request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use scim_core::{Error, ErrorKind};

use super::authorization::{self, NO_SCHEME, NOT_ACCEPTED, Scheme};
use super::decision::Decision;
use super::knowledge::Knowledge;
use super::secrets_manager::{Secrets, SecretsError};
use super::token::{KeyId, PlainToken};
use crate::clock::Clock;
use crate::store::TenantCode;
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
    knowledge: Mutex<HashMap<TenantCode, Arc<Knowledge>>>,
}

impl Verifier {
    /// A verifier with empty caches.
    pub fn new(secrets: Secrets, tenants: Arc<Tenants>, clock: Clock) -> Self {
        Self { secrets, tenants, clock, knowledge: Mutex::default() }
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
        let Some(tenant) = self.tenants.get(token.tenant()).await? else { return Err(refused()) };
        self.check(&self.knowledge(token.tenant()), &token).await?;
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

    fn knowledge(&self, tenant: &TenantCode) -> Arc<Knowledge> {
        let mut all = self.knowledge.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Knowledge::new(self.clock.milliseconds()));
        all.entry(tenant.clone()).or_insert_with(new).clone()
    }

    /// Judges a token, after a lookup if it needs one.
    async fn check(&self, knowledge: &Knowledge, token: &PlainToken) -> Result<(), Error> {
        let came = knowledge.lookups();
        let decide = || knowledge.decide(token, came, self.clock.milliseconds());
        let first = decide();
        if first != Decision::Ask {
            return self.conclude(knowledge, token, first);
        }
        let _only = knowledge.lookup.lock().await;
        // Another request may have looked up the token while this one waited.
        let second = decide();
        if second != Decision::Ask {
            return self.conclude(knowledge, token, second);
        }
        self.look_up(knowledge, token).await;
        self.conclude(knowledge, token, decide())
    }

    /// Asks Secrets Manager for the tenant's records.
    async fn look_up(&self, knowledge: &Knowledge, token: &PlainToken) {
        let lookup = knowledge.begin_lookup(token, self.clock.milliseconds());
        match self.secrets.records(token.tenant()).await {
            Ok(records) => knowledge.take(lookup, records),
            Err(error) => {
                match &error {
                    SecretsError::Unavailable(_) | SecretsError::Changed => {
                        tracing::warn!(tenant = %token.tenant(), %error, "token store")
                    }
                    SecretsError::Malformed(_) => {
                        tracing::error!(tenant = %token.tenant(), %error, "token store")
                    }
                }
                knowledge.note_failure(self.clock.milliseconds());
            }
        }
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
