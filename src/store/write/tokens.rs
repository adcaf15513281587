//! The rows of tokens, and which secret holds the digests of a tenant. One call each. Without an
//! audit the log says nothing.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::audit::Audit;
use crate::store::model::secret_number::SecretNumber;
use crate::store::model::tenant_key::{TenantCode, TenantKey};
use crate::store::rows::log::{self, Entry};
use crate::store::rows::role::Transaction;
use crate::store::rows::shared_secret;
use crate::store::rows::token::{self, TokenRow};

impl Store {
    /// Lists a new token; `false` if the tenant has used the key id before.
    pub async fn add_token(
        &self,
        tenant: &TenantKey,
        token: &TokenRow,
        audit: Option<&Audit>,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        token.create(&mut transaction, tenant)?;
        log::add_if(&mut transaction, tenant.code(), audit, Entry::token(&token.key_id))?;
        transaction.try_commit(self).await
    }

    /// Records when a token expires; `false` if it is not listed.
    pub async fn expire_token(
        &self,
        tenant: &TenantKey,
        key_id: &str,
        at: i64,
        audit: Option<&Audit>,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        token::expire(&mut transaction, tenant, key_id, at)?;
        log::add_if(&mut transaction, tenant.code(), audit, Entry::token(key_id))?;
        transaction.try_commit(self).await
    }

    /// Records that a token was revoked; `false` if that was recorded before, or it is not listed.
    pub async fn revoke_token(
        &self,
        tenant: &TenantKey,
        key_id: &str,
        now: i64,
        audit: Option<&Audit>,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        token::revoke(&mut transaction, tenant, key_id, now)?;
        log::add_if(&mut transaction, tenant.code(), audit, Entry::token(key_id))?;
        transaction.try_commit(self).await
    }

    /// Records the hour in which a token was accepted; `false` if that was recorded before, or the
    /// token is not listed.
    pub async fn note_token_use(
        &self,
        tenant: &TenantKey,
        key_id: &str,
        hour: i64,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        token::note_use(&mut transaction, tenant, key_id, hour)?;
        transaction.try_commit(self).await
    }

    /// Records in the log alone what was done with a token.
    pub async fn log_token(
        &self,
        tenant: &TenantKey,
        key_id: &str,
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        log::add(&mut transaction, tenant.code(), audit, Entry::token(key_id))?;
        transaction.commit(self).await?;
        Ok(())
    }

    /// Removes a token from the list.
    pub async fn remove_token(
        &self,
        tenant: &TenantKey,
        key_id: &str,
        audit: Option<&Audit>,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        token::remove(&mut transaction, tenant, key_id)?;
        log::add_if(&mut transaction, tenant.code(), audit, Entry::token(key_id))?;
        transaction.commit(self).await?;
        Ok(())
    }

    /// Begins the secret after the newest one as it was read; `false` if another one was begun
    /// since.
    pub async fn begin_secret(&self, seen: Option<SecretNumber>) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        shared_secret::advance(&mut transaction, seen)?;
        transaction.try_commit(self).await
    }

    /// Records that a tenant moves away from its secret; `false` if it has another one.
    pub async fn begin_move(
        &self,
        code: &TenantCode,
        from: SecretNumber,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        shared_secret::begin_move(&mut transaction, code, from)?;
        transaction.try_commit(self).await
    }

    /// Records the secret of a tenant that moves from this one, or that had no secret; `false` if
    /// the tenant's row says something else.
    pub async fn end_move(
        &self,
        code: &TenantCode,
        from: Option<SecretNumber>,
        to: SecretNumber,
        audit: Option<&Audit>,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        shared_secret::end_move(&mut transaction, code, from, to)?;
        log::add_if(&mut transaction, code, audit, Entry::tenant())?;
        transaction.try_commit(self).await
    }
}
