//! What one instance of the function knows about a tenant's record in a secret.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::decision::{CACHE_TTL, Decision, Facts, Key, LookupBudget, next};
use super::records::TenantRecord;
use super::secret_copy::{Lookup, Snapshot};
use super::shared_records::RecordState;
use super::token::PlainToken;
use crate::store::TenantCode;
use crate::telemetry::{self, Counter};

/// Maximum number of tokens that are remembered as not found. When it is reached, all of them are
/// forgotten.
const MAX_NOT_FOUND: usize = 128;

/// What is known about one tenant's record in one secret.
#[derive(Debug)]
pub(super) struct Knowledge {
    tenant: TenantCode,
    /// How many lookups had begun when the tenant's row was known to name the secret. A later one
    /// finds the record, or else it is missing.
    lookups_when_named: u64,
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
    /// When the last lookup ended, if the tenant's record was missing or malformed in it, in
    /// milliseconds since 1970.
    failed: Option<i64>,
    /// What was wrong with the record then, until it is logged.
    problem: Option<&'static str>,
    /// Key ids whose tokens were verified against this record.
    verified: HashSet<String>,
    /// Digests of tokens that a lookup did not find, while the tenant's row named this secret.
    /// Remembering the key id would not do: it could be guessed, and its token would then be refused
    /// before it is minted.
    not_found: HashSet<String>,
}

impl Knowledge {
    /// Nothing, about a tenant whose row is known to name a secret when `lookups_when_named` lookups
    /// have begun.
    pub(super) fn new(
        tenant: TenantCode,
        lookups_when_named: u64,
        budget: Arc<Mutex<LookupBudget>>,
    ) -> Self {
        Self { tenant, lookups_when_named, cached: Mutex::default(), budget }
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do about a token. `lookups_on_arrival` is the number of lookups that had begun when
    /// it arrived.
    pub(super) fn decide(
        &self,
        snapshot: &Snapshot,
        token: &PlainToken,
        lookups_on_arrival: u64,
        now: i64,
    ) -> Decision {
        let mut cached = self.cached();
        self.consider(&mut cached, snapshot);
        next(Facts {
            age: cached.age(now),
            key: cached.key(token, lookups_on_arrival),
            failed: cached.failed.max(snapshot.failed).and_then(|failed| since(failed, now)),
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
        if lookup.number > self.lookups_when_named {
            (cached.failed, cached.problem) = (Some(snapshot.ended), Some(problem));
        }
    }

    /// Charges a lookup for a token to the tenant's budget, if the record does not name its key id.
    pub(super) fn charge(&self, token: &PlainToken) {
        let cached = self.cached();
        if cached.source.is_some() && !cached.names(token) {
            self.budget().spend();
        }
    }

    /// What the record says about a token at `now`, in milliseconds since 1970.
    pub(super) fn judge(&self, token: &PlainToken, now: i64) -> Judgement {
        let mut cached = self.cached();
        if cached.record.admits(token, now.div_euclid(1_000)) {
            cached.verified.insert(token.key_id().as_str().to_owned());
            let is_fresh = cached.age(now).is_some_and(|age| age < CACHE_TTL);
            // Without a record in the latest copy, the tenant may have moved away.
            return Judgement::Accepted { is_current: is_fresh && cached.failed.is_none() };
        }
        let is_settled = cached.names(token) || cached.has_noted(token);
        Judgement::Refused { is_settled }
    }

    /// Records that the tenant's row was read after the token arrived, and still named this secret.
    /// So a token that was not found does not exist, and a record that is missing should be there.
    /// `secret_name` is for the log.
    pub(super) fn confirm(&self, token: &PlainToken, is_not_found: bool, secret_name: &str) {
        let mut cached = self.cached();
        if is_not_found && !cached.names(token) {
            cached.note_not_found(token);
        }
        if let Some(problem) = cached.problem.take() {
            let cure = "scimctl token rotate --overlap-days 0, which needs a new token in the \
                        identity provider, or an earlier version of the secret";
            let (tenant, secret) = (&self.tenant, secret_name);
            telemetry::count_lasting(Counter::SecretsFailed, tenant.as_str());
            tracing::error!(%tenant, secret, problem, cure, "token store");
        }
    }
}

/// What a tenant's record says about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It admits the token.
    Accepted {
        /// Whether the record is younger than a minute, and in the latest copy of the secret.
        is_current: bool,
    },
    /// It does not admit the token.
    Refused {
        /// Whether the tenant's row cannot change that: the record names the key id, or an earlier
        /// request with the token has found that it does not exist.
        is_settled: bool,
    },
}

/// How long before `now` a time was; `None` after the clock ran back: nothing is fresh then.
fn since(then: i64, now: i64) -> Option<Duration> {
    u64::try_from(now - then).ok().map(Duration::from_millis)
}

impl Cached {
    /// Stores the record that a lookup has read. A verified key id stays verified if its token is
    /// unchanged.
    fn take(&mut self, lookup: Lookup, record: TenantRecord) {
        let before = &self.record;
        self.verified.retain(|kid| record.tokens().get(kid) == before.tokens().get(kid));
        self.record = record;
        self.source = Some(lookup);
        (self.failed, self.problem) = (None, None);
    }

    /// How old the record is.
    fn age(&self, now: i64) -> Option<Duration> {
        self.source.and_then(|lookup| since(lookup.began, now))
    }

    /// What the record says about the key id of a token that arrived after `lookups_on_arrival`
    /// lookups had begun.
    fn key(&self, token: &PlainToken, lookups_on_arrival: u64) -> Key {
        if self.verified.contains(token.key_id().as_str()) {
            return Key::Verified;
        }
        if self.names(token) {
            return Key::Known;
        }
        let read_since = self.source.is_some_and(|lookup| lookup.number > lookups_on_arrival);
        if read_since || self.has_noted(token) {
            return Key::NotFound;
        }
        Key::Unknown
    }

    /// Whether the record names the token's key id.
    fn names(&self, token: &PlainToken) -> bool {
        self.record.token(token.key_id()).is_some()
    }

    fn has_noted(&self, token: &PlainToken) -> bool {
        self.not_found.contains(&token.digest().to_text())
    }

    fn note_not_found(&mut self, token: &PlainToken) {
        if self.not_found.len() >= MAX_NOT_FOUND {
            self.not_found.clear();
        }
        self.not_found.insert(token.digest().to_text());
    }
}
