//! What an operator sees of a tenant at a glance.

use futures_util::future::try_join4;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::brake::BrakeState;
use super::deployment::Operator;
use super::error::OperatorError;
use super::tenants::ListedTenant;
use crate::store::{Collection, Kind, TokenRow};

/// How many tenants are looked at at once.
const CONCURRENCY: usize = 10;

/// A tenant with the state of its connection, its limits and its tokens.
#[derive(Debug)]
pub struct Overview {
    /// The tenant.
    pub tenant: ListedTenant,
    /// Visible users.
    pub users: usize,
    /// Those of them who are active.
    pub active: usize,
    /// Visible groups.
    pub groups: usize,
    /// The state of its brake.
    pub brake: BrakeState,
    /// Its tokens that are valid or were so in the last 30 days, the oldest first.
    pub tokens: Vec<TokenRow>,
}

impl Overview {
    /// The hour in which an identity provider last used one of its tokens, in seconds since 1970.
    pub fn last_seen(&self) -> Option<i64> {
        self.tokens.iter().filter_map(|token| token.seen).max()
    }

    /// The valid token that was used last, or else the newest valid one. `now` is in seconds since
    /// 1970.
    pub fn token(&self, now: i64) -> Option<&TokenRow> {
        let is_good = |token: &&TokenRow| token.expires.is_none_or(|expires| expires > now);
        used_last(self.tokens.iter().filter(is_good))
    }

    /// Whether a valid token is newer than the one that was used last, and was never used.
    pub fn has_unused_token(&self, now: i64) -> bool {
        let used = self.token(now).filter(|token| token.seen.is_some());
        let newest = self.tokens.last().filter(|token| token.revoked.is_none());
        used.zip(newest).is_some_and(|(used, newest)| used != newest && newest.seen.is_none())
    }
}

/// The token that was used last, or else the newest one, of those that were not revoked.
pub(super) fn used_last<'t>(tokens: impl Iterator<Item = &'t TokenRow>) -> Option<&'t TokenRow> {
    let kept = tokens.filter(|token| token.revoked.is_none());
    kept.max_by_key(|token| (token.seen, token.created))
}

impl Operator {
    /// All tenants in the order of their names, each with what an operator asks first. Six calls
    /// for each tenant.
    ///
    /// # Errors
    /// If the table does not respond, or a profile cannot be read.
    pub async fn overviews(&self) -> Result<Vec<Overview>, OperatorError> {
        let tenants = stream::iter(self.tenants().await?);
        let each = tenants.map(|tenant| self.overview(tenant));
        each.buffered(CONCURRENCY).try_collect().await
    }

    /// A tenant with what an operator asks first. Five calls.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn overview(&self, tenant: ListedTenant) -> Result<Overview, OperatorError> {
        let (key, now) = (tenant.row.key(), self.clock.seconds());
        let of = |kind| Collection { tenant: key.clone(), kind };
        let (users, groups) = (of(Kind::User), of(Kind::Group));
        let people = async { Ok(self.store.people(&users).await?) };
        let groups = async { Ok(self.store.count(&groups).await?) };
        let tokens = async { Ok(self.store.tokens(&key, now).await?) };
        let brake = self.brake(&tenant.row);
        let ((users, active), groups, tokens, brake) =
            try_join4(people, groups, tokens, brake).await?;
        Ok(Overview { tenant, users, active, groups, brake, tokens })
    }
}
