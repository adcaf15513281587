//! How a deleted group is created again, and how members of groups change when something is undone.

use scim_core::resource::Attributes;
use scim_core::{Error, ErrorKind, Meta, Resource, ResourceId, Version};

use crate::directory::context::{Call, Directory, seconds};
use crate::directory::leftovers::MAX_CREATION;
use crate::directory::lifecycle::conflict::{Attempt, Terms};
use crate::directory::resource::{contended, names_of};
use crate::store::{Kind, MemberChange, Operation, Outcome, Progress, Target, Transition};
use crate::tenant::ServedType;

/// What became of changes of members that an undo wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembersAgain {
    /// All are made.
    Changed,
    /// The group does not exist.
    NoGroup,
    /// One of those to be added does not exist.
    NoMember,
}

impl Directory {
    /// Creates a deleted group again for an undo, with its id and these attributes, but without
    /// members. Its versions go on after the one that its deletion made. If the group exists
    /// already, nothing happens. An interrupted deletion is ended first, so the log may name more
    /// members afterwards than before.
    ///
    /// # Errors
    /// 409 if another group has the name, or if the group was deleted less than a minute ago and
    /// still has members; 503.
    pub async fn create_again(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
        (attributes, version): (&Attributes, u64),
    ) -> Result<(), Error> {
        let collection = call.collection(&Kind::Group);
        self.end_earlier_deletion(call, id).await?;
        let names = names_of(resource_type, attributes)?;
        let version = Version(version).next();
        let meta = Meta { version, ..Meta::new(self.clock.now()) };
        let group = Resource { id: id.clone(), meta, attributes: attributes.clone() };
        let mut terms = Terms::new(call, resource_type);
        loop {
            terms.next_try()?;
            let audit = self.audit(call, Operation::Undo);
            let to = Target::Live(terms.write(&group, &names, None));
            let change = Transition::new(&collection, None, to, &audit, self.guards(call));
            let Outcome::Refused(refusal) = self.store.commit(change).await? else {
                return Ok(());
            };
            if self.store.resource(&collection, id, audit.now).await?.is_some() {
                return Ok(());
            }
            self.yield_to(&mut terms, Attempt::of(id, &names), refusal).await?;
        }
    }

    /// Ends the memberships that an interrupted deletion of a group has left.
    async fn end_earlier_deletion(&self, call: Call<'_>, id: &ResourceId) -> Result<(), Error> {
        let unfinished = self.store.unfinished_of(&call.tenant.key(), &Kind::Group, id).await?;
        let Some(unfinished) = unfinished else { return Ok(()) };
        let audit = self.audit(call, Operation::Delete);
        // The request that deleted the group may still be at it.
        if unfinished.since > audit.now - seconds(MAX_CREATION) {
            let sentence = "The group is still being deleted: try again in a minute.";
            return Err(Error::new(ErrorKind::Conflict, sentence));
        }
        match self.finish(call, (&Kind::Group, id), true, None, &audit).await? {
            Progress::Done => Ok(()),
            Progress::Unfinished => Err(contended()),
        }
    }

    /// Changes members of a group for an undo. As many changes as fit in one transaction take one
    /// call. Unless all of them were possible, perhaps some were not made.
    ///
    /// # Errors
    /// 503.
    pub async fn change_members_again(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        group: &ResourceId,
        changes: Vec<MemberChange>,
    ) -> Result<MembersAgain, Error> {
        let mut terms = Terms::of_stored(call, resource_type);
        match self.move_members(&mut terms, Operation::Undo, group, changes).await {
            Ok(()) => Ok(MembersAgain::Changed),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(MembersAgain::NoGroup),
            Err(error) if error.kind == ErrorKind::InvalidValue => Ok(MembersAgain::NoMember),
            Err(error) => Err(error),
        }
    }
}
