//! What one instance of the function knows about a tenant's tokens.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::decision::{Decision, Facts, Key, LookupBudget, next};
use super::records::TokenRecord;
use super::token::PlainToken;

/// Maximum number of tokens that are remembered as not found. When it is reached, all of them are
/// forgotten.
const MAX_NOT_FOUND: usize = 128;

/// What is known about one tenant's tokens.
#[derive(Debug)]
pub(super) struct Knowledge {
    cached: Mutex<Cached>,
    /// Held during a lookup, so that at most one is in flight. A token that can be judged without
    /// a lookup does not wait for it.
    pub(super) lookup: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Cached {
    records: Vec<TokenRecord>,
    /// The lookup that read them.
    source: Option<Lookup>,
    /// How many lookups have begun.
    lookups: u64,
    /// When the last lookup failed, if it did, in milliseconds since 1970.
    failed: Option<i64>,
    /// Key ids whose tokens were verified against these records.
    verified: HashSet<String>,
    /// Digests of tokens that a lookup did not find. Remembering the key id would not do: it could
    /// be guessed, and its token would then be refused before it is minted.
    not_found: HashSet<String>,
    budget: LookupBudget,
}

/// A lookup that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup {
    /// The first lookup has number 1.
    number: u64,
    /// When it began, in milliseconds since 1970.
    began: i64,
}

impl Knowledge {
    pub(super) fn new(now: i64) -> Self {
        let cached = Cached {
            records: Vec::new(),
            source: None,
            lookups: 0,
            failed: None,
            verified: HashSet::new(),
            not_found: HashSet::new(),
            budget: LookupBudget::full(now),
        };
        Self { cached: Mutex::new(cached), lookup: tokio::sync::Mutex::new(()) }
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many lookups have begun. A lookup that begins later finds a token that arrives now.
    pub(super) fn lookups(&self) -> u64 {
        self.cached().lookups
    }

    /// What to do about a token. `came` is the number of lookups that had begun when it arrived.
    pub(super) fn decide(&self, token: &PlainToken, came: u64, now: i64) -> Decision {
        let mut cached = self.cached();
        // After the clock ran back, nothing is fresh.
        let since = |then: i64| u64::try_from(now - then).ok().map(Duration::from_millis);
        next(Facts {
            age: cached.source.and_then(|lookup| since(lookup.began)),
            key: cached.key(token, came),
            failed: cached.failed.and_then(since),
            budget: cached.budget.allows(now),
        })
    }

    /// Begins a lookup. If there are records that do not name the key id, the lookup is charged to
    /// the budget.
    pub(super) fn begin_lookup(&self, token: &PlainToken, now: i64) -> Lookup {
        let mut cached = self.cached();
        cached.lookups += 1;
        if cached.source.is_some() && !cached.names(token) {
            cached.budget.spend();
        }
        Lookup { number: cached.lookups, began: now }
    }

    /// Stores the records that a lookup has read. A verified key id stays verified if its record is
    /// unchanged.
    pub(super) fn take(&self, lookup: Lookup, records: Vec<TokenRecord>) {
        let mut cached = self.cached();
        let Cached { records: before, verified, .. } = &mut *cached;
        let record = |records: &[TokenRecord], kid: &String| {
            records.iter().find(|record| record.kid == *kid).cloned()
        };
        verified.retain(|kid| record(&records, kid) == record(before, kid));
        cached.records = records;
        cached.source = Some(lookup);
        cached.failed = None;
    }

    /// Records that a lookup has failed.
    pub(super) fn note_failure(&self, now: i64) {
        self.cached().failed = Some(now);
    }

    /// Whether the records admit the token at `now`, in seconds since 1970.
    pub(super) fn admits(&self, token: &PlainToken, now: i64) -> bool {
        let mut cached = self.cached();
        let admitted = cached
            .records
            .iter()
            .any(|record| record.is(token.key_id()) && record.admits(token, now));
        if admitted {
            cached.verified.insert(token.key_id().as_str().to_owned());
        } else if !cached.names(token) {
            cached.note_not_found(token);
        }
        admitted
    }
}

impl Cached {
    /// What the records say about the key id of a token that arrived after `came` lookups had
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

    /// Whether there is a record of the token's key id.
    fn names(&self, token: &PlainToken) -> bool {
        self.records.iter().any(|record| record.is(token.key_id()))
    }

    fn note_not_found(&mut self, token: &PlainToken) {
        if self.not_found.len() >= MAX_NOT_FOUND {
            self.not_found.clear();
        }
        self.not_found.insert(token.digest().to_text());
    }
}
