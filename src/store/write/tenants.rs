//! New tenants and their switches.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::audit::Audit;
use crate::store::model::tenant_key::TenantCode;
use crate::store::rows::log::{self, Entry};
use crate::store::rows::role::Transaction;
use crate::store::rows::seats_and_brake;
use crate::store::rows::tenant::{self, TenantRow};

impl Store {
    /// Stores a new tenant, and the limit of its active users if it has one; `false` if its name is
    /// taken. Without an audit the log says nothing. One call.
    pub async fn create_tenant(
        &self,
        tenant: &TenantRow,
        seats: Option<u32>,
        audit: Option<&Audit>,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        tenant.create(&mut transaction)?;
        log::add_if(&mut transaction, tenant.code(), audit, Entry::tenant())?;
        if let Some(limit) = seats {
            seats_and_brake::set_seats(&mut transaction, &tenant.key(), None, 0, limit.into())?;
        }
        transaction.try_commit(self).await
    }

    /// Switches SCIM on or off for a tenant; `false` if the tenant does not exist. Without an audit
    /// the log says nothing. One call.
    pub async fn enable(
        &self,
        code: &TenantCode,
        enabled: bool,
        audit: Option<&Audit>,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        tenant::enable(&mut transaction, code, enabled)?;
        log::add_if(&mut transaction, code, audit, Entry::tenant())?;
        transaction.try_commit(self).await
    }

    /// Records when the first request succeeded; `false` if that was recorded before. One call.
    pub async fn connect(&self, code: &TenantCode, now: i64) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        tenant::connect(&mut transaction, code, now)?;
        transaction.try_commit(self).await
    }
}
