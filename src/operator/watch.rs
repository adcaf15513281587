//! What the operator should know of all tenants without asking: the state that no request tells.

use futures_util::stream::{self, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::brake::BrakeState;
use super::deployment::Operator;
use super::error::OperatorError;
use super::overview::used_last;
use crate::store::{TenantCode, TenantRow, TokenRow};
use crate::tenant::Profile;

/// How many tenants are looked at at once.
const CONCURRENCY: usize = 20;
/// How long before the end of a tenant's token the operator is told at most, in seconds.
pub const TOKEN_NOTICE: i64 = 14 * 24 * 60 * 60;
/// How often a watch is due, in seconds.
const INTERVAL: i64 = 15 * 60;
/// How many tenants further each watch begins. All these fit in its time, so that four watches in a
/// row see four times as many.
const STEP: usize = 2_500;

/// What was seen of the tenants.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// How many tenants were looked at.
    pub seen: usize,
    /// How many were not, because the time was over or they could not be read. One, if it is not
    /// even known how many there are.
    pub unseen: usize,
    /// What is wrong with them.
    pub findings: Vec<Finding>,
}

/// Something that the operator should know about a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The brake is on: no user of the tenant is deactivated until it is lifted.
    BrakeOn,
    /// All seats are taken: no further user becomes active.
    SeatsFull,
    /// The token that was used last ends soon, or has ended.
    TokenEnding,
    /// The tenant could not be looked at.
    Unreadable,
}

impl Finding {
    /// Its word in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::BrakeOn => "brake_on",
            Self::SeatsFull => "seats_full",
            Self::TokenEnding => "token_ending",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Watch {
    /// How many tenants have this finding.
    pub fn count(&self, finding: Finding) -> usize {
        self.findings.iter().filter(|found| **found == finding).count()
    }

    /// Of `count` tenants, these were looked at.
    fn of(looks: Vec<Vec<Finding>>, count: usize) -> Self {
        let findings: Vec<Finding> = looks.iter().flatten().copied().collect();
        let seen = looks.iter().filter(|found| !found.contains(&Finding::Unreadable)).count();
        Self { seen, unseen: count - seen, findings }
    }
}

impl Operator {
    /// Looks at all tenants until the time is over, and logs each finding at once. At most four
    /// calls for each tenant, and those for their list.
    ///
    /// It never fails: what could not be looked at is unseen, and the log says why.
    pub async fn watch(&self, until: Instant) -> Watch {
        let Some(mut codes) = self.codes_until(until).await else {
            return Watch { unseen: 1, ..Watch::default() };
        };
        let count = codes.len();
        codes.rotate_left(first(self.clock.seconds(), count));
        let in_time = stream::iter(codes).take_while(|_| async { Instant::now() < until });
        let looks = in_time.map(|code| async move { self.look_until(&code, until).await });
        let looks: Vec<_> = looks.buffer_unordered(CONCURRENCY).collect().await;
        Watch::of(looks.into_iter().flatten().collect(), count)
    }

    async fn codes_until(&self, until: Instant) -> Option<Vec<TenantCode>> {
        match timeout_at(until, self.store.tenant_codes()).await {
            Ok(Ok(codes)) => return Some(codes),
            Ok(Err(error)) => tracing::error!(%error, "the list of tenants could not be read"),
            Err(_) => tracing::error!("the list of tenants could not be read in time"),
        }
        None
    }

    /// What is wrong with a tenant; `None` if the time was over before that was known.
    async fn look_until(&self, code: &TenantCode, until: Instant) -> Option<Vec<Finding>> {
        let looked = timeout_at(until, Box::pin(self.look(code))).await.ok()?;
        let found = looked.unwrap_or_else(|error| {
            tracing::warn!(tenant = %code, %error, "a tenant could not be looked at");
            vec![Finding::Unreadable]
        });
        for finding in &found {
            tracing::warn!(tenant = %code, finding = finding.word(), "finding");
        }
        Some(found)
    }

    async fn look(&self, code: &TenantCode) -> Result<Vec<Finding>, OperatorError> {
        let Some(row) = self.store.tenant(code).await?.filter(|row| row.enabled) else {
            return Ok(Vec::new());
        };
        let (brake, seats, token) = tokio::try_join!(
            self.brake(&row),
            self.are_seats_full(&row),
            self.is_token_ending(&row)
        )?;
        let findings = [
            (Finding::BrakeOn, matches!(brake, BrakeState::Window(row) if row.tripped.is_some())),
            (Finding::SeatsFull, seats),
            (Finding::TokenEnding, token),
        ];
        Ok(findings.into_iter().filter(|(_, holds)| *holds).map(|(finding, _)| finding).collect())
    }

    async fn are_seats_full(&self, tenant: &TenantRow) -> Result<bool, OperatorError> {
        if Profile::read(&tenant.profile)?.seats.limit.is_none() {
            return Ok(false);
        }
        let seats = self.store.seats(&tenant.key()).await?;
        let is_full = |limit| seats.is_some_and(|row| row.used >= limit);
        Ok(seats.and_then(|row| row.finite_limit()).is_some_and(is_full))
    }

    /// Whether the identity provider will soon be refused, or is.
    async fn is_token_ending(&self, tenant: &TenantRow) -> Result<bool, OperatorError> {
        if tenant.connected.is_none() {
            return Ok(false);
        }
        let now = self.clock.seconds();
        let tokens = self.store.tokens(&tenant.key(), now).await?;
        Ok(used_last(tokens.iter()).is_none_or(|token| is_ending(token, now)))
    }
}

/// Whether a token ends soon: within 14 days, or in the last third of a shorter life.
fn is_ending(token: &TokenRow, now: i64) -> bool {
    token.expires.is_some_and(|end| {
        let life = end - token.created.div_euclid(1_000);
        end < now + TOKEN_NOTICE.min(life / 3)
    })
}

/// Which of `count` tenants a watch begins with, so that all are seen in turn although they do not
/// fit in the time of one.
fn first(now: i64, count: usize) -> usize {
    let watch = usize::try_from(now.div_euclid(INTERVAL)).unwrap_or_default();
    watch.wrapping_mul(STEP).checked_rem(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn four_watches_see_ten_thousand_tenants() {
        for count in [1, 2_500, 2_501, 7_000, 10_000] {
            let begun = (7..11).map(|watch| first(watch * INTERVAL + 3, count));
            let seen = begun.flat_map(|first| (first..first + STEP).map(|index| index % count));
            assert_eq!(seen.collect::<BTreeSet<_>>().len(), count);
        }
        assert_eq!(first(INTERVAL, 0), 0);
    }
}
