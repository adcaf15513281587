//! How imported users are removed: the operator forgets those that are not provisioned.

use scim_core::{Error, ResourceId};

use super::conflict::Terms;
use crate::directory::context::{Call, Directory};
use crate::store::{Operation, Stage, Target, Transition};
use crate::tenant::ServedType;

impl Directory {
    /// Removes an imported user whom the identity provider has not provisioned.
    ///
    /// # Errors
    /// 404 if no such user has this id; 503.
    pub async fn forget(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
    ) -> Result<(), Error> {
        let collection = call.collection(&resource_type.kind);
        let audit = self.audit(call, Operation::Delete);
        let mut terms = Terms::of_stored(call, resource_type);
        loop {
            terms.next_try()?;
            let old = self.store.resource(&collection, id, audit.now).await?;
            let old = old.filter(|old| old.state == Stage::Unmanaged).ok_or_else(|| {
                Error::not_found("No imported user with this id is waiting to be provisioned.")
            })?;
            let guards = self.guards(call);
            let change = Transition::new(&collection, Some(&old), Target::Gone, &audit, guards);
            // An imported user is in no group, so nothing else is left to remove.
            if self.try_removal(&mut terms, &old, change).await? {
                return Ok(());
            }
        }
    }
}
