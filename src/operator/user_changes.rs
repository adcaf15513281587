//! How the operator suspends, activates or deletes one user.

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use super::deployment::Operator;
use super::error::OperatorError;
use super::session::Session;
use crate::directory::ChangedByOperator;
use crate::store::TenantRow;

/// A user whom the operator has changed. The identity provider may undo it at its next sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedUser {
    /// The id.
    pub id: ResourceId,
    /// The userName.
    pub user_name: String,
    /// When the user is erased, in seconds since 1970; `None` if no time is set, or if the user was
    /// deleted for good.
    pub expires: Option<i64>,
    /// Whether anything was written: the user may have been so already.
    pub is_changed: bool,
}

impl From<ChangedByOperator> for ChangedUser {
    fn from(ChangedByOperator { user, expires, is_changed }: ChangedByOperator) -> Self {
        let name = |attributes: &Attributes| attributes.text("userName").map(str::to_owned);
        let user_name = name(&user.attributes).unwrap_or_default();
        Self { id: user.id, user_name, expires, is_changed }
    }
}

impl Operator {
    /// Makes a user inactive, with the expiry that the profile says. Neither the brake nor the
    /// switches of `operations` apply.
    ///
    /// # Errors
    /// 404 if no visible user has this id, or if the table does not respond.
    pub async fn suspend_user(
        &self,
        tenant: &TenantRow,
        id: &ResourceId,
    ) -> Result<ChangedUser, OperatorError> {
        self.set_active(tenant, id, false).await
    }

    /// Makes a user active.
    ///
    /// # Errors
    /// 404 if no visible user has this id; 403 without a seat; or if the table does not respond.
    pub async fn activate_user(
        &self,
        tenant: &TenantRow,
        id: &ResourceId,
    ) -> Result<ChangedUser, OperatorError> {
        self.set_active(tenant, id, true).await
    }

    /// Deletes a user, softly or for good as the profile says. Neither the brake nor the switches
    /// of `operations` apply.
    ///
    /// # Errors
    /// 404 if no visible user has this id; 400 if the profile does not delete users
    /// (`deprovision.on_delete` is `refuse`); or if the table does not respond.
    pub async fn delete_user(
        &self,
        tenant: &TenantRow,
        id: &ResourceId,
    ) -> Result<ChangedUser, OperatorError> {
        let session = Session::open(self, tenant).await?;
        let (call, users) = (session.call(), session.users()?);
        Ok(session.directory.delete_by_operator(call, users, id).await?.into())
    }

    async fn set_active(
        &self,
        tenant: &TenantRow,
        id: &ResourceId,
        active: bool,
    ) -> Result<ChangedUser, OperatorError> {
        let session = Session::open(self, tenant).await?;
        let (call, users) = (session.call(), session.users()?);
        let changed = session.directory.activate_by_operator(call, users, id, active, None).await;
        Ok(changed?.into())
    }
}
