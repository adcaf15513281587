//! Bearer tokens: issued, rotated, shown again, listed and revoked.

use std::collections::{BTreeMap, BTreeSet};

use super::deployment::Operator;
use super::error::OperatorError;
use crate::auth::records::TokenRecord;
use crate::auth::secrets_manager::SecretsError;
use crate::auth::token::PlainToken;
use crate::store::TenantRow;
use crate::tenant::Profile;
use crate::tenant::profile::Reveal;

/// How many tokens a tenant may have, so that its secret stays far below 64 KB.
pub const MAX_TOKENS: usize = 50;
/// How long after its expiry a token stays in the list when another one is minted, in seconds.
const LISTED_AFTER_EXPIRY: i64 = 30 * DAY;
/// How many times a change is tried again after another one came first.
const TRIES: usize = 10;
const DAY: i64 = 24 * 60 * 60;

/// How long a new token is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the tenant's profile says.
    Profile,
    /// This many days.
    Days(u32),
    /// Until it is revoked.
    Unlimited,
}

/// A token that was minted.
#[derive(Debug)]
pub struct NewToken {
    /// The token.
    pub token: PlainToken,
    /// When it expires, in seconds since 1970, if it does.
    pub expires: Option<i64>,
    /// Whether it is kept, so that it can be shown again.
    pub kept: bool,
}

/// A token that replaces the others.
#[derive(Debug)]
pub struct Rotation {
    /// The new token.
    pub token: NewToken,
    /// The time from which the other tokens are refused, in seconds since 1970.
    pub others_expire: i64,
}

/// A token that is shown again.
#[derive(Debug)]
pub struct RevealedToken {
    /// Its key id.
    pub key_id: String,
    /// The token.
    pub token: String,
}

/// A token in the list of a tenant's tokens, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedToken {
    /// Its key id.
    pub key_id: String,
    /// Whether it is accepted.
    pub state: TokenState,
    /// When it was minted, in seconds since 1970.
    pub created: i64,
    /// When it expires, in seconds since 1970, if it does.
    pub expires: Option<i64>,
}

/// Whether a token is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It is accepted.
    Good,
    /// It is refused, because it has expired.
    Expired,
    /// It is refused, because the operator revoked it.
    Revoked,
}

impl TokenState {
    fn of(record: &TokenRecord, now: i64) -> Self {
        match record {
            record if record.revoked => Self::Revoked,
            record if record.is_expired(now) => Self::Expired,
            _ => Self::Good,
        }
    }
}

impl Operator {
    /// Mints a token and stores its digest. The other tokens stay valid.
    ///
    /// # Errors
    /// [`OperatorError::TooManyTokens`], or if the secrets do not answer.
    pub async fn issue_token(
        &self,
        tenant: &TenantRow,
        lifetime: Lifetime,
    ) -> Result<NewToken, OperatorError> {
        let policy = Profile::read(&tenant.profile)?.token;
        let now = self.clock.seconds();
        let expires = match lifetime {
            Lifetime::Profile => Some(now + i64::from(policy.lifetime_days) * DAY),
            Lifetime::Days(days) => Some(now + i64::from(days) * DAY),
            Lifetime::Unlimited => None,
        };
        let (token, known) =
            self.change_records(tenant, |records| add_token(records, tenant, now, expires)).await?;
        let kept = policy.reveal == Reveal::Again;
        self.change_kept(tenant, |tokens| {
            // No token is kept longer than the profile allows, or longer than its digest.
            tokens.retain(|key_id, _| kept && known.contains(key_id));
            if kept {
                tokens.insert(token.key_id().as_str().to_owned(), token.reveal().to_owned());
            }
        })
        .await?;
        Ok(NewToken { token, expires, kept })
    }

    /// Mints a token that replaces the others. They stay valid for `overlap_days`, or for as many
    /// days as the tenant's profile says.
    ///
    /// # Errors
    /// The same as [`Operator::issue_token`].
    pub async fn rotate_tokens(
        &self,
        tenant: &TenantRow,
        overlap_days: Option<u32>,
    ) -> Result<Rotation, OperatorError> {
        let now = self.clock.seconds();
        let policy = Profile::read(&tenant.profile)?.token;
        let token = self.issue_token(tenant, Lifetime::Profile).await?;
        let until = now + i64::from(overlap_days.unwrap_or(policy.overlap_days)) * DAY;
        self.change_records(tenant, |records| {
            let others = records.iter_mut().filter(|record| !record.is(token.token.key_id()));
            for record in others {
                record.expires = Some(record.expires.map_or(until, |expiry| expiry.min(until)));
            }
            Ok(())
        })
        .await?;
        Ok(Rotation { token, others_expire: until })
    }

