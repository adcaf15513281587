//! Work under limits other than those of the request: under separate ones, or on a share.

use super::account::{Account, change, snapshot};
use super::limits::Limits;

/// Runs `work` on limits in addition to those of the request. What it takes is counted, but not
/// charged to the request, even if the work is dropped before its end.
pub(crate) async fn apart<T>(limits: Limits, work: impl Future<Output = T>) -> T {
    let _separate = SeparateLimits::begin(limits);
    work.await
}

/// Runs `work` on a share of what the request may take. What it takes is charged to the request,
/// which has the rest again afterwards.
pub(crate) async fn within<T>(share: Limits, work: impl Future<Output = T>) -> T {
    let _share = Share::begin(share);
    work.await
}

/// While it exists, a request works on a share of its limits. It stores how much they are lowered.
struct Share(Limits);

impl Share {
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

impl Drop for Share {
    fn drop(&mut self) {
        // Work on separate limits may have raised them in the meantime.
        change(|Account { limits, .. }| {
            limits.calls += self.0.calls;
            limits.read_units += self.0.read_units;
        });
    }
}

/// While it exists, work is not charged to the request. It stores the earlier account.
struct SeparateLimits(Option<Account>);

impl SeparateLimits {
    fn begin(limits: Limits) -> Self {
        let before = snapshot();
        change(|account| {
            account.limits.calls = account.tally.calls.saturating_add(limits.calls);
            account.limits.read_units =
                (account.tally.read_units.ceil() as u32).saturating_add(limits.read_units);
        });
        Self(before)
    }
}

impl Drop for SeparateLimits {
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

#[cfg(test)]
mod tests {
    use super::super::account::{committed, counted, left, refusals, reserve, writes};
    use super::*;

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
    async fn separate_limits_are_not_charged_to_a_share() {
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
    async fn separate_limits_are_counted_and_not_charged() {
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
