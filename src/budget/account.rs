//! The account of a request.

use std::cell::Cell;
use std::future::Future;

use super::limits::{CALLS_OF_WRITES, Limits, MAX_COMPARISONS, MAX_COMPARISONS_OF_A_RESOURCE};
use crate::telemetry::Tally;

/// What is left of a request's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Calls that read.
    pub calls: usize,
    /// Read units.
    pub read_units: usize,
}

impl Balance {
    /// Whether it is enough for these calls and units.
    pub fn suffices(self, calls: usize, read_units: usize) -> bool {
        calls <= self.calls && read_units <= self.read_units
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub(super) limits: Limits,
    pub(super) tally: Tally,
    /// Units of reads that are in progress.
    reserved: u32,
    /// How many reads were refused.
    refusals: u32,
    comparisons: usize,
}

impl Account {
    fn left(&self) -> Balance {
        let calls =
            self.limits.calls.saturating_sub(CALLS_OF_WRITES).saturating_sub(self.tally.calls);
        let taken = self.tally.read_units.ceil() as u32;
        let read_units = self.limits.read_units.saturating_sub(taken.saturating_add(self.reserved));
        Balance { calls: calls as usize, read_units: read_units as usize }
    }
}

tokio::task_local! {
    static ACCOUNT: Cell<Account>;
}

/// A read would take more than the request has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfBudget;

/// Runs `work` with an account of its own, and returns what it took.
pub async fn counted<T>(limits: Limits, work: impl Future<Output = T>) -> (T, Tally) {
    let account = Account {
        limits,
        tally: Tally::default(),
        reserved: 0,
        refusals: 0,
        comparisons: MAX_COMPARISONS,
    };
    ACCOUNT
        .scope(Cell::new(account), async {
            let done = work.await;
            (done, ACCOUNT.with(Cell::get).tally)
        })
        .await
}

/// What is left; everything if there is no account.
pub(crate) fn left() -> Balance {
    let unbounded = Balance { calls: usize::MAX, read_units: usize::MAX };
    snapshot().map_or(unbounded, |account| account.left())
}

/// Whether the request may make one more call that writes.
pub(crate) fn may_write() -> bool {
    snapshot().is_none_or(|account| account.tally.calls < account.limits.calls)
}

/// How many comparisons are left.
pub(crate) fn comparisons() -> usize {
    snapshot().map_or(usize::MAX, |account| account.comparisons)
}

/// Lets `judge` use some of the comparisons that are left, at most as many as one resource may
/// take.
pub(crate) fn comparing<T>(judge: impl FnOnce(&mut usize) -> T) -> T {
    let allowed = comparisons().min(MAX_COMPARISONS_OF_A_RESOURCE);
    let mut left = allowed;
    let judged = judge(&mut left);
    change(|account| account.comparisons = account.comparisons.saturating_sub(allowed - left));
    judged
}

/// How many reads of this request were refused so far.
pub(crate) fn refusals() -> u32 {
    snapshot().map_or(0, |account| account.refusals)
}

/// Requests a read that takes at most `units`.
///
/// # Errors
/// [`OutOfBudget`] if the read could take more than is left.
pub(crate) fn reserve(units: u32) -> Result<Reservation, OutOfBudget> {
    if !left().suffices(1, units as usize) {
        change(|account| account.refusals += 1);
        return Err(OutOfBudget);
    }
    change(|account| {
        account.tally.calls += 1;
        account.reserved = account.reserved.saturating_add(units);
    });
    Ok(Reservation { units })
}

/// A read that is in progress.
pub(crate) struct Reservation {
    units: u32,
}

impl Reservation {
    /// Charges the units that the read took.
    pub(crate) fn took(self, units: Option<f64>) {
        change(|account| account.tally.read_units += units.unwrap_or_default());
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        change(|account| account.reserved = account.reserved.saturating_sub(self.units));
    }
}

/// Counts a transaction that is sent.
pub(crate) fn writes() {
    change(|account| account.tally.calls += 1);
}

/// Counts a call that failed.
pub(crate) fn failed() {
    change(|account| account.tally.failed_calls += 1);
}

/// Counts a transaction that another one cancelled.
pub(crate) fn conflicted() {
    change(|account| account.tally.conflicts += 1);
}

/// Counts a call that failed, or was cancelled, because the table was throttled.
pub(crate) fn throttled() {
    change(|account| account.tally.throttles += 1);
}

/// Counts a try of a call.
pub(crate) fn attempted() {
    change(|account| account.tally.attempts += 1);
}

/// Counts a transaction that took effect, with its write units.
pub(crate) fn committed(units: f64) {
    change(|account| {
        account.tally.commits += 1;
        account.tally.write_units += units;
    });
}

/// How many transactions of this request took effect so far.
pub(crate) fn commits() -> u32 {
    snapshot().map_or(0, |account| account.tally.commits)
}

/// A copy of the account, if there is one.
pub(super) fn snapshot() -> Option<Account> {
    ACCOUNT.try_with(Cell::get).ok()
}

/// Changes the account, if there is one. The operator's tool has none.
pub(super) fn change(change: impl FnOnce(&mut Account)) {
    let _ = ACCOUNT.try_with(|cell| {
        let mut account = cell.get();
        change(&mut account);
        cell.set(account);
    });
}

#[cfg(test)]
mod tests {
    use super::super::limits::MAX_CALLS;
    use super::*;

    #[tokio::test]
    async fn a_read_is_refused_that_could_take_more_than_is_left() {
        let work = async {
            for _ in 0..3 {
                reserve(1_000).unwrap().took(Some(1_000.0));
            }
            let under_way = reserve(1_500).unwrap();
            assert_eq!(
                (left().read_units, reserve(501).err()),
                (500, Some(OutOfBudget)),
                "what is under way counts"
            );
            under_way.took(Some(1.0));
            assert_eq!(left(), Balance { calls: 1_200 - 100 - 4, read_units: 1_999 });
        };
        let ((), tally) = counted(Limits::REQUEST, work).await;
        assert_eq!((tally.calls, tally.read_units), (4, 3_001.0));
    }

    #[tokio::test]
    async fn reads_leave_calls_for_the_writes() {
        let work = async {
            while let Ok(read) = reserve(1) {
                read.took(None);
            }
            assert!(may_write());
            for _ in 0..CALLS_OF_WRITES {
                writes();
            }
            assert!(!may_write());
        };
        assert_eq!(counted(Limits::REQUEST, work).await.1.calls, MAX_CALLS);
    }
}
