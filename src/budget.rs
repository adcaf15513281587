//! What one request may take, so that no request takes all: DynamoDB calls, read units,
//! comparisons.
//!
//! Each request has one account, and every path draws on it: a read asks before it is sent, and is
//! refused if it could take more than is left. What reads much looks at what is left first, and
//! ends a page or a walk before that. Work of the operator's tool has no account, and no bound.

use std::cell::Cell;
use std::future::Future;

use crate::telemetry::Tally;

/// Most DynamoDB calls of a request.
pub const MAX_CALLS: u32 = 1_200;
/// Most read units of a request.
pub const MAX_READ_UNITS: u32 = 5_000;
/// Most comparisons of a short value that filters make in a request: about a second of CPU time.
pub const MAX_COMPARISONS: usize = 10_000_000;
/// Most of them of one resource, which is judged in one go.
pub const MAX_COMPARISONS_OF_A_RESOURCE: usize = 300_000;
/// Most calls that remove what a deleted group leaves behind, in one request. They have an account
/// of their own.
pub const MAX_TIDYING_CALLS: u32 = 5_000;

/// Calls that reads leave over, so that a write that was decided on can be made.
const CALLS_OF_WRITES: u32 = 100;
/// Read units of the largest answer to a query: DynamoDB returns a megabyte at most.
pub(crate) const QUERY_UNITS: u32 = 257;
/// Read units of the largest row.
pub(crate) const ROW_UNITS: u32 = 25;
/// Read units of the largest group with its heads.
pub(crate) const GROUP_UNITS: u32 = ROW_UNITS + 3;
/// Rows of members and memberships in a unit, at least: none has more than 512 bytes.
pub(crate) const SMALL_ROWS_IN_A_UNIT: usize = 8;

/// The most read units of a query that returns these many rows of members or memberships.
pub(crate) fn units_of_small_rows(rows: usize) -> usize {
    (rows / SMALL_ROWS_IN_A_UNIT + 1).min(QUERY_UNITS as usize)
}

/// What may be taken.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Calls.
    pub calls: u32,
    /// Read units.
    pub read_units: u32,
}

impl Limits {
    /// Those of a request.
    pub const REQUEST: Self = Self { calls: MAX_CALLS, read_units: MAX_READ_UNITS };
    /// Those of removing what a deleted group leaves behind.
    pub const TIDYING: Self = Self { calls: MAX_TIDYING_CALLS, read_units: 2 * MAX_READ_UNITS };
    /// What a request takes of its own for what earlier requests left, before its own work.
    pub const SHARE_OF_TIDYING: Self = Self { calls: 300, read_units: 1_000 };
}

/// What is left of a request's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Calls that read.
    pub calls: usize,
    /// Read units.
    pub read_units: usize,
}

impl Left {
    /// Whether that suffices for these calls and units.
    pub fn suffices(self, calls: usize, read_units: usize) -> bool {
        calls <= self.calls && read_units <= self.read_units
    }
}

#[derive(Debug, Clone, Copy)]
struct Account {
    limits: Limits,
    tally: Tally,
    /// Units of reads that are under way.
    reserved: u32,
    /// How many reads were refused.
    refusals: u32,
    comparisons: usize,
}

impl Account {
    fn left(&self) -> Left {
        let calls =
            self.limits.calls.saturating_sub(CALLS_OF_WRITES).saturating_sub(self.tally.calls);
        let taken = self.tally.read_units.ceil() as u32;
        let read_units = self.limits.read_units.saturating_sub(taken.saturating_add(self.reserved));
        Left { calls: calls as usize, read_units: read_units as usize }
    }
}

tokio::task_local! {
    static ACCOUNT: Cell<Account>;
}

/// A read would take more than the request may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent;

/// Runs `work` with an account of its own, and says what it took.
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

/// Runs `work` on limits in addition to those of the request: what it took is counted, and not
/// charged, also if it is broken off.
pub(crate) async fn apart<T>(limits: Limits, work: impl Future<Output = T>) -> T {
    let _apart = Apart::begin(limits);
    work.await
}

/// Runs `work` on a share of what the request may take: what it took is charged, and the rest is
/// the request's again afterwards.
pub(crate) async fn within<T>(share: Limits, work: impl Future<Output = T>) -> T {
    let _within = Within::begin(share);
    work.await
}

/// What the limits of a request are lowered by while it works on a share of them.
struct Within(Limits);

impl Within {
    fn begin(share: Limits) -> Self {
        let mut lowered = Limits { calls: 0, read_units: 0 };
        change(|Account { limits, tally, .. }| {
            let taken = tally.read_units.ceil() as u32;
            lowered.calls = limits.calls.saturating_sub(tally.calls.saturating_add(share.calls));
            lowered.read_units =
                limits.read_units.saturating_sub(taken.saturating_add(share.read_units));
            limits.calls -= lowered.calls;
            limits.read_units -= lowered.read_units;
        });
        Self(lowered)
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        // Work apart from the request may have raised them meanwhile.
        change(|Account { limits, .. }| {
            limits.calls += self.0.calls;
            limits.read_units += self.0.read_units;
        });
    }
}

/// The account as it was before work that is not charged.
struct Apart(Option<Account>);

