//! How the operator names a user: by the id, the userName, the externalId, or an e-mail address.

use scim_core::ResourceId;
use scim_core::resource::Attributes;
use serde_json::Value;

use super::deployment::Operator;
use super::error::OperatorError;
use super::session::Session;
use crate::directory::states::State;
use crate::store::{Collection, Kind, Names, Stage, Stored, TenantRow};

impl Operator {
    /// The user whom a text names, in any state: by the id, or else by the userName, the externalId
    /// or an e-mail address. A visible user comes before a deleted or an imported one; `None` if
    /// there is no such user.
    ///
    /// # Errors
    /// [`OperatorError::Ambiguous`] if the text names several, or if the table does not respond.
    pub async fn find_user(
        &self,
        tenant: &TenantRow,
        who: &str,
    ) -> Result<Option<Stored>, OperatorError> {
        let mut found = self.users_named(tenant, who).await?;
        let now = self.clock.seconds();
        if found.iter().any(|user| user.is_visible(now)) {
            found.retain(|user| user.is_visible(now));
        }
        if found.len() > 1 {
            let (who, ids) =
                (who.to_owned(), found.iter().map(|user| described(user, now)).collect());
            return Err(OperatorError::Ambiguous { what: "users", who, ids });
        }
        Ok(found.pop())
    }

    /// The id of the deleted user whom a text names, or the id itself: a user who is back already,
    /// but not yet in all groups, is restored further.
    ///
    /// # Errors
    /// [`OperatorError::UnknownUser`], or [`OperatorError::Ambiguous`] if the text names several, or
    /// if the table does not respond.
    pub async fn find_deleted(
        &self,
        tenant: &TenantRow,
        who: &str,
    ) -> Result<ResourceId, OperatorError> {
        let mut found = self.users_named(tenant, who).await?;
        found.retain(|user| user.state == Stage::Deleted);
        if found.len() > 1 {
            let now = self.clock.seconds();
            let (who, ids) =
                (who.to_owned(), found.iter().map(|user| described(user, now)).collect());
            return Err(OperatorError::Ambiguous { what: "deleted users", who, ids });
        }
        match found.pop() {
            Some(user) => Ok(user.resource.id),
            None => who.parse().map_err(|()| OperatorError::UnknownUser(who.to_owned())),
        }
    }

    /// All users in any state whom a text names by the id, or else by the userName, the externalId
    /// or an e-mail address.
    ///
    /// # Errors
    /// If the table does not respond.
    pub(super) async fn users_named(
        &self,
        tenant: &TenantRow,
        who: &str,
    ) -> Result<Vec<Stored>, OperatorError> {
        let users = Collection { tenant: tenant.key(), kind: Kind::User };
        let now = self.clock.seconds();
        if let Ok(id) = who.parse::<ResourceId>()
            && let Some(user) = self.store.resource(&users, &id, now).await?
        {
            return Ok(vec![user]);
        }
        let session = Session::open(self, tenant).await?;
        let mut attributes = Attributes::default();
        for name in ["userName", "externalId"] {
            attributes.set(name, Value::String(who.to_owned()));
        }
        let names = Names::of(&session.users()?.definition, &attributes)?;
        Ok(self.store.known_as(&users, &names, now).await?)
    }

    /// The id of the user whom a text names, or the text itself if it can be the id of a resource
    /// that no longer exists, or of a group.
    ///
    /// # Errors
    /// [`OperatorError::UnknownUser`] if it is neither, and the same as [`Operator::find_user`].
    pub async fn find_id(
        &self,
        tenant: &TenantRow,
        who: &str,
    ) -> Result<ResourceId, OperatorError> {
        match self.find_user(tenant, who).await? {
            Some(user) => Ok(user.resource.id),
            None => who.parse().map_err(|()| OperatorError::UnknownUser(who.to_owned())),
        }
    }
}

/// A user with the id, for somebody who must choose.
fn described(user: &Stored, now: i64) -> String {
    let name = user.resource.attributes.text("userName").unwrap_or_default();
    let state = State::of(Some(user.standing()), now).word();
    format!("{} ({name}, {state})", user.resource.id)
}
