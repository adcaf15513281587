//! How deleted users, and users who are about to expire, come back.

use scim_core::resource::Attributes;
use scim_core::{Error, Resource, ResourceId};

use super::conflict::{Attempt, Retry, Terms};
use super::identity::{Assertion, merged};
use super::states::Step;
use crate::directory::context::{Call, Directory};
use crate::directory::resource::{contended, names_of};
use crate::store::{
    Collection, Names, Note, Operation, Outcome, OwnerState, Progress, Refusal, Stored, Target,
    Transition, Unfinished,
};
use crate::tenant::ServedType;

/// How a deleted user comes back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comeback<'a> {
    /// What its attributes are overlaid by.
    pub(super) asserted: &'a Attributes,
    /// When it expires if it comes back suspended, in seconds since 1970.
    pub(super) expires: Option<i64>,
    /// What the log says about it.
    pub(super) operation: Operation,
}

/// A deleted user who is back.
pub(super) struct Restored {
    pub(super) user: Resource,
    /// The attributes that it came back without, because another user has their unique values now.
    pub(super) left_out: Vec<String>,
}

/// What a POST does to the visible owner of one of its names.
pub(super) enum Return {
    /// The owner is the same person: its clock is stopped.
    Returned(Box<Resource>),
    /// The owner stays as it is.
    Stays,
    /// The owner is no longer visible.
    Gone,
}

impl Directory {
    /// Restores a deleted user, with its attributes overlaid by what it comes back with; `None` if
    /// its row has changed. If a deletion was interrupted and the user is still in groups, the user is removed
    /// from them first. The user comes back without a unique value that was taken by another user
    /// in the meantime.
    ///
    /// # Errors
    /// 409 if an asserted value belongs to another user; 403 without a seat; 503.
    pub(super) async fn restore(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        old: &Stored,
        comeback: Comeback<'_>,
    ) -> Result<Option<Restored>, Error> {
        let Comeback { asserted, expires, operation } = comeback;
        let collection = call.collection(&resource_type.kind);
        self.leave_before_return(call, &collection, old, operation).await?;
        let (mut attributes, mut left_out) = (merged(resource_type, old, asserted)?, Vec::new());
        let mut terms = Terms::of_stored(call, resource_type);
        loop {
            terms.next_try()?;
            let names = names_of(resource_type, &attributes)?;
            let resource = self.next_version(old, attributes.clone());
            let to = Target::Live(terms.write(&resource, &names, expires));
            let audit = self.audit(call, operation).with(terms.detail());
            let change = Transition::new(&collection, Some(old), to, &audit, self.guards(call));
            let Outcome::Refused(refusal) = self.store.commit(change).await? else {
                return Ok(Some(Restored { user: resource, left_out }));
            };
            if let Some(taken) = value_taken_since(call, &names, &refusal)
                && !asserted.names().iter().any(|name| *name == taken)
            {
                attributes.remove(taken);
                left_out.push(taken.to_owned());
                continue;
            }
            let attempt =
                Attempt { entering: Some(&mut attributes), ..Attempt::of(&resource.id, &names) };
            match self.yield_to(&mut terms, attempt, refusal).await? {
                Retry::NewTerms => {}
                Retry::Reread | Retry::Gone => return Ok(None),
            }
        }
    }

    /// Ends the memberships that an interrupted deletion left, so that the
    /// restore begins in no group.
    ///
    /// # Errors
    /// 503 if there are more memberships than the request may end.
    async fn leave_before_return(
        &self,
        call: Call<'_>,
        collection: &Collection,
        old: &Stored,
        operation: Operation,
    ) -> Result<(), Error> {
        let (Collection { tenant, kind }, id) = (collection, &old.resource.id);
        if !old.grouped {
            return Ok(());
        }
        let unfinished = self.store.unfinished_of(tenant, kind, id).await?;
        let Some(Unfinished { deletion, .. }) = unfinished else { return Ok(()) };
        let (work, until) = ((Note::Finished, deletion), call.soft_deadline);
        let audit = self.audit(call, operation);
        match self.store.leave_all(collection, id, work, &audit, until).await? {
            Progress::Done => Ok(()),
            Progress::Unfinished => Err(contended()),
        }
    }

    /// Stops the clock of a user who is suspended with expiry, if a POST is for the same person,
    /// perhaps under another name.
    ///
    /// # Errors
    /// 409 if an asserted value belongs to another user; 403 without a seat; 503.
    pub(super) async fn cancel_expiry(
        &self,
        post: Assertion<'_>,
        owner: &ResourceId,
    ) -> Result<Return, Error> {
        let Assertion { call, resource_type, names, attributes: asserted } = post;
        if !resource_type.is_user() || !call.tenant.is_expiring() {
            return Ok(Return::Stays);
        }
        let collection = post.collection();
        let mut terms = Terms::of_stored(call, resource_type);
        loop {
            terms.next_try()?;
            let now = self.clock.seconds();
            let old = self.store.resource(&collection, owner, now).await?;
            let Some(old) = old.filter(|old| old.is_visible(now)) else { return Ok(Return::Gone) };
            if self.step_of(&old, names) != Step::Return {
                return Ok(Return::Stays);
            }
            let attributes = merged(resource_type, &old, asserted)?;
            let (names, audit) =
                (names_of(resource_type, &attributes)?, self.audit(call, Operation::Restore));
            let resource = self.next_version(&old, attributes);
            let expires = self.visible_until(call, resource_type, &old, &resource.attributes);
            let to = Target::Live(terms.write(&resource, &names, expires));
            let change = Transition::new(&collection, Some(&old), to, &audit, self.guards(call));
            match self.store.commit(change).await? {
                Outcome::Committed => return Ok(Return::Returned(Box::new(resource))),
                Outcome::Refused(refusal) => {
                    self.yield_to(&mut terms, Attempt::of(&resource.id, &names), refusal).await?;
                }
            }
        }
    }
}

/// The attribute whose unique value another user has taken in the meantime; never the userName.
fn value_taken_since<'n>(call: Call<'_>, names: &'n Names, refusal: &Refusal) -> Option<&'n str> {
    let unique_external_id = call.tenant.profile.attributes.unique_external_id;
    match &refusal.owners.external_id {
        Some((_, OwnerState::Live | OwnerState::Unmanaged)) if unique_external_id => {
            Some("externalId")
        }
        _ => refusal.unique.and_then(|index| names.unique_attribute(index)),
    }
}
