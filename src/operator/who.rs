//! How the operator names a user: by the id, the userName, the externalId, or an e-mail address.

use scim_core::ResourceId;
use scim_core::resource::Attributes;
use serde_json::Value;

use super::deployment::Operator;
use super::error::OperatorError;
use super::session::Session;
use crate::store::{Collection, Kind, Names, Stored, TenantRow};

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
        let users = Collection { tenant: tenant.key(), kind: Kind::User };
        let now = self.clock.seconds();
        if let Ok(id) = who.parse::<ResourceId>()
            && let Some(user) = self.store.resource(&users, &id, now).await?
        {
            return Ok(Some(user));
        }
        let session = Session::open(self, tenant).await?;
        let mut attributes = Attributes::default();
        for name in ["userName", "externalId"] {
            attributes.set(name, Value::String(who.to_owned()));
        }
        let names = Names::of(&session.users()?.definition, &attributes)?;
        let mut found = self.store.known_as(&users, &names, now).await?;
        if found.len() > 1 {
            let ids = found.iter().map(|user| user.resource.id.as_str().to_owned());
            let (who, ids) = (who.to_owned(), ids.collect());
            return Err(OperatorError::Ambiguous { what: "users", who, ids });
        }
        Ok(found.pop())
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
