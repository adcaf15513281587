//! PUT and PATCH.

use scim_core::members::{self, Delta};
use scim_core::resource::{Attributes, Update};
use scim_core::{Draft, Error, MembersPatch, PatchRequest};

use super::context::{Call, Directory};
use super::groups::expand::{Expanded, View};
use super::groups::members::{MembersAfter, changes_of};
use super::lifecycle::conflict::{Attempt, Terms};
use super::lifecycle::states::Event;
use super::policy::admit::admit_change;
use super::precondition::Precondition;
use super::resource::{names_of, not_found};
use crate::store::{
    Expect, Kind, MemberChange, Operation, Outcome, Stored, Target, Transition, that_fit,
};
use crate::tenant::ServedType;
use crate::tenant::profile::PutMembers;

/// A PUT or PATCH of one resource.
#[derive(Clone, Copy)]
struct Change<'a> {
    call: Call<'a>,
    resource_type: &'a ServedType,
    operation: Operation,
    id: &'a str,
    precondition: &'a Precondition,
    members: MembersAfter<'a>,
    view: View<'a>,
}

impl Directory {
    /// Replaces what the client asserted of a resource. If the message does not mention `active`,
    /// it stays as it is, so that an omission never gives a user access. If the message does not
    /// mention `members`, all of them leave the group, unless the profile keeps them.
    ///
    /// # Errors
    /// 404; 409 `uniqueness` if a name belongs to another resource; 412 if the precondition does
    /// not hold; `mutability`; 413 for more than 1,000 changes of members; 403 for what the profile
    /// does not allow; 503.
    pub async fn replace(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        mut draft: Draft,
        precondition: &Precondition,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let keeps = call.tenant.profile.dialect.put_members == PutMembers::Keep
            && !draft.mentions(members::MEMBERS);
        let named;
        let members = if resource_type.kind == Kind::Group && !keeps {
            named = members::take(&mut draft.attributes)?;
            MembersAfter::Exactly(&named)
        } else {
            MembersAfter::Unchanged
        };
        let rule = |old: &Attributes| {
            let mut attributes = draft.attributes.clone();
            if let (Kind::User, None, Some(active)) =
                (&resource_type.kind, attributes.get("active"), old.get("active"))
            {
                attributes.set("active", active.clone());
            }
            resource_type.definition.check_immutable(old, &mut attributes, Update::Replace)?;
            resource_type.definition.check_replacement(&attributes)?;
            Ok(attributes)
        };
        let operation = Operation::Replace;
        let change = Change { call, resource_type, operation, id, precondition, members, view };
        self.change(change, rule).await
    }

    /// Applies a PATCH request to a resource, either all of it or nothing. The exception is a
    /// change of more members than fit in one transaction. Such a change is checked as a whole
    /// first. If the platform fails partway, sending the same request again completes it.
    ///
    /// # Errors
    /// The same as [`Directory::replace`], and what [`PatchRequest::apply`] says.
    pub async fn patch(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        mut patch: PatchRequest<'_>,
        precondition: &Precondition,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        patch.check_id(id)?;
        let named = if resource_type.kind == Kind::Group {
            patch.take_members()?
        } else {
            MembersPatch::default()
        };
        let members =
            if named.is_empty() { MembersAfter::Unchanged } else { MembersAfter::Patched(&named) };
        let operation = Operation::Patch;
        let change = Change { call, resource_type, operation, id, precondition, members, view };
        if patch.is_empty()
            && precondition.expect() == Expect::Row
            && let Some(delta) = named.delta().filter(|delta| !delta.is_empty())
        {
            return self.change_only_members(change, delta).await;
        }
        let rule = |old: &Attributes| {
            let mut attributes = patch.apply(&resource_type.definition, old)?;
            resource_type.definition.check_immutable(old, &mut attributes, Update::Patch)?;
            Ok(attributes)
        };
        self.change(change, rule).await
    }

    /// Adds and removes members of a group without reading the group first.
    async fn change_only_members(
        &self,
        change: Change<'_>,
        delta: Delta,
    ) -> Result<Expanded, Error> {
        let Change { call, resource_type, operation, id, view, .. } = change;
        let group = id.parse().map_err(|()| not_found(resource_type))?;
        let changes = changes_of(delta, &group)?;
        let mut terms = Terms::of_stored(call, resource_type);
        self.move_members(&mut terms, operation, &group, changes).await?;
        self.retrieve_written(call, resource_type, id, view).await
    }

    /// Changes a resource by a rule. The rule is applied to the newest version until the result is
    /// stored. If nothing changes, nothing is written, and the version stays.
    async fn change(
        &self,
        change: Change<'_>,
        rule: impl Fn(&Attributes) -> Result<Attributes, Error>,
    ) -> Result<Expanded, Error> {
        let Change { call, resource_type, operation, id, precondition, view, .. } = change;
        let mut terms = Terms::of_stored(call, resource_type);
        loop {
            terms.next_try()?;
            let old = self.visible(call, resource_type, id, Event::Change).await?;
            // The write carries the version that was judged here.
            precondition.require_match(&old)?;
            let mut attributes = rule(&old.resource.attributes)?;
            resource_type.shape(&mut attributes)?;
            let before = &old.resource.attributes;
            admit_change(resource_type, &call.tenant.profile, before, &attributes)?;
            let moves = self.member_changes(call, &old, change.members, &mut terms.known).await?;
            if attributes == *before {
                if moves.is_empty() {
                    let Stored { resource, members, .. } = old;
                    return self.complete(call, resource_type, resource, members, view).await;
                }
                if precondition.expect() == Expect::Row {
                    self.move_members(&mut terms, operation, &old.resource.id, moves).await?;
                    return self.retrieve_written(call, resource_type, id, view).await;
                }
            }
            if let Some(changed) =
                self.store_change(change, &mut terms, &old, attributes, moves).await?
            {
                return Ok(changed);
            }
        }
    }

    /// Tries to store the next version of a resource, with the changes of members; `None` if the
    /// resource must be read and judged again.
    async fn store_change(
        &self,
        change: Change<'_>,
        terms: &mut Terms<'_>,
        old: &Stored,
        attributes: Attributes,
        moves: Vec<MemberChange>,
    ) -> Result<Option<Expanded>, Error> {
        let Change { call, resource_type, operation, id, precondition, view, .. } = change;
        let collection = call.collection(&resource_type.kind);
        let names = names_of(resource_type, &attributes)?;
        let resource = self.next_version(old, attributes);
        let expires = self.visible_until(call, resource_type, old, &resource.attributes);
        let mut moves = self.looked_up(call, moves, &mut terms.known).await?;
        let later = moves.split_off(that_fit(&moves));
        let audit = self.audit(call, operation);
        let to = Target::Live(terms.write(&resource, &names, expires));
        let transition = Transition {
            members: &moves,
            expect: precondition.expect(),
            ..Transition::new(&collection, Some(old), to, &audit, self.guards(call))
        };
        match (self.store.commit(transition).await?, &resource_type.kind) {
            (Outcome::Committed, Kind::Group) => {
                terms.known.begin();
                self.move_members(terms, operation, &old.resource.id, later).await?;
                self.retrieve_written(call, resource_type, id, view).await.map(Some)
            }
            (Outcome::Committed, Kind::User | Kind::Other(_)) => {
                self.complete_written(call, resource_type, resource, 0, view).await.map(Some)
            }
            (Outcome::Refused(refusal), _) => {
                let attempt = Attempt { members: &moves, ..Attempt::of(&resource.id, &names) };
                self.yield_to(terms, attempt, refusal).await?;
                Ok(None)
            }
        }
    }
}
