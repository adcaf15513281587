//! What happens to a token: the known records decide, or Secrets Manager is asked for newer ones
//! first, or the answer is not known. This is a pure function with its constants.

use std::time::Duration;

/// How long records are trusted without asking again. A revoked token is refused after that.
pub(super) const CACHE_TTL: Duration = Duration::from_secs(60);
/// How long records are trusted while Secrets Manager is down, for tokens that were verified
/// against them.
pub(super) const MAX_STALE: Duration = Duration::from_secs(300);
/// How long a token that a lookup did not find is refused without another lookup.
const NOT_FOUND_TTL: Duration = Duration::from_secs(10);
/// How long after a failed lookup the next one waits.
const RELOAD_AFTER: Duration = Duration::from_secs(2);

/// What is known when a token arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// How old the tenant's records are, if there are any.
    pub age: Option<Duration>,
    /// What they say about the token's key id.
    pub key: Key,
    /// How long ago the last lookup failed, if it did.
    pub failed: Option<Duration>,
    /// Whether the tenant's budget allows a lookup of an unknown key id.
    pub budget: bool,
}

/// What the records say about a token's key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// They do not name it.
    Unknown,
    /// They do not name it, and were read after this very token arrived, so newer ones would not
    /// name it either. Or another request with this token found that out.
    NotFound,
    /// They name it.
    Known,
    /// They name it, and a token with this key id was verified before.
    Verified,
}

/// What to do about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The records decide between accepting the caller and 401.
    Judge,
    /// Secrets Manager is asked for the records first.
    Ask,
    /// It is not known right now whether the token is valid: 503, never 401.
    Unavailable,
}

/// What to do about a token.
pub(super) fn next(facts: Facts) -> Decision {
    let Facts { age, key, failed, budget } = facts;
    let younger = |limit: Duration| age.is_some_and(|age| age < limit);
    let fresh = younger(CACHE_TTL);
    let known = matches!(key, Key::Known | Key::Verified);
    if fresh && known || key == Key::NotFound && younger(NOT_FOUND_TTL) {
        return Decision::Judge;
    }
    let resting = failed.is_some_and(|ago| ago < RELOAD_AFTER);
    // Old records are read again for any token. A key id that fresh ones do not name may be an
    // invention.
    if !resting && (budget || !fresh) {
        return Decision::Ask;
    }
    if key == Key::Verified && younger(MAX_STALE) {
        return Decision::Judge;
    }
    Decision::Unavailable
}

/// The lookups of unknown key ids that a tenant can cause: ten at once, then one a second. So new
/// tokens are looked up immediately, and a flood of invented ones costs no more than this.
#[derive(Debug, Clone, Copy)]
pub(super) struct LookupBudget {
    left: i64,
    /// When `left` was correct, in milliseconds since 1970.
    counted: i64,
}

impl LookupBudget {
    const MAX: i64 = 10;
    /// How long it takes to earn one more lookup.
    const INTERVAL: Duration = Duration::from_secs(1);

    pub(super) fn full(now: i64) -> Self {
        Self { left: Self::MAX, counted: now }
    }

    /// Whether a lookup is left at `now`.
    pub(super) fn allows(&mut self, now: i64) -> bool {
        let interval = Self::INTERVAL.as_millis() as i64;
        let earned = (now - self.counted).max(0) / interval;
        self.left = (self.left + earned).min(Self::MAX);
        // After the clock ran back, earning starts at the earlier time.
        self.counted = now.min(self.counted + earned * interval);
        self.left > 0
    }

    /// Takes one lookup.
    pub(super) fn spend(&mut self) {
        self.left = (self.left - 1).max(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row: age in milliseconds, key id, failed milliseconds ago, budget.
    type Row = (Option<u64>, Key, Option<u64>, bool);

    fn decision((age, key, failed, budget): Row) -> Decision {
        let (age, failed) = (age.map(Duration::from_millis), failed.map(Duration::from_millis));
        next(Facts { age, key, failed, budget })
    }

    #[test]
    fn the_table_of_decisions() {
        use Decision::{Ask, Judge, Unavailable};
        use Key::{Known, NotFound, Unknown, Verified};
        let (spent, left) = (false, true);
        let rows: &[(Row, Decision, &str)] = &[
            ((None, Unknown, None, left), Ask, "without records they are read"),
            ((None, Unknown, None, spent), Ask, "that spends no budget"),
            ((None, Unknown, Some(1_999), left), Unavailable, "the last lookup just failed"),
            ((None, Unknown, Some(2_000), left), Ask, "it is tried again after two seconds"),
            ((Some(0), Known, None, spent), Judge, "a record just read"),
            ((Some(59_999), Verified, None, spent), Judge, "a record of less than a minute"),
            ((Some(60_000), Verified, None, spent), Ask, "the token may be revoked since"),
            ((Some(60_000), Verified, Some(0), left), Judge, "down: the token was good before"),
            ((Some(60_000), Known, Some(0), left), Unavailable, "down: it was never used before"),
            ((Some(299_999), Verified, Some(0), left), Judge, "down for less than five minutes"),
            ((Some(300_000), Verified, Some(0), left), Unavailable, "down for longer"),
            ((Some(300_000), Verified, Some(2_000), left), Ask, "and asked again"),
            ((Some(1_000), Unknown, None, left), Ask, "an unknown key id is looked up"),
            ((Some(1_000), Unknown, None, spent), Unavailable, "but not beyond the budget"),
            ((Some(1_000), Unknown, Some(1_000), left), Unavailable, "the last lookup failed"),
            ((Some(60_000), Unknown, None, spent), Ask, "old records are read for any token"),
            ((Some(1_000), NotFound, None, spent), Judge, "a lookup did not find it"),
            ((Some(9_999), NotFound, None, left), Judge, "that holds for ten seconds"),
            ((Some(10_000), NotFound, None, left), Ask, "and is looked up again then"),
            ((Some(10_000), NotFound, None, spent), Unavailable, "if the budget allows"),
        ];
        for (row, expected, why) in rows {
            assert_eq!(decision(*row), *expected, "{why}: {row:?}");
        }
    }

    #[test]
    fn a_budget_is_ten_at_once_and_one_a_second() {
        let mut budget = LookupBudget::full(0);
        let mut taken = |now: i64| {
            let mut taken = 0;
            while budget.allows(now) {
                budget.spend();
                taken += 1;
            }
            taken
        };
        assert_eq!([0, 999, 1_000, 1_500, 2_999, 3_000].map(&mut taken), [10, 0, 1, 0, 1, 1]);
        assert_eq!(taken(1_000_000), 10, "it does not grow beyond ten");
        assert_eq!(
            [500, 1_499, 1_500].map(&mut taken),
            [0, 0, 1],
            "a clock that ran back does not stop the earning"
        );
    }
}