    /// Shows a token again: the newest valid one, or the one with this key id.
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
        let (records, now) = (self.secrets.records(tenant.code()).await?, self.clock.seconds());
        let newest = records
            .into_iter()
            .filter(|record| TokenState::of(record, now) == TokenState::Good)
            .filter(|record| key_id.is_none_or(|key_id| record.kid == key_id))
            .max_by_key(|record| record.created);
        let record = newest.ok_or_else(|| OperatorError::NoGoodToken {
            tenant: tenant.name.clone(),
            key_id: key_id.map(str::to_owned),
        })?;
        let mut tokens = self.secrets.kept(tenant.code()).await?.tokens;
        let token = tokens.remove(&record.kid).filter(|_| kept);
        let token = token.ok_or(OperatorError::TokenNotKept)?;
        Ok(RevealedToken { key_id: record.kid, token })
    }

    /// The tenant's tokens, oldest first.
    ///
    /// # Errors
    /// If the secrets do not answer.
    pub async fn tokens(&self, tenant: &TenantRow) -> Result<Vec<ListedToken>, OperatorError> {
        let now = self.clock.seconds();
        let records = self.secrets.records(tenant.code()).await?;
        let listed = records.into_iter().map(|record| ListedToken {
            state: TokenState::of(&record, now),
            key_id: record.kid,
            created: record.created,
            expires: record.expires,
        });
        Ok(listed.collect())
    }

    /// Whether the tenant accepts a token now.
    ///
    /// # Errors
    /// If the secrets do not answer.
    pub async fn accepts_token(
        &self,
        tenant: &TenantRow,
        token: &PlainToken,
    ) -> Result<bool, OperatorError> {
        let records = self.secrets.records(tenant.code()).await?;
        Ok(records.iter().any(|record| record.admits(token, self.clock.seconds())))
    }

    /// Revokes a token. The service refuses it within a minute.
    ///
    /// # Errors
    /// [`OperatorError::UnknownToken`], or if the secrets do not answer.
    pub async fn revoke_token(
        &self,
        tenant: &TenantRow,
        key_id: &str,
    ) -> Result<(), OperatorError> {
        self.change_records(tenant, |records| {
            let record = records.iter_mut().find(|record| record.kid == key_id);
            let unknown = || OperatorError::UnknownToken {
                tenant: tenant.name.clone(),
                key_id: key_id.to_owned(),
            };
            record.ok_or_else(unknown)?.revoked = true;
            Ok(())
        })
        .await?;
        self.change_kept(tenant, |tokens| drop(tokens.remove(key_id))).await
    }

    /// Changes a tenant's records. If another change came first, this one starts again from its
    /// result: minting a token must not undo a concurrent revocation.
    async fn change_records<T>(
        &self,
        tenant: &TenantRow,
        mut change: impl FnMut(&mut Vec<TokenRecord>) -> Result<T, OperatorError>,
    ) -> Result<T, OperatorError> {
        for _ in 0..TRIES {
            let current = self.secrets.current(tenant.code()).await?;
            let mut records = current.records.clone();
            let result = change(&mut records)?;
            if written(self.secrets.put(tenant.code(), &tenant.name, &current, &records).await)? {
                return Ok(result);
            }
        }
        Err(OperatorError::TokensKeepChanging(tenant.name.clone()))
    }

    /// Changes the tokens that can be shown again. Nothing is written if they stay the same.
    async fn change_kept(
        &self,
        tenant: &TenantRow,
        mut change: impl FnMut(&mut BTreeMap<String, String>),
    ) -> Result<(), OperatorError> {
        for _ in 0..TRIES {
            let mut kept = self.secrets.kept(tenant.code()).await?;
            let before = kept.tokens.clone();
            change(&mut kept.tokens);
            if kept.tokens == before {
                return Ok(());
            }
            if written(self.secrets.keep(tenant.code(), &tenant.name, &kept).await)? {
                return Ok(());
            }
        }
        Err(OperatorError::TokensKeepChanging(tenant.name.clone()))
    }
}

/// Whether a secret was written; `false` if another change came first.
fn written(result: Result<(), SecretsError>) -> Result<bool, OperatorError> {
    match result {
        Ok(()) => Ok(true),
        Err(SecretsError::Changed) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Adds a new token to a tenant's records. Returns it with the key ids of all.
fn add_token(
    records: &mut Vec<TokenRecord>,
    tenant: &TenantRow,
    now: i64,
    expires: Option<i64>,
) -> Result<(PlainToken, BTreeSet<String>), OperatorError> {
    // Tokens that can never be accepted again make room for new ones.
    records.retain(|record| {
        !record.revoked && record.expires.is_none_or(|at| at + LISTED_AFTER_EXPIRY > now)
    });
    if records.len() >= MAX_TOKENS {
        let (tenant, count) = (tenant.name.clone(), records.len());
        return Err(OperatorError::TooManyTokens { tenant, count });
    }
    let token = loop {
        let token = PlainToken::generate(tenant.code())?;
        if !records.iter().any(|record| record.is(token.key_id())) {
            break token;
        }
    };
    records.push(TokenRecord::of(&token, now, expires));
    Ok((token, records.iter().map(|record| record.kid.clone()).collect()))
}
