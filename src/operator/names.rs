//! The names of users and groups by their ids.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::ResourceId;

use super::deployment::Operator;
use super::error::OperatorError;
use crate::store::{Collection, Kind, TenantKey};

impl Operator {
    /// The userNames and displayNames of the users and groups with these ids, as far as they exist
    /// or can still be restored. One call for every hundred.
    ///
    /// # Errors
    /// If the table does not respond.
    pub(super) async fn names(
        &self,
        tenant: &TenantKey,
        users: BTreeSet<ResourceId>,
        groups: BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, String>, OperatorError> {
        let collection = Collection { tenant: tenant.clone(), kind: Kind::User };
        let ids = users.into_iter().collect();
        let (users, groups) = tokio::try_join!(
            self.store.resources(&collection, ids, self.clock.seconds()),
            self.store.group_names(tenant, &groups)
        )?;
        let users = users.into_iter().filter_map(|user| {
            let name = user.resource.attributes.text("userName")?.to_owned();
            Some((user.resource.id, name))
        });
        let groups = groups.into_iter().filter_map(|(id, name)| Some((id, name?)));
        Ok(users.chain(groups).collect())
    }
}
