//! Bearer tokens: listed, shown again, and made to agree with the list.

use std::collections::BTreeSet;

use super::deployment::Operator;
use super::error::OperatorError;
use super::records::{RecordChange, Unusable};
use crate::auth::records::{TenantRecord, TokenRecord};
use crate::auth::token::PlainToken;
use crate::store::{Operation, TenantRow, TokenRow};
use crate::tenant::Profile;
use crate::tenant::profile::Reveal;

/// A token that is shown again.
#[derive(Debug)]
pub struct RevealedToken {
    /// Its key id.
    pub key_id: String,
    /// The token.
    pub token: PlainToken,
}

/// A token in the list of a tenant's tokens, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedToken {
    /// Its key id.
    pub key_id: String,
    /// Whether it is accepted.
    pub state: TokenState,
    /// When it was minted, in seconds since 1970; `None` if the table does not list it.
    pub created: Option<i64>,
    /// When it expires, in seconds since 1970, if it does.
    pub expires: Option<i64>,
    /// What the operator calls it.
    pub label: Option<String>,
    /// When it was revoked, in seconds since 1970, if it was.
    pub revoked: Option<i64>,
    /// The hour in which it was last accepted, in seconds since 1970; `None` if that never happened,
    /// or was before this was recorded.
    pub seen: Option<i64>,
}

/// Whether a token is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It is accepted.
    Good,
    /// It is accepted, although the table says that it was revoked or that it expires earlier: an
    /// earlier version of the secret was made the current one.
    Revived,
    /// It is refused, because it has expired.
    Expired,
    /// It is refused, because the operator revoked it, or because its minting was interrupted.
    Revoked,
}

impl ListedToken {
    /// A token as the table and the secret know it.
    fn of(row: TokenRow, record: Option<&TokenRecord>, now: i64) -> Self {
        let expires = record.map_or(row.expires, |record| record.expires);
        let is_expired = expires.is_some_and(|at| at <= now);
        let is_revived = record.is_some_and(|record| is_revived(&row, record));
        let state = match record {
            Some(_) if is_expired => TokenState::Expired,
            Some(_) if is_revived => TokenState::Revived,
            Some(_) => TokenState::Good,
            None if is_expired && row.revoked.is_none() => TokenState::Expired,
            None => TokenState::Revoked,
        };
        let (created, revoked) = (Some(row.created.div_euclid(1_000)), row.revoked);
        let (key_id, label, seen) = (row.key_id, row.label, row.seen);
        Self { key_id, state, created, expires, label, revoked, seen }
    }
}

/// Whether the record accepts a token for longer than the table says.
fn is_revived(row: &TokenRow, record: &TokenRecord) -> bool {
    row.revoked.is_some()
        || row.expires.is_some_and(|end| record.expires.is_none_or(|expires| expires > end))
}

impl Operator {
    /// Shows a token again: the newest valid one, or the one with this key id. The log says so.
    ///
    /// # Errors
    /// [`OperatorError::NoGoodToken`]; [`OperatorError::TokenNotKept`] unless the tenant's profile
    /// keeps tokens now and did so when the token was minted.
    pub async fn reveal_token(
        &self,
        tenant: &TenantRow,
        key_id: Option<&str>,
    ) -> Result<RevealedToken, OperatorError> {
        let kept = Profile::read(&tenant.profile)?.token.reveal == Reveal::Again;
        let mut listed = self.tokens(tenant).await?;
        listed.retain(|token| token.state == TokenState::Good);
        listed.retain(|token| key_id.is_none_or(|key_id| token.key_id == key_id));
        let newest = listed.pop().ok_or_else(|| OperatorError::NoGoodToken {
            tenant: tenant.name.clone(),
            key_id: key_id.map(str::to_owned),
        })?;
        let mut tokens = self.kept(tenant).await?.tokens;
        let token = tokens.remove(&newest.key_id).filter(|_| kept);
        let token = token.and_then(|token| PlainToken::parse(&token));
        let token = token.ok_or(OperatorError::TokenNotKept)?;
        let audit = self.audit(tenant, Operation::Reveal);
        self.store.log_token(&tenant.key(), &newest.key_id, &audit).await?;
        Ok(RevealedToken { key_id: newest.key_id, token })
    }

    /// The tenant's tokens, oldest first. The table says what they are, and the secret which of
    /// them are accepted.
    ///
    /// # Errors
    /// If the table or the secrets do not answer.
    pub async fn tokens(&self, tenant: &TenantRow) -> Result<Vec<ListedToken>, OperatorError> {
        let now = self.clock.seconds();
        // The table lists a token before its digest is stored, and after it was removed.
        let mut rows = self.store.tokens(&tenant.key(), now).await?;
        let record = self.record(tenant).await?.unwrap_or_default();
        let is_listed =
            |rows: &[TokenRow], key_id: &str| rows.iter().any(|row| row.key_id == key_id);
        if record.tokens().keys().any(|key_id| !is_listed(&rows, key_id)) {
            rows = self.store.tokens(&tenant.key(), now).await?;
        }
        let unknown = record.tokens().iter().filter(|(key_id, _)| !is_listed(&rows, key_id));
        let unknown = unknown.map(|(key_id, token)| ListedToken {
            key_id: key_id.clone(),
            state: if token.is_expired(now) { TokenState::Expired } else { TokenState::Good },
            created: None,
            expires: token.expires,
            label: None,
            revoked: None,
            seen: None,
        });
        let mut listed: Vec<_> = unknown.collect();
        listed.extend(rows.into_iter().map(|row| {
            let token = record.tokens().get(&row.key_id);
            ListedToken::of(row, token, now)
        }));
        Ok(listed)
    }

    /// Whether the tenant accepts a token now.
    ///
    /// # Errors
    /// If the table or the secrets do not answer.
    pub async fn accepts_token(
        &self,
        tenant: &TenantRow,
        token: &PlainToken,
    ) -> Result<bool, OperatorError> {
        let record = self.record(tenant).await?;
        Ok(record.is_some_and(|record| record.admits(token, self.clock.seconds())))
    }

    /// Ends the tokens that the table lists as revoked, or with an earlier end than the record: the
    /// record is an earlier one if an earlier version of the secret was made the current one.
    /// Returns their key ids.
    ///
    /// # Errors
    /// If the table or the secrets do not answer.
    pub async fn reconcile_tokens(&self, tenant: &TenantRow) -> Result<Vec<String>, OperatorError> {
        if self.row(tenant).await?.secret.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.store.tokens(&tenant.key(), self.clock.seconds()).await?;
        let mut revived = BTreeSet::new();
        let change = |record: &mut TenantRecord| {
            for row in &rows {
                let token = record.tokens().get(&row.key_id);
                if !token.is_some_and(|token| is_revived(row, token)) {
                    continue;
                }
                revived.insert(row.key_id.clone());
                match row.expires {
                    Some(expires) if row.revoked.is_none() => {
                        record.expire_token(&row.key_id, expires);
                    }
                    _ => drop(record.remove(&row.key_id)),
                }
            }
            Ok(())
        };
        let mut change = RecordChange::new(change, Unusable::Refuse);
        self.change_record(tenant, &mut change).await?;
        Ok(revived.into_iter().collect())
    }
}