impl Apart {
    fn begin(limits: Limits) -> Self {
        let before = ACCOUNT.try_with(Cell::get).ok();
        change(|account| {
            account.limits.calls = account.tally.calls.saturating_add(limits.calls);
            account.limits.read_units =
                (account.tally.read_units.ceil() as u32).saturating_add(limits.read_units);
        });
        Self(before)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let Some(before) = self.0 else { return };
        change(|account| {
            let calls = account.tally.calls - before.tally.calls;
            let units = account.tally.read_units - before.tally.read_units;
            account.limits.calls = before.limits.calls.saturating_add(calls);
            account.limits.read_units =
                before.limits.read_units.saturating_add(units.ceil() as u32);
        });
    }
}

/// What is left; everything where nobody counts.
pub(crate) fn left() -> Left {
    let unbounded = Left { calls: usize::MAX, read_units: usize::MAX };
    ACCOUNT.try_with(|account| account.get().left()).unwrap_or(unbounded)
}

/// Whether one more call may be made that writes.
pub(crate) fn may_write() -> bool {
    ACCOUNT
        .try_with(|account| account.get().tally.calls < account.get().limits.calls)
        .unwrap_or(true)
}

/// How many comparisons are left.
pub(crate) fn comparisons() -> usize {
    ACCOUNT.try_with(|account| account.get().comparisons).unwrap_or(usize::MAX)
}

/// Lets `judge` take from the comparisons that are left, as many as one resource may.
pub(crate) fn comparing<T>(judge: impl FnOnce(&mut usize) -> T) -> T {
    let allowed = comparisons().min(MAX_COMPARISONS_OF_A_RESOURCE);
    let mut left = allowed;
    let judged = judge(&mut left);
    change(|account| account.comparisons = account.comparisons.saturating_sub(allowed - left));
    judged
}

/// How many reads were refused in this request so far.
pub(crate) fn refusals() -> u32 {
    ACCOUNT.try_with(|account| account.get().refusals).unwrap_or_default()
}

/// Asks for a read that takes at most `units`.
pub(crate) fn reserve(units: u32) -> Result<Reserved, Spent> {
    if !left().suffices(1, units as usize) {
        change(|account| account.refusals += 1);
        return Err(Spent);
    }
    change(|account| {
        account.tally.calls += 1;
        account.reserved = account.reserved.saturating_add(units);
    });
    Ok(Reserved { units })
}

/// A read that is under way.
pub(crate) struct Reserved {
    units: u32,
}

impl Reserved {
    /// The read took these units.
    pub(crate) fn took(self, units: Option<f64>) {
        change(|account| account.tally.read_units += units.unwrap_or_default());
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        change(|account| account.reserved = account.reserved.saturating_sub(self.units));
    }
}

/// Counts one transaction that is sent.
pub(crate) fn writes() {
    change(|account| account.tally.calls += 1);
}

/// The transaction took effect, and these units.
pub(crate) fn committed(units: f64) {
    change(|account| {
        account.tally.commits += 1;
        account.tally.write_units += units;
    });
}

/// How many transactions took effect in this request so far.
pub(crate) fn commits() -> u32 {
    ACCOUNT.try_with(|account| account.get().tally.commits).unwrap_or_default()
}

fn change(change: impl FnOnce(&mut Account)) {
    // Outside of a request (the operator's tool) nobody counts.
    let _ = ACCOUNT.try_with(|cell| {
        let mut account = cell.get();
        change(&mut account);
        cell.set(account);
    });
}

#[cfg(test)]
mod tests {
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
                (500, Some(Spent)),
                "what is under way counts"
            );
            under_way.took(Some(1.0));
            assert_eq!(left(), Left { calls: 1_200 - 100 - 4, read_units: 1_999 });
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

    #[tokio::test]
    async fn a_share_is_charged_and_the_rest_is_left() {
        let work = async {
            let taken = within(Limits { calls: 300, read_units: 50 }, async {
                let mut taken = 0;
                while let Ok(read) = reserve(10) {
                    read.took(Some(10.0));
                    taken += 1;
                }
                taken
            });
            (taken.await, left(), refusals())
        };
        let ((taken, left, refusals), _) = counted(Limits::REQUEST, work).await;
        assert_eq!((taken, left.calls, left.read_units, refusals), (5, 1_095, 4_950, 1));
    }

    #[tokio::test]
    async fn work_apart_from_the_request_is_not_charged_within_a_share() {
        let tidying = apart(Limits::TIDYING, async {
            for _ in 0..2_000 {
                reserve(1).unwrap().took(Some(1.0));
            }
        });
        let work = async {
            within(Limits::SHARE_OF_TIDYING, tidying).await;
            left()
        };
        let (left, tally) = counted(Limits::REQUEST, work).await;
        assert_eq!((left.calls, left.read_units, tally.calls), (1_100, 5_000, 2_000));
    }

    #[tokio::test]
    async fn tidying_is_counted_and_takes_nothing_from_the_request() {
        let work = async {
            apart(Limits::TIDYING, async {
                for _ in 0..2_000 {
                    writes();
                    committed(1.0);
                }
            })
            .await;
            left()
        };
        let (left, tally) = counted(Limits::REQUEST, work).await;
        assert_eq!((left.calls, tally.calls, tally.write_units), (1_100, 2_000, 2_000.0));
    }
}
