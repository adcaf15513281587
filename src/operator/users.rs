//! How the operator restores or removes users.

use scim_core::{ErrorKind, Projection, Query, ResourceId};
use serde_json::Value;

use super::deployment::Operator;
use super::error::OperatorError;
use super::session::Session;
use crate::directory::{RestoreOptions, RestoredByOperator, RestoredGroups, Scope};
use crate::store::TenantRow;

/// A deleted user that was restored.
#[derive(Debug)]
pub struct RestoredUser {
    /// Its id, the same as before.
    pub id: ResourceId,
    /// Its userName.
    pub user_name: String,
    /// Whether it is active.
    pub is_active: bool,
    /// Whether it was active before its deletion, but no seat is left.
    pub lacks_seat: bool,
    /// When it expires, in seconds since 1970, if it is suspended with expiry.
    pub expires: Option<i64>,
    /// The attributes that it came back without, because another user has their unique values now.
    pub left_out: Vec<String>,
    /// Its groups; `None` if an earlier release deleted the user, so that they are not known.
    pub groups: Option<RestoredGroups>,
}

impl Operator {
    /// Restores a deleted user with its id and data, its standing and its groups, as
    /// [`crate::directory::Directory::restore_by_operator`] says. A unique value that another user
    /// has now is left out, except the userName.
    ///
    /// # Errors
    /// [`OperatorError::UserNameTaken`] if another user has the userName and the options do not give
    /// a free one; 404 if there is no such deleted user; 403 without a seat; or if the table
    /// does not respond.
    pub async fn restore_user(
        &self,
        tenant: &TenantRow,
        id: &ResourceId,
        options: RestoreOptions<'_>,
    ) -> Result<RestoredUser, OperatorError> {
        let session = Session::open(self, tenant).await?;
        let users = session.users()?;
        let (directory, call) = (&session.directory, session.call());
        let restored = directory.restore_by_operator(call, users, id, options).await;
        let RestoredByOperator { user, left_out, lacks_seat, expires, groups } =
            restored.map_err(|error| match error.kind {
                ErrorKind::Uniqueness => {
                    let name = options
                        .user_name
                        .map_or_else(|| format!("of {id}"), |name| format!("{name:?}"));
                    OperatorError::UserNameTaken(name)
                }
                _ => error.into(),
            })?;
        Ok(RestoredUser {
            user_name: user.attributes.text("userName").unwrap_or_default().to_owned(),
            is_active: user.attributes.get("active") == Some(&Value::Bool(true)),
            id: user.id,
            left_out,
            lacks_seat,
            expires,
            groups,
        })
    }

    /// Removes an imported user that the identity provider has not provisioned yet. Its names are
    /// free afterwards.
    ///
    /// # Errors
    /// 404 if there is no such imported user, or if the table does not respond.
    pub async fn forget_user(
        &self,
        tenant: &TenantRow,
        id: &ResourceId,
    ) -> Result<(), OperatorError> {
        let session = Session::open(self, tenant).await?;
        Ok(session.directory.forget(session.call(), session.users()?, id).await?)
    }

    /// The id of the first user that matches a filter, or of the first user without a filter.
    ///
    /// # Errors
    /// If the filter is not valid, or the table does not answer.
    pub async fn first_user(
        &self,
        tenant: &TenantRow,
        filter: Option<&str>,
    ) -> Result<Option<ResourceId>, OperatorError> {
        let (users, _) = self.users_matching(tenant, filter, 1).await?;
        let Some(user) = users.first() else { return Ok(None) };
        let id = user.get("id").and_then(|id| id.as_str()?.parse().ok());
        id.map(Some).ok_or(OperatorError::Unexpected("a user has no valid id"))
    }

    /// The first visible users that match a filter, or of all users without one, at most `max` and
    /// at most a page, as a client would see them, and whether these are all.
    ///
    /// # Errors
    /// If the filter is not valid or asks for too much, or the table does not answer.
    pub async fn users_matching(
        &self,
        tenant: &TenantRow,
        filter: Option<&str>,
        max: usize,
    ) -> Result<(Vec<Value>, bool), OperatorError> {
        let session = Session::open(self, tenant).await?;
        let users = session.users()?;
        let projection = Projection::new(&[], &[], &users.definition);
        let scope = Scope { resource_type: users, projection };
        let pairs = filter.map(|filter| ("filter".to_owned(), filter.to_owned()));
        let pairs = pairs.into_iter().chain([("count".to_owned(), max.to_string())]);
        let query = Query::from_pairs(pairs)?;
        let found = session.directory.query(session.call(), &[scope], &query).await?;
        let is_complete = found.total.is_some_and(|all| all <= found.resources.len());
        let users = found.resources.iter().map(|user| serde_json::from_str(user.get()));
        let users = users.collect::<Result<_, _>>();
        let users = users.map_err(|_| OperatorError::Unexpected("a user is not JSON"))?;
        Ok((users, is_complete))
    }
}
