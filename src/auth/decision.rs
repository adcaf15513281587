//! What happens to a token that came: it is judged by the records that are known, Secrets Manager
//! is asked for newer ones first, or nobody can tell. A pure function, and the numbers that it
//! knows.

use std::time::Duration;

/// How long records are believed without asking again: a revoked token is refused when it is over.
pub(super) const CACHE_TTL: Duration = Duration::from_secs(60);
/// How long records that were good are believed while Secrets Manager is down.
pub(super) const MAX_STALE: Duration = Duration::from_secs(300);
/// How long a token that was looked up in vain is refused without another look.
pub(super) const IN_VAIN: Duration = Duration::from_secs(10);
/// How long after a failed look another one waits.
pub(super) const RELOAD_AFTER: Duration = Duration::from_secs(2);

/// What is known when a token comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// How old the tenant's records are, if there are any.
    pub age: Option<Duration>,
    /// Whether they name the token's key id.
    pub known: bool,
    /// Whether that record was good for a token of that key id before.
    pub verified: bool,
    /// Whether the records were read after this very token had come: they tell all of it.
    pub looked_up: bool,
    /// How long ago Secrets Manager did not answer, if it did not when it was last asked.
    pub failed: Option<Duration>,
    /// Whether the tenant's budget allows a look for an unknown key id.
    pub budget: bool,
}

/// What is done about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The records decide between the caller and 401.
    Judge,
    /// Secrets Manager is asked for the records first.
    Ask,
    /// Nobody can tell right now: 503, never 401.
    Unavailable,
}

/// What to do about a token.
pub(super) fn next(facts: Facts) -> Step {
    let Facts { age, known, verified, looked_up, failed, budget } = facts;
    let younger = |limit: Duration| age.is_some_and(|age| age < limit);
    let fresh = younger(CACHE_TTL);
    if fresh && known || looked_up && younger(IN_VAIN) {
        return Step::Judge;
    }
    let resting = failed.is_some_and(|ago| ago < RELOAD_AFTER);
    // Old records are read again whoever asks; a key id that fresh ones do not name may be
    // anybody's invention.
    if !resting && (budget || !fresh) {
        return Step::Ask;
    }
    match known && verified && younger(MAX_STALE) {
        true => Step::Judge,
        false => Step::Unavailable,
    }
}

/// Looks for unknown key ids that a tenant may cause: ten at once, then one a second. New tokens
/// are looked up at once, and a flood of invented ones costs no more than that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    left: i64,
    /// When `left` was right, in milliseconds since 1970.
    counted: i64,
}

impl Budget {
    const MOST: i64 = 10;
    /// How long it takes until there is one more, in milliseconds.
    const INTERVAL: i64 = 1_000;

    pub(super) fn full(now: i64) -> Self {
        Self { left: Self::MOST, counted: now }
    }

    /// Whether there is a look left at `now`.
    pub(super) fn allows(&mut self, now: i64) -> bool {
        let earned = (now - self.counted).max(0) / Self::INTERVAL;
        self.left = (self.left + earned).min(Self::MOST);
        // A clock that ran back earns from where it stands.
        self.counted = now.min(self.counted + earned * Self::INTERVAL);
        self.left > 0
    }

    /// Takes one look.
    pub(super) fn spend(&mut self) {
        self.left = (self.left - 1).max(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row: age in milliseconds, known, verified, looked up, failed milliseconds ago, budget.
    type Row = (Option<u64>, bool, bool, bool, Option<u64>, bool);

    fn step((age, known, verified, looked_up, failed, budget): Row) -> Step {
        let (age, failed) = (age.map(Duration::from_millis), failed.map(Duration::from_millis));
        next(Facts { age, known, verified, looked_up, failed, budget })
    }

    #[test]
    fn the_table_of_decisions() {
        use Step::{Ask, Judge, Unavailable};
        let (no, yes) = (false, true);
        let rows: &[(Row, Step, &str)] = &[
            ((None, no, no, no, None, yes), Ask, "nothing is known yet"),
            ((None, no, no, no, None, no), Ask, "nothing is known: no budget is asked"),
            (
                (None, no, no, no, Some(1_999), yes),
                Unavailable,
                "nothing is known and the last look failed",
            ),
            (
                (None, no, no, no, Some(2_000), yes),
                Ask,
                "a failed look is tried again after two seconds",
            ),
            ((Some(0), yes, no, no, None, no), Judge, "a record just read"),
            ((Some(59_999), yes, yes, no, None, no), Judge, "a record of less than a minute"),
            (
                (Some(60_000), yes, yes, no, None, no),
                Ask,
                "a record of a minute is too old for a revoked token",
            ),
            (
                (Some(60_000), yes, yes, no, Some(0), yes),
                Judge,
                "an old record of a token that was good, while down",
            ),
            (
                (Some(60_000), yes, no, no, Some(0), yes),
                Unavailable,
                "an old record that was never used, while down",
            ),
            ((Some(299_999), yes, yes, no, Some(0), yes), Judge, "five minutes without answer"),
            ((Some(300_000), yes, yes, no, Some(0), yes), Unavailable, "longer than five minutes"),
            ((Some(300_000), yes, yes, no, Some(2_000), yes), Ask, "and asked again"),
            ((Some(1_000), no, no, no, None, yes), Ask, "an unknown key id is looked up"),
            (
                (Some(1_000), no, no, no, None, no),
                Unavailable,
                "what could not be looked up is 503",
            ),
            ((Some(60_000), no, no, no, None, no), Ask, "old records are read again whoever asks"),
            (
                (Some(1_000), no, no, yes, None, no),
                Judge,
                "what was looked up is judged without another look",
            ),
            ((Some(9_999), no, no, yes, None, yes), Judge, "for ten seconds"),
            ((Some(10_000), no, no, yes, None, yes), Ask, "and then again"),
            ((Some(10_000), no, no, yes, None, no), Unavailable, "if the budget allows"),
            (
                (Some(1_000), no, no, no, Some(1_000), yes),
                Unavailable,
                "not looked up, since the last look failed",
            ),
        ];
        for (row, expected, why) in rows {
            assert_eq!(step(*row), *expected, "{why}: {row:?}");
        }
    }

    #[test]
    fn a_budget_is_ten_at_once_and_one_a_second() {
        let mut budget = Budget::full(0);
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
            "a clock that ran back starves nobody"
        );
    }
}
