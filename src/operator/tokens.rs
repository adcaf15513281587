//! Bearer tokens: issued, rotated, revoked and moved.

use std::collections::BTreeSet;
use std::time::Duration;

use super::deployment::Operator;
use super::error::OperatorError;
use super::kept_tokens::KeptChange;
use super::records::{RecordChange, Unusable};
use crate::auth::records::{MAX_TOKENS, TenantRecord};
use crate::auth::token::PlainToken;
use crate::store::{Operation, SecretNumber, TenantRow, TokenRow};
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

/// A tenant that moved from one secret to another.
#[derive(Debug)]
pub struct MovedTenant {
    /// The name of the secret that it was in.
    pub from: String,
    /// The name of the secret that it is in.
    pub to: String,
}

/// A token to mint.
struct Order<'o> {
    /// When it expires, in seconds since 1970, if it does.
    expires: Option<i64>,
    label: Option<&'o str>,
    /// The time from which the other tokens are refused, if they are.
    others_expire: Option<i64>,
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
        Ok(self.mint(tenant, &Order { expires, label, others_expire: None }).await?.0)
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
        let (token, others) = self.mint(tenant, &order).await?;
        let now = self.clock.seconds();
        for row in self.store.tokens(&tenant.key(), now).await? {
            // A token that another operator issued since the record was changed stays as it is.
            let is_other = others.contains(&row.key_id) && row.revoked.is_none();
            if is_other && row.expires.is_none_or(|at| at > others_expire) {
                let audit = self.audit(tenant, Operation::Rotate);
                let (key, key_id) = (tenant.key(), &row.key_id);
                self.store.expire_token(&key, key_id, others_expire, Some(&audit)).await?;
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

    /// Mints a token. It is listed before it can be valid. Returns the key ids of the others too, as
    /// they were in the record that was changed.
    async fn mint(
        &self,
        tenant: &TenantRow,
        order: &Order<'_>,
    ) -> Result<(NewToken, BTreeSet<String>), OperatorError> {
        if !order.label.is_none_or(is_label) {
            return Err(OperatorError::InvalidLabel);
        }
        let token = self.listed_token(tenant, order).await?;
        let now = self.clock.seconds();
        let change = |record: &mut TenantRecord| add_token(record, tenant, &token, order, now);
        let starts_over = order.others_expire.is_some_and(|until| until <= now);
        let unusable = if starts_over { Unusable::Replace } else { Unusable::Refuse };
        let mut change = RecordChange::new(change, unusable);
        let others = self.change_record(tenant, &mut change).await;
        if let Err(
            OperatorError::TooManyTokens { .. }
            | OperatorError::BadRecord { .. }
            | OperatorError::MissingRecord { .. },
        ) = others
            && !change.is_written
        {
            let (key_id, audit) = (token.key_id().as_str(), self.audit(tenant, Operation::Revoke));
            self.store.remove_token(&tenant.key(), key_id, Some(&audit)).await?;
        }
        let others = others?;
        let kept = Profile::read(&tenant.profile)?.token.reveal == Reveal::Again;
        // No token is kept longer than the profile allows.
        let change = if kept { KeptChange::Add(&token) } else { KeptChange::Clear };
        self.change_kept(tenant, change).await?;
        Ok((NewToken { token, expires: order.expires, kept }, others))
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
                seen: None,
            };
            let audit = self.audit(tenant, Operation::Mint);
            if self.store.add_token(&tenant.key(), &row, Some(&audit)).await? {
                return Ok(token);
            }
        }
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
        let audit = self.audit(tenant, Operation::Revoke);
        if listed.is_some() {
            self.store.revoke_token(&tenant.key(), key_id, now, Some(&audit)).await?;
        } else {
            self.store.log_token(&tenant.key(), key_id, &audit).await?;
        }
        self.change_kept(tenant, KeptChange::Remove(key_id)).await
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
                let mut change = RecordChange::new(change, Unusable::Refuse);
                self.change_record(tenant, &mut change).await?;
            }
            if existed {
                break;
            }
        }
        Ok(existed)
    }

    /// The name of the secret that holds the digests of a tenant's tokens, if one was ever minted.
    pub fn secret_of(&self, tenant: &TenantRow) -> Option<String> {
        tenant.secret.map(|number| self.secrets.shared_name(number))
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
        let leaves = self.row(tenant).await?.secret;
        let from = name(leaves)?;
        let change = RecordChange::new(|_: &mut TenantRecord| Ok(()), Unusable::Refuse);
        self.change_record(tenant, &mut RecordChange { leaves, ..change }).await?;
        Ok(MovedTenant { from, to: name(self.row(tenant).await?.secret)? })
    }
}

/// Whether a label has 1 to 64 printable characters.
fn is_label(label: &str) -> bool {
    let is_printable = |c: char| !c.is_control() && (c == ' ' || !c.is_whitespace());
    (1..=MAX_LABEL).contains(&label.chars().count()) && label.chars().all(is_printable)
}

/// Adds a new token to a tenant's record. Returns the key ids of the others.
fn add_token(
    record: &mut TenantRecord,
    tenant: &TenantRow,
    token: &PlainToken,
    order: &Order<'_>,
    now: i64,
) -> Result<BTreeSet<String>, OperatorError> {
    let others = record.tokens().keys().filter(|key_id| *key_id != token.key_id().as_str());
    let others = others.cloned().collect();
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
    Ok(others)
}
