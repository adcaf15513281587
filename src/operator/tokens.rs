//! Bearer tokens: issued, rotated, shown again, listed and revoked.

use std::collections::BTreeSet;
use std::time::Duration;

use super::deployment::Operator;
use super::error::OperatorError;
use super::records::{RecordChange, Unusable};
use crate::auth::records::{MAX_TOKENS, TenantRecord, TokenRecord};
use crate::auth::token::PlainToken;
use crate::store::{SecretNumber, TenantRow, TokenRow};
use crate::tenant::Profile;
use crate::tenant::profile::Reveal;

/// Maximum number of characters of a label.
const MAX_LABEL: usize = 64;
/// How often the digest of a token that is listed as valid is looked for, and the pause in between.
const LOOKS: usize = 3;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);
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
    /// When it was minted, in seconds since 1970; `None` if the table does not list it.
    pub created: Option<i64>,
    /// When it expires, in seconds since 1970, if it does.
    pub expires: Option<i64>,
    /// What the operator calls it.
    pub label: Option<String>,
    /// When it was revoked, in seconds since 1970, if it was.
    pub revoked: Option<i64>,
}

/// A tenant that moved from one secret to another.
#[derive(Debug)]
pub struct MovedTenant {
    /// The name of the secret that it was in.
    pub from: String,
    /// The name of the secret that it is in.
    pub to: String,
}

/// Whether a token is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It is accepted.
    Good,
    /// It is refused, because it has expired.
    Expired,
    /// It is refused, because the operator revoked it, or because its minting was interrupted.
    Revoked,
}

/// A token to mint.
struct Order<'o> {
    /// When it expires, in seconds since 1970, if it does.
    expires: Option<i64>,
    label: Option<&'o str>,
    /// The time from which the other tokens are refused, if they are.
    others_expire: Option<i64>,
}

impl ListedToken {
    /// A token as the table and the secret know it.
    fn of(row: TokenRow, record: Option<&TokenRecord>, now: i64) -> Self {
        let expires = record.map_or(row.expires, |record| record.expires);
        let is_expired = expires.is_some_and(|at| at <= now);
        let state = match record {
            Some(_) if is_expired => TokenState::Expired,
            Some(_) => TokenState::Good,
            None if is_expired && row.revoked.is_none() => TokenState::Expired,
            None => TokenState::Revoked,
        };
        let (created, revoked) = (Some(row.created.div_euclid(1_000)), row.revoked);
        Self { key_id: row.key_id, state, created, expires, label: row.label, revoked }
    }
}

impl Operator {
    /// Mints a token and stores its digest. The other tokens stay valid.
    ///
    /// # Errors
    /// [`OperatorError::TooManyTokens`], [`OperatorError::InvalidLabel`], or if the table or the
    /// secrets do not answer.
    pub async fn issue_token(
        &self,
        tenant: &TenantRow,
        lifetime: Lifetime,
        label: Option<&str>,
    ) -> Result<NewToken, OperatorError> {
        let expires = self.end(tenant, lifetime)?;
        self.mint(tenant, &Order { expires, label, others_expire: None }).await
    }

    /// Mints a token that replaces the others. They stay valid for `overlap_days`, or for as many
    /// days as the tenant's profile says. Without an overlap it also replaces a record that is
    /// missing or cannot be read.
    ///
    /// # Errors
    /// The same as [`Operator::issue_token`].
    pub async fn rotate_tokens(
        &self,
        tenant: &TenantRow,
        overlap_days: Option<u32>,
        label: Option<&str>,
    ) -> Result<Rotation, OperatorError> {
        let policy = Profile::read(&tenant.profile)?.token;
        let days = i64::from(overlap_days.unwrap_or(policy.overlap_days));
        let others_expire = self.clock.seconds() + days * DAY;
        let expires = self.end(tenant, Lifetime::Profile)?;
        let order = Order { expires, label, others_expire: Some(others_expire) };
        let token = self.mint(tenant, &order).await?;
        let now = self.clock.seconds();
        for row in self.store.tokens(&tenant.key(), now).await? {
            let is_other = row.key_id != token.token.key_id().as_str() && row.revoked.is_none();
            if is_other && row.expires.is_none_or(|at| at > others_expire) {
                self.store.expire_token(&tenant.key(), &row.key_id, others_expire).await?;
            }
        }
        Ok(Rotation { token, others_expire })
    }

