//! The tokens that can be shown again.

use super::deployment::Operator;
use super::error::OperatorError;
use super::pause::Attempts;
use crate::auth::kept_tokens::RevealableTokens;
use crate::auth::token::PlainToken;
use crate::store::TenantRow;

/// A change of the tokens that can be shown again.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeptChange<'c> {
    /// This one is added. Those that the tenant's record does not name are removed, so no token is
    /// kept longer than its digest.
    Add(&'c PlainToken),
    /// The one with this key id is removed.
    Remove(&'c str),
    /// All are removed.
    Clear,
}

impl Operator {
    /// The tokens of a tenant that can be shown again.
    pub(super) async fn kept(&self, tenant: &TenantRow) -> Result<RevealableTokens, OperatorError> {
        let kept = self.tried(async || Ok(Some(self.secrets.kept(tenant.code()).await?))).await?;
        kept.ok_or_else(|| self.kept_keep_changing(tenant))
    }

    /// Changes the tokens that can be shown again. Nothing is written if they stay the same.
    pub(super) async fn change_kept(
        &self,
        tenant: &TenantRow,
        change: KeptChange<'_>,
    ) -> Result<(), OperatorError> {
        let mut attempts = Attempts::default();
        let changed = self
            .tried(async || self.try_change_kept(tenant, change, &mut attempts).await.map(Some));
        changed.await?.ok_or_else(|| self.kept_keep_changing(tenant))
    }

    /// Tries a change once.
    async fn try_change_kept(
        &self,
        tenant: &TenantRow,
        change: KeptChange<'_>,
        attempts: &mut Attempts,
    ) -> Result<(), OperatorError> {
        let mut kept = self.secrets.kept(tenant.code()).await?;
        let before = kept.tokens.clone();
        match change {
            KeptChange::Add(token) => {
                // The record is read after them. So it has the key id of each token that another
                // operator has added.
                let record = self.record(tenant).await?.unwrap_or_default();
                kept.tokens.retain(|key_id, _| record.tokens().contains_key(key_id));
                let (key_id, text) = (token.key_id().as_str(), token.reveal());
                kept.tokens.insert(key_id.to_owned(), text.to_owned());
            }
            KeptChange::Remove(key_id) => drop(kept.tokens.remove(key_id)),
            KeptChange::Clear => kept.tokens.clear(),
        }
        if kept.tokens == before {
            return Ok(());
        }
        let number = attempts.next(kept.version());
        Ok(self.secrets.keep(tenant.code(), &tenant.name, &kept, number).await?)
    }

    fn kept_keep_changing(&self, tenant: &TenantRow) -> OperatorError {
        OperatorError::SecretKeepsChanging(self.secrets.kept_name(tenant.code()))
    }
}
