//! The tokens of a tenant, and the newest secret.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::secret_number::SecretNumber;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::shared_secret::{newest, newest_key};
use crate::store::rows::token::{PREFIX, TokenRow};

impl Store {
    /// The tokens of a tenant, the oldest first. One call.
    pub async fn tokens(&self, tenant: &TenantKey, now: i64) -> Result<Vec<TokenRow>, StoreError> {
        let rows = self.query_all(&tenant.own(), PREFIX).await?;
        let kept = rows.iter().filter(|row| !row.is_expired(now));
        let mut tokens = kept.map(TokenRow::read).collect::<Result<Vec<_>, _>>()?;
        tokens.sort_by_key(|token| token.created);
        Ok(tokens)
    }

    /// The newest secret that tenants share, if one was begun. One call.
    pub async fn newest_secret(&self) -> Result<Option<SecretNumber>, StoreError> {
        self.get(newest_key()).await?.as_ref().map(newest).transpose()
    }
}