    fn end(&self, tenant: &TenantRow, lifetime: Lifetime) -> Result<Option<i64>, OperatorError> {
        let days = match lifetime {
            Lifetime::Profile => Profile::read(&tenant.profile)?.token.lifetime_days,
            Lifetime::Days(days) => days,
            Lifetime::Unlimited => return Ok(None),
        };
        Ok(Some(self.clock.seconds() + i64::from(days) * DAY))
    }

    /// Mints a token. It is listed before it can be valid.
    async fn mint(&self, tenant: &TenantRow, order: &Order<'_>) -> Result<NewToken, OperatorError> {
        if !order.label.is_none_or(is_label) {
            return Err(OperatorError::InvalidLabel);
        }
        let token = self.listed_token(tenant, order).await?;
        let now = self.clock.seconds();
        let change = |record: &mut TenantRecord| add_token(record, tenant, &token, order, now);
        let starts_over = order.others_expire.is_some_and(|until| until <= now);
        let unusable = if starts_over { Unusable::Replace } else { Unusable::Refuse };
        let known =
            self.change_record(tenant, RecordChange { change, unusable, leave: None }).await;
        if let Err(
            OperatorError::TooManyTokens { .. }
            | OperatorError::BadRecord { .. }
            | OperatorError::MissingRecord { .. },
        ) = known
        {
            self.store.remove_token(&tenant.key(), token.key_id().as_str()).await?;
        }
        let known = known?;
        let kept = Profile::read(&tenant.profile)?.token.reveal == Reveal::Again;
        self.change_kept(tenant, |tokens| {
            // No token is kept longer than the profile allows, or longer than its digest.
            tokens.retain(|key_id, _| kept && known.contains(key_id));
            if kept {
                tokens.insert(token.key_id().as_str().to_owned(), token.reveal().to_owned());
            }
        })
        .await?;
        Ok(NewToken { token, expires: order.expires, kept })
    }

    /// A new token, which is listed already and not valid yet.
    async fn listed_token(
        &self,
        tenant: &TenantRow,
        order: &Order<'_>,
    ) -> Result<PlainToken, OperatorError> {
        loop {
            let token = PlainToken::generate(tenant.code())?;
            let row = TokenRow {
                key_id: token.key_id().as_str().to_owned(),
                created: self.clock.milliseconds(),
                expires: order.expires,
                label: order.label.map(str::to_owned),
                revoked: None,
            };
            if self.store.add_token(&tenant.key(), &row).await? {
                return Ok(token);
            }
        }
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
        let mut listed = self.tokens(tenant).await?;
        listed.retain(|token| token.state == TokenState::Good);
        listed.retain(|token| key_id.is_none_or(|key_id| token.key_id == key_id));
        let newest = listed.pop().ok_or_else(|| OperatorError::NoGoodToken {
            tenant: tenant.name.clone(),
            key_id: key_id.map(str::to_owned),
        })?;
        let mut tokens = self.kept(tenant).await?.tokens;
        let token = tokens.remove(&newest.key_id).filter(|_| kept);
        let token = token.ok_or(OperatorError::TokenNotKept)?;
        Ok(RevealedToken { key_id: newest.key_id, token })
    }

