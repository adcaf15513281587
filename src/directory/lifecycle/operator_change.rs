//! How the operator changes one user: by the ordinary rules, but without the brake and without the
//! switches of `operations`, which restrict the identity provider.

use scim_core::{Error, Resource, ResourceId};
use serde_json::Value;

use super::conflict::{Attempt, Terms};
use super::states::Event;
use crate::directory::context::{Call, Directory};
use crate::directory::resource::names_of;
use crate::reason::Reason;
use crate::store::{Guards, Operation, Outcome, Target, Transition, is_active};
use crate::tenant::ServedType;
use crate::tenant::profile::OnDelete;

/// A user whom the operator has changed.
#[derive(Debug)]
pub struct ChangedByOperator {
    /// The user; as it was before, if it was deleted.
    pub user: Resource,
    /// When the user is erased, in seconds since 1970; `None` if no time is set, and for a user who
    /// was deleted for good.
    pub expires: Option<i64>,
    /// Whether anything was written: the user may have been so already.
    pub is_changed: bool,
}

impl Directory {
    /// Makes a user active or inactive for the operator. An undo names the version that it has
    /// seen.
    ///
    /// # Errors
    /// 404 if no visible user has this id; 403 without a seat; 412 if an undo has seen another
    /// version; 503.
    pub async fn activate_by_operator(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
        active: bool,
        undo: Option<u64>,
    ) -> Result<ChangedByOperator, Error> {
        let collection = call.collection(&resource_type.kind);
        let operation = if undo.is_some() { Operation::Undo } else { Operation::Patch };
        let mut terms = Terms::of_stored(call, resource_type);
        loop {
            terms.next_try()?;
            let old = self.visible(call, resource_type, id.as_str(), Event::Change).await?;
            if undo.is_some_and(|version| version != old.resource.meta.version.0) {
                return Err(Reason::StaleVersion.error());
            }
            let mut attributes = old.resource.attributes.clone();
            if is_active(&attributes) == active {
                let (user, expires) = (old.resource, old.expires);
                return Ok(ChangedByOperator { user, expires, is_changed: false });
            }
            attributes.set("active", Value::Bool(active));
            let names = names_of(resource_type, &attributes)?;
            let user = self.next_version(&old, attributes);
            let expires = self.visible_until(call, resource_type, &old, &user.attributes);
            let to = Target::Live(terms.write(&user, &names, expires));
            let audit = self.audit(call, operation);
            let guards = self.guards_of_operator(call);
            let change = Transition::new(&collection, Some(&old), to, &audit, guards);
            match self.store.commit(change).await? {
                Outcome::Committed => {
                    return Ok(ChangedByOperator { user, expires, is_changed: true });
                }
                Outcome::Refused(refusal) => {
                    self.yield_to(&mut terms, Attempt::of(&user.id, &names), refusal).await?;
                }
            }
        }
    }

    /// Deletes a user for the operator, as the profile says: softly or for good.
    ///
    /// # Errors
    /// 404 if no visible user has this id; 400 if the profile does not delete users; 503.
    pub async fn delete_by_operator(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
    ) -> Result<ChangedByOperator, Error> {
        if call.tenant.profile.deprovision.on_delete == OnDelete::Refuse {
            return Err(Reason::DeleteRefused.with(
                "The profile of this tenant does not delete users (deprovision.on_delete is \
                 refuse). Suspend the user instead.",
            ));
        }
        let collection = call.collection(&resource_type.kind);
        let mut terms = Terms::of_stored(call, resource_type);
        loop {
            terms.next_try()?;
            let audit = self.audit(call, Operation::Delete);
            let old = self.visible(call, resource_type, id.as_str(), Event::Delete).await?;
            let to = self.after_deletion(call, resource_type, &old, audit.now);
            let expires = match &to {
                Target::Deleted { expires, .. } => Some(*expires),
                Target::Live(_) | Target::Gone => None,
            };
            let guards = self.guards_of_operator(call);
            let change = Transition::new(&collection, Some(&old), to, &audit, guards);
            if self.try_removal(&mut terms, &old, change).await? {
                return Ok(ChangedByOperator { user: old.resource, expires, is_changed: true });
            }
        }
    }

    /// The limits of what the operator does: the brake is not among them.
    fn guards_of_operator(&self, call: Call<'_>) -> Guards {
        Guards { brake_window: None, ..self.guards(call) }
    }
}
