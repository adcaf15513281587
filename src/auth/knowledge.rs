//! What one instance of the function knows about a tenant's record in a secret.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::decision::{Decision, Facts, Key, LookupBudget, next};
use super::records::TenantRecord;
use super::secret_copy::{Lookup, Snapshot};
use super::shared_records::RecordState;
use super::token::PlainToken;
use crate::store::{SecretNumber, TenantCode};

/// Maximum number of tokens that are remembered as not found. When it is reached, all of them are
/// forgotten.
const MAX_NOT_FOUND: usize = 128;

/// What is known about one tenant's record in one secret.
#[derive(Debug)]
pub(super) struct Knowledge {
    tenant: TenantCode,
    secret: SecretNumber,
    /// How many lookups of the secret had begun when the tenant's row was known to name it. A later
    /// one finds the record, or else it is missing.
    named_at: u64,
    cached: Mutex<Cached>,
    /// The tenant's budget, whichever secret it is in.
    budget: Arc<Mutex<LookupBudget>>,
}

#[derive(Debug, Default)]
struct Cached {
    record: TenantRecord,
    /// The lookup that read it.
    source: Option<Lookup>,
    /// The number of the last lookup whose records were considered.
    considered: u64,
    /// When the last lookup began, if the tenant's record was missing or malformed in it, in
    /// milliseconds since 1970.
    failed: Option<i64>,
    /// Key ids whose tokens were verified against this record.
    verified: HashSet<String>,
    /// Digests of tokens that a lookup did not find. Remembering the key id would not do: it could
    /// be guessed, and its token would then be refused before it is minted.
    not_found: HashSet<String>,
}

impl Knowledge {
    /// Nothing, about a tenant whose row names a secret of which `named_at` lookups have begun.
    pub(super) fn new(
        (tenant, secret): (TenantCode, SecretNumber),
        named_at: u64,
        budget: Arc<Mutex<LookupBudget>>,
    ) -> Self {
        Self { tenant, secret, named_at, cached: Mutex::default(), budget }
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do about a token. `came` is the number of lookups of the secret that had begun when
    /// it arrived.
    pub(super) fn decide(
        &self,
        snapshot: &Snapshot,
        token: &PlainToken,
        came: u64,
        now: i64,
    ) -> Decision {
        let mut cached = self.cached();
        self.consider(&mut cached, snapshot);
        // After the clock ran back, nothing is fresh.
        let since = |then: i64| u64::try_from(now - then).ok().map(Duration::from_millis);
        next(Facts {
            age: cached.source.and_then(|lookup| since(lookup.began)),
            key: cached.key(token, came),
            failed: cached.failed.max(snapshot.failed).and_then(since),
            budget: self.budget().allows(now),
        })
    }

    fn budget(&self) -> MutexGuard<'_, LookupBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the tenant's record from the secret, if it was read since. A record that is missing or
    /// malformed is a failure for this tenant only.
    fn consider(&self, cached: &mut Cached, snapshot: &Snapshot) {
        let Some((lookup, records)) = &snapshot.records else { return };
        if lookup.number <= cached.considered {
            return;
        }
        cached.considered = lookup.number;
        let problem = match records.record(&self.tenant) {
            RecordState::Good(record) => return cached.take(*lookup, record),
            RecordState::Missing => "the tenant's record is missing",
            RecordState::Malformed => "the tenant's record is not in the expected form",
        };
        // An earlier lookup may have come before the record.
        if lookup.number > self.named_at {
            tracing::error!(tenant = %self.tenant, secret = %self.secret, problem, "token store");
            cached.failed = Some(lookup.began);
        }
    }

    /// Charges a lookup for a token to the tenant's budget, if the record does not name its key id.
    pub(super) fn charge(&self, token: &PlainToken) {
        let cached = self.cached();
        if cached.source.is_some() && !cached.names(token) {
            self.budget().spend();
        }
    }

    /// Whether the record admits the token at `now`, in seconds since 1970.
    pub(super) fn admits(&self, token: &PlainToken, now: i64) -> bool {
        let mut cached = self.cached();
        let admitted = cached.record.admits(token, now);
        if admitted {
            cached.verified.insert(token.key_id().as_str().to_owned());
        } else if !cached.names(token) {
            cached.note_not_found(token);
        }
        admitted
    }
}

impl Cached {
    /// Stores the record that a lookup has read. A verified key id stays verified if its token is
    /// unchanged.
    fn take(&mut self, lookup: Lookup, record: TenantRecord) {
        let before = &self.record;
        self.verified.retain(|kid| record.tokens().get(kid) == before.tokens().get(kid));
        self.record = record;
        self.source = Some(lookup);
        self.failed = None;
    }

    /// What the record says about the key id of a token that arrived after `came` lookups had
    /// begun.
    fn key(&self, token: &PlainToken, came: u64) -> Key {
        if self.verified.contains(token.key_id().as_str()) {
            return Key::Verified;
        }
        if self.names(token) {
            return Key::Known;
        }
        let read_since = self.source.is_some_and(|lookup| lookup.number > came);
        if read_since || self.not_found.contains(&token.digest().to_text()) {
            return Key::NotFound;
        }
        Key::Unknown
    }

    /// Whether the record names the token's key id.
    fn names(&self, token: &PlainToken) -> bool {
        self.record.token(token.key_id()).is_some()
    }

    fn note_not_found(&mut self, token: &PlainToken) {
        if self.not_found.len() >= MAX_NOT_FOUND {
            self.not_found.clear();
        }
        self.not_found.insert(token.digest().to_text());
    }
}