    /// The tenant's tokens, oldest first. The table says what they are, and the secret which of
    /// them are accepted.
    ///
    /// # Errors
    /// If the table or the secrets do not answer.
    pub async fn tokens(&self, tenant: &TenantRow) -> Result<Vec<ListedToken>, OperatorError> {
        let now = self.clock.seconds();
        let record = self.record(tenant).await?.unwrap_or_default();
        let rows = self.store.tokens(&tenant.key(), now).await?;
        let known: BTreeSet<_> = rows.iter().map(|row| row.key_id.clone()).collect();
        let unknown = record.tokens().iter().filter(|(key_id, _)| !known.contains(*key_id));
        let unknown = unknown.map(|(key_id, token)| ListedToken {
            key_id: key_id.clone(),
            state: if token.is_expired(now) { TokenState::Expired } else { TokenState::Good },
            created: None,
            expires: token.expires,
            label: None,
            revoked: None,
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

    /// Revokes a token. The service refuses it within a minute.
    ///
    /// # Errors
    /// [`OperatorError::UnknownToken`], or if the table or the secrets do not answer.
    pub async fn revoke_token(
        &self,
        tenant: &TenantRow,
        key_id: &str,
    ) -> Result<(), OperatorError> {
        let now = self.clock.seconds();
        let rows = self.store.tokens(&tenant.key(), now).await?;
        let listed = rows.iter().find(|row| row.key_id == key_id);
        let is_expected = listed
            .is_some_and(|row| row.revoked.is_none() && row.expires.is_none_or(|at| at > now));
        if !self.remove_digest(tenant, key_id, is_expected).await? && listed.is_none() {
            let (tenant, key_id) = (tenant.name.clone(), key_id.to_owned());
            return Err(OperatorError::UnknownToken { tenant, key_id });
        }
        self.store.revoke_token(&tenant.key(), key_id, now).await?;
        self.change_kept(tenant, |tokens| drop(tokens.remove(key_id))).await
    }

    /// Removes the digest of a token. Returns whether there was one. If one is expected, it is
    /// looked for several times: AWS calls Secrets Manager eventually consistent, and a token that
    /// was just minted must not survive its revocation.
    async fn remove_digest(
        &self,
        tenant: &TenantRow,
        key_id: &str,
        is_expected: bool,
    ) -> Result<bool, OperatorError> {
        let mut existed = false;
        for look in 0..if is_expected { LOOKS } else { 1 } {
            if look > 0 {
                tokio::time::sleep(LOOK_AGAIN_AFTER).await;
            }
            if self.row(tenant).await?.secret.is_some() {
                let change = |record: &mut TenantRecord| {
                    existed |= record.remove(key_id);
                    Ok(())
                };
                let unusable = Unusable::Refuse;
                self.change_record(tenant, RecordChange { change, unusable, leave: None }).await?;
            }
            if existed {
                break;
            }
        }
        Ok(existed)
    }

    /// Moves a tenant's record to the newest secret, or to the next one if it is in the newest. Its
    /// tokens stay as they are.
    ///
    /// # Errors
    /// [`OperatorError::NoGoodToken`] if no token was ever minted, or if the table or the secrets
    /// do not answer.
    pub async fn move_tokens(&self, tenant: &TenantRow) -> Result<MovedTenant, OperatorError> {
        let name = |number: Option<SecretNumber>| {
            number.map(|number| self.secrets.shared_name(number)).ok_or_else(|| {
                OperatorError::NoGoodToken { tenant: tenant.name.clone(), key_id: None }
            })
        };
        let leave = self.row(tenant).await?.secret;
        let from = name(leave)?;
        let (change, unusable) = (|_: &mut TenantRecord| Ok(()), Unusable::Refuse);
        self.change_record(tenant, RecordChange { change, unusable, leave }).await?;
        Ok(MovedTenant { from, to: name(self.row(tenant).await?.secret)? })
    }
}

/// Whether a label has 1 to 64 printable characters.
fn is_label(label: &str) -> bool {
    let is_printable = |c: char| !c.is_control() && (c == ' ' || !c.is_whitespace());
    (1..=MAX_LABEL).contains(&label.chars().count()) && label.chars().all(is_printable)
}

/// Adds a new token to a tenant's record. Returns the key ids of all.
fn add_token(
    record: &mut TenantRecord,
    tenant: &TenantRow,
    token: &PlainToken,
    order: &Order<'_>,
    now: i64,
) -> Result<BTreeSet<String>, OperatorError> {
    if let Some(until) = order.others_expire {
        record.expire(until);
    }
    // Tokens that can never be accepted again make room for new ones.
    record.remove_expired(now);
    record.add(token, order.expires);
    let count = record.tokens().len();
    if count > MAX_TOKENS {
        let tenant = tenant.name.clone();
        return Err(OperatorError::TooManyTokens { tenant, count: count - 1 });
    }
    Ok(record.tokens().keys().cloned().collect())
}
