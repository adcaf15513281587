//! All users of a tenant, including the deleted and the imported ones.

use std::collections::BTreeMap;

use scim_core::{Projection, ResourceId};
use serde_json::Value;
use time::OffsetDateTime;

use super::deployment::Operator;
use super::error::OperatorError;
use super::session::Session;
use crate::directory::states::State;
use crate::store::{Collection, Kind, Listed, Operation, Stage, Store, TenantRow, Walk};

/// A user of an export.
#[derive(Debug)]
pub struct ExportedUser {
    /// Its state.
    pub state: State,
    /// When it will be erased, if it will be.
    pub expires: Option<OffsetDateTime>,
    /// The user as a client would see it.
    pub user: Value,
    /// The verified e-mail addresses of an imported user.
    pub verified_emails: Vec<String>,
}

/// An export that is read batch by batch.
pub struct Export<'o> {
    store: &'o Store,
    session: Session,
    collection: Collection,
    walk: Walk<'o>,
    /// The state of the users to export; `None` exports all users.
    state: Option<State>,
    now: i64,
    /// The id of its row in the log, if it has one.
    id: Option<String>,
    /// How many users it has returned.
    count: u64,
}

impl Operator {
    /// Begins an export of a tenant's users, all of them or those in one state. The log says so, and
    /// at the end how many there were.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn export(
        &self,
        tenant: &TenantRow,
        state: Option<State>,
    ) -> Result<Export<'_>, OperatorError> {
        let export = self.users(tenant, state).await?;
        let what = std::iter::once("users").chain(state.map(State::word)).map(str::to_owned);
        let audit = self.audit(tenant, Operation::Export);
        let id = self.store.begin_export(&tenant.key(), what.collect(), &audit).await?;
        Ok(Export { id: Some(id), ..export })
    }

    /// Begins to read a tenant's users, all of them or those in one state, for somebody who looks at
    /// some of them. The log says nothing of it.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn users(
        &self,
        tenant: &TenantRow,
        state: Option<State>,
    ) -> Result<Export<'_>, OperatorError> {
        let session = Session::open(self, tenant).await?;
        let collection = Collection { tenant: session.tenant.key(), kind: Kind::User };
        let now = self.clock.seconds();
        let walk = self.store.everyone(&collection, now);
        let (store, id) = (&self.store, None);
        Ok(Export { store, session, collection, walk, state, now, id, count: 0 })
    }
}

impl Export<'_> {
    /// The next users, in the order of their keys; `None` at the end.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<ExportedUser>>, OperatorError> {
        let Some(mut batch) = self.walk.next_batch().await? else {
            if let Some(id) = &self.id {
                self.store.end_export(&self.collection.tenant, id, self.count).await?;
            }
            return Ok(None);
        };
        batch.retain(|user| self.state.is_none_or(|state| state == self.state_of(user)));
        self.count += batch.len() as u64;
        let mut emails = self.verified_emails(&batch).await?;
        let exported = batch.into_iter().map(|user| {
            let verified = emails.remove(&user.id).unwrap_or_default();
            self.exported(user, verified)
        });
        exported.collect::<Result<_, _>>().map(Some)
    }

    fn state_of(&self, user: &Listed) -> State {
        State::of(Some(user.standing), self.now)
    }

    /// The verified addresses of imported users, which list results do not contain.
    async fn verified_emails(
        &self,
        users: &[Listed],
    ) -> Result<BTreeMap<ResourceId, Vec<String>>, OperatorError> {
        let imported = users.iter().filter(|user| user.standing.state == Stage::Unmanaged);
        let ids = imported.map(|user| user.id.clone()).collect();
        let users = self.store.resources(&self.collection, ids, self.now).await?;
        let imported = users.into_iter().filter(|user| user.state == Stage::Unmanaged);
        Ok(imported
            .map(|user| (user.resource.id.clone(), user.names().emails().to_vec()))
            .collect())
    }

    fn exported(
        &self,
        user: Listed,
        verified_emails: Vec<String>,
    ) -> Result<ExportedUser, OperatorError> {
        let definition = &self.session.users()?.definition;
        let projection = Projection::new(&[], &[], definition);
        let state = self.state_of(&user);
        let expires = user.standing.expires;
        let expires = expires.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        let user = definition.represent(user.into_resource()?, &projection, &self.session.base_url);
        let user = serde_json::to_value(&user)
            .map_err(|_| OperatorError::Unexpected("a user cannot be written as JSON"))?;
        Ok(ExportedUser { state, expires, user, verified_emails })
    }
}
