//! The tokens that can be shown again.

use std::collections::BTreeMap;

use super::deployment::Operator;
use super::error::OperatorError;
use super::pause::{self, Attempts, TRIES};
use crate::auth::kept_tokens::RevealableTokens;
use crate::store::TenantRow;

impl Operator {
    /// The tokens of a tenant that can be shown again.
    pub(super) async fn kept(&self, tenant: &TenantRow) -> Result<RevealableTokens, OperatorError> {
        for attempt in 0..TRIES {
            pause::before(attempt).await;
            match self.secrets.kept(tenant.code()).await {
                Ok(kept) => return Ok(kept),
                Err(error) => self.recover(error.into()).await?,
            }
        }
        Err(OperatorError::TokensKeepChanging(tenant.name.clone()))
    }

    /// Changes the tokens that can be shown again. Nothing is written if they stay the same.
    pub(super) async fn change_kept(
        &self,
        tenant: &TenantRow,
        mut change: impl FnMut(&mut BTreeMap<String, String>),
    ) -> Result<(), OperatorError> {
        let mut attempts = Attempts::default();
        for attempt in 0..TRIES {
            pause::before(attempt).await;
            let mut kept = self.kept(tenant).await?;
            let before = kept.tokens.clone();
            change(&mut kept.tokens);
            if kept.tokens == before {
                return Ok(());
            }
            let number = attempts.next(kept.version());
            match self.secrets.keep(tenant.code(), &tenant.name, &kept, number).await {
                Ok(()) => return Ok(()),
                Err(error) => self.recover(error.into()).await?,
            }
        }
        Err(OperatorError::TokensKeepChanging(tenant.name.clone()))
    }
}
