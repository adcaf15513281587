//! What an instance of the function knows of one tenant's tokens.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::decision::{Budget, Facts, Step, next};
use super::records::TokenRecord;
use super::token::PlainToken;

/// Most tokens that are remembered as looked up in vain; when it is reached, they are forgotten.
const MAX_IN_VAIN: usize = 128;

/// What is known of one tenant's tokens.
#[derive(Debug)]
pub(super) struct Entry {
    known: Mutex<Known>,
    /// Held over a look, so that one is in flight at most. Nobody waits for it who can be judged
    /// without.
    pub(super) look: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Known {
    records: Vec<TokenRecord>,
    /// When the look began that read them, in milliseconds since 1970, and which look that was.
    read: Option<(i64, u64)>,
    /// How many looks have begun.
    looks: u64,
    /// When a look failed, if it was the last one, in milliseconds since 1970.
    failed: Option<i64>,
    /// Key ids whose tokens were verified against these records.
    verified: HashSet<String>,
    /// Tokens that were looked up in vain. By their digests: a key id alone could be guessed, and
    /// its token be refused before it is minted.
    in_vain: HashSet<String>,
    budget: Budget,
}

/// A look that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    number: u64,
    began: i64,
}

impl Entry {
    pub(super) fn new(now: i64) -> Self {
        let (records, verified, in_vain) = (Vec::new(), HashSet::new(), HashSet::new());
        let known = Known {
            records,
            read: None,
            looks: 0,
            failed: None,
            verified,
            in_vain,
            budget: Budget::full(now),
        };
        Self { known: Mutex::new(known), look: tokio::sync::Mutex::new(()) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many looks have begun: one that begins later tells all of a token that comes now.
    pub(super) fn looks(&self) -> u64 {
        self.known().looks
    }

    /// What to do about a token. `came` is the number of looks that had begun when it came.
    pub(super) fn step(&self, token: &PlainToken, came: u64, now: i64) -> Step {
        let mut known = self.known();
        // A clock that ran back makes nothing fresh.
        let since = |then: i64| u64::try_from(now - then).ok().map(Duration::from_millis);
        let is_known = known.names(token);
        let since_it_came = known.read.is_some_and(|(_, look)| look > came);
        let looked_up =
            since_it_came || !is_known && known.in_vain.contains(&token.digest().to_text());
        next(Facts {
            age: known.read.and_then(|(began, _)| since(began)),
            known: is_known,
            verified: known.verified.contains(token.key_id().as_str()),
            looked_up,
            failed: known.failed.and_then(since),
            budget: known.budget.allows(now),
        })
    }

    /// Begins a look. One for a key id that the records do not name is taken from the budget.
    pub(super) fn begin(&self, token: &PlainToken, now: i64) -> Look {
        let mut known = self.known();
        known.looks += 1;
        if known.read.is_some() && !known.names(token) {
            known.budget.spend();
        }
        Look { number: known.looks, began: now }
    }

    /// A look has read these records.
    pub(super) fn found(&self, look: Look, records: Vec<TokenRecord>) {
        let mut known = self.known();
        let Known { records: before, verified, .. } = &mut *known;
        // Those that were verified against a record that stayed the same still are.
        let of = |records: &[TokenRecord], kid: &String| {
            records.iter().find(|record| record.kid == *kid).cloned()
        };
        verified.retain(|kid| of(&records, kid) == of(before, kid));
        known.records = records;
        known.read = Some((look.began, look.number));
        known.failed = None;
    }

    /// A look has failed.
    pub(super) fn failed(&self, now: i64) {
        self.known().failed = Some(now);
    }

    /// Whether the records admit the token at `now`, in seconds since 1970.
    pub(super) fn admits(&self, token: &PlainToken, now: i64) -> bool {
        let mut known = self.known();
        let admitted = known
            .records
            .iter()
            .any(|record| record.is(token.key_id()) && record.admits(token, now));
        if admitted {
            known.verified.insert(token.key_id().as_str().to_owned());
        } else if !known.names(token) {
            known.refuse(token);
        }
        admitted
    }
}

impl Known {
    /// Whether there is a record of the token's key id.
    fn names(&self, token: &PlainToken) -> bool {
        self.records.iter().any(|record| record.is(token.key_id()))
    }

    /// Remembers that a token was looked up in vain.
    fn refuse(&mut self, token: &PlainToken) {
        if self.in_vain.len() >= MAX_IN_VAIN {
            self.in_vain.clear();
        }
        self.in_vain.insert(token.digest().to_text());
    }
}
