//! What the operator should know of all tenants without asking: the state that no request tells.

use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;

use super::brake::BrakeState;
use super::deployment::Operator;
use super::error::OperatorError;
use crate::store::{TenantCode, TenantRow};

/// How many tenants are looked at at once.
const CONCURRENCY: usize = 20;
/// How long before the end of a tenant's last token the operator is told, in seconds.
pub const TOKEN_NOTICE: i64 = 14 * 24 * 60 * 60;

/// What was seen of the tenants.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// How many tenants were looked at.
    pub seen: usize,
    /// How many were not, because the time was over.
    pub unseen: usize,
    /// What is wrong with whom.
    pub findings: Vec<(TenantCode, Finding)>,
}

/// Something that the operator should know about a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The brake is on: no user of the tenant is deactivated until it is lifted.
    BrakeOn,
    /// All seats are taken: no further user becomes active.
    SeatsFull,
    /// The last token ends within fourteen days, or has ended.
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
        self.findings.iter().filter(|(_, found)| *found == finding).count()
    }
}

impl Operator {
    /// Looks at all tenants, until the time is over. At most three calls for each, and those for
    /// their list.
    ///
    /// # Errors
    /// If the list of tenants cannot be read.
    pub async fn watch(&self, until: Instant) -> Result<Watch, OperatorError> {
        let tenants = self.tenant_rows().await?;
        let count = tenants.len();
        let in_time = stream::iter(tenants).take_while(|_| async { Instant::now() < until });
        let looks = in_time.map(|tenant| async move {
            let code = tenant.code().clone();
            let found = self.look(tenant).await.unwrap_or_else(|error| {
                tracing::warn!(tenant = %code, %error, "a tenant could not be looked at");
                vec![Finding::Unreadable]
            });
            (code, found)
        });
        let looks: Vec<_> = looks.buffered(CONCURRENCY).collect().await;
        let seen = looks.len();
        let findings = looks
            .into_iter()
            .flat_map(|(code, found)| found.into_iter().map(move |one| (code.clone(), one)));
        Ok(Watch { seen, unseen: count - seen, findings: findings.collect() })
    }

    async fn look(&self, row: TenantRow) -> Result<Vec<Finding>, OperatorError> {
        let tenant = self.listed(row)?;
        let (key, now) = (tenant.row.key(), self.clock.seconds());
        let seats = async { Ok(self.store.seats(&key).await?) };
        let tokens = async { Ok(self.store.tokens(&key, now).await?) };
        let (brake, seats, tokens) = tokio::try_join!(self.brake(&tenant.row), seats, tokens)?;
        let valid = tokens.iter().filter(|token| token.revoked.is_none());
        let last_end = valid.map(|token| token.expires.unwrap_or(i64::MAX)).max();
        let is_used = tenant.row.enabled && tenant.row.connected.is_some();
        let findings = [
            (Finding::BrakeOn, matches!(brake, BrakeState::Window(row) if row.tripped.is_some())),
            (
                Finding::SeatsFull,
                seats.is_some_and(|row| row.finite_limit().is_some_and(|limit| row.used >= limit)),
            ),
            (Finding::TokenEnding, is_used && last_end.is_none_or(|end| end < now + TOKEN_NOTICE)),
        ];
        Ok(findings.into_iter().filter(|(_, holds)| *holds).map(|(finding, _)| finding).collect())
    }
}
