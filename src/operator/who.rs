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
        Ok(self.pick_user(who, self.users_named(tenant, who).await?)?.0)
    }

    /// The user who is meant among those of one name: a visible one comes before all others. Returns
    /// the others too.
    ///
    /// # Errors
    /// [`OperatorError::Ambiguous`] if several may be meant.
    pub(super) fn pick_user(
        &self,
        who: &str,
        named: Vec<Stored>,
    ) -> Result<(Option<Stored>, Vec<Stored>), OperatorError> {
        let now = self.clock.seconds();
        let (visible, others): (Vec<_>, Vec<_>) =
            named.into_iter().partition(|user| user.is_visible(now));
        if visible.is_empty() {
            return Ok((self.only_user("users", who, others)?, Vec::new()));
        }
        Ok((self.only_user("users", who, visible)?, others))
    }

    fn only_user(
        &self,
        what: &'static str,
        who: &str,
        found: Vec<Stored>,
    ) -> Result<Option<Stored>, OperatorError> {
        let now = self.clock.seconds();
        only(what, who, found, |user| {
            let name = user.resource.attributes.text("userName").unwrap_or_default();
            format!("{name}, {}", State::of(Some(user.standing()), now).word())
        })
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
        id_of(self.find_user(tenant, who).await?, who)
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
        id_of(self.only_user("deleted users", who, found)?, who)
    }

    /// The resource of a collection whose id a text is.
    ///
    /// # Errors
    /// If the table does not respond.
    pub(super) async fn with_id(
        &self,
        collection: &Collection,
        text: &str,
    ) -> Result<Option<Stored>, OperatorError> {
        let Ok(id) = text.parse() else { return Ok(None) };
        Ok(self.store.resource(collection, &id, self.clock.seconds()).await?)
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
        if let Some(user) = self.with_id(&users, who).await? {
            return Ok(vec![user]);
        }
        let session = Session::open(self, tenant).await?;
        let mut attributes = Attributes::default();
        for name in ["userName", "externalId"] {
            attributes.set(name, Value::String(who.to_owned()));
        }
        let names = Names::of(&session.users()?.definition, &attributes)?;
        Ok(self.store.known_as(&users, &names, self.clock.seconds()).await?)
    }
}

/// The id of a user who was found, or else the text as an id.
fn id_of(user: Option<Stored>, text: &str) -> Result<ResourceId, OperatorError> {
    match user {
        Some(user) => Ok(user.resource.id),
        None => text.parse().map_err(|()| OperatorError::UnknownUser(text.to_owned())),
    }
}

/// The one resource of a name. Several are refused, each with its id and what tells it from the
/// others.
///
/// # Errors
/// [`OperatorError::Ambiguous`].
pub(super) fn only(
    what: &'static str,
    who: &str,
    mut found: Vec<Stored>,
    described: impl Fn(&Stored) -> String,
) -> Result<Option<Stored>, OperatorError> {
    if found.len() > 1 {
        let described = |one: &Stored| format!("{} ({})", one.resource.id, described(one));
        let (who, ids) = (who.to_owned(), found.iter().map(described).collect());
        return Err(OperatorError::Ambiguous { what, who, ids });
    }
    Ok(found.pop())
}
