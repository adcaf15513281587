//! PUT and PATCH.

use scim_core::resource::{Attributes, Update};
use scim_core::{Draft, Error, MembersPatch, PatchRequest, members};

use super::context::{Call, Directory};
use super::groups::expand::{Expanded, View};
use super::groups::members::{MembersAfter, moves};
use super::groups::resolve::Resolved;
use super::lifecycle::conflict::{TRIES, another_owner, any_name, contended, uniqueness_error};
use super::lifecycle::states::Event;
use super::policy::admit::admit_change;
use super::policy::seats::no_seat;
use super::precondition::{Precondition, require_match};
use super::resource::{names_of, not_found};
use crate::store::that_fit;
use crate::store::{Expect, Kind, Operation, Outcome, ResourceWrite, Target, Transition};
use crate::tenant::ServedType;
use crate::tenant::profile::PutMembers;

impl Directory {
    /// Replaces what the client asserted of a resource. An absent `active` stays as it is: a
    /// message that does not speak of it must let nobody in. A group without members in the message
    /// is left by all of them, unless the profile keeps those that it does not speak of.
    ///
    /// # Errors
    /// 404; 409 `uniqueness` if a name belongs to another resource; 412 if the precondition does
    /// not hold; `mutability`; 413 for more than 1,000 changes of members; 503.
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
        let membership = match resource_type.kind == Kind::Group && !keeps {
            true => {
                named = members::take(&mut draft.attributes)?;
                MembersAfter::Exactly(&named)
            }
            false => MembersAfter::Unchanged,
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
        self.change(
            call,
            resource_type,
            Operation::Replace,
            id,
            precondition,
            rule,
            membership,
            view,
        )
        .await
    }

    /// Applies a PATCH request to a resource: all of it or nothing, but for changes of more members
    /// than fit one transaction; those are checked as a whole first, and the same request completes
    /// what a failure of the platform left undone.
    ///
    /// # Errors
    /// As [`Directory::replace`], and what [`PatchRequest::apply`] says.
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
        let members = if resource_type.kind == Kind::Group {
            patch.take_members()?
        } else {
            MembersPatch::default()
        };
        if patch.is_empty()
            && precondition.seen() == Expect::Row
            && let Some(delta) = members.delta().filter(|delta| !delta.is_empty())
        {
            let group = id.parse().map_err(|()| not_found(resource_type))?;
            let moves = moves(delta, &group)?;
            self.move_members(
                call,
                resource_type,
                Operation::Patch,
                &group,
                moves,
                &mut Resolved::default(),
                false,
            )
            .await?;
            return self.retrieve_written(call, resource_type, id, view).await;
        }
        let rule = |old: &Attributes| {
            let mut attributes = patch.apply(&resource_type.definition, old)?;
            resource_type.definition.check_immutable(old, &mut attributes, Update::Patch)?;
            Ok(attributes)
        };
        let membership = if members.is_empty() {
            MembersAfter::Unchanged
        } else {
            MembersAfter::Patched(&members)
        };
        self.change(call, resource_type, Operation::Patch, id, precondition, rule, membership, view)
            .await
    }

    /// Changes a resource by a rule that is applied to the newest version until it is stored. A
    /// change that changes nothing is not written, and the version stays.
    #[expect(clippy::too_many_arguments, reason = "replace and patch name them")]
    async fn change(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        operation: Operation,
        id: &str,
        precondition: &Precondition,
        rule: impl Fn(&Attributes) -> Result<Attributes, Error>,
        membership: MembersAfter<'_>,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let collection = call.collection(&resource_type.kind);
        let mut takeover = any_name();
        let mut known = Resolved::default();
        for _ in 0..TRIES {
            let old = self.visible(call, resource_type, id, Event::Change).await?;
            // The write carries the version that was judged here.
            require_match(precondition, &old)?;
            let mut attributes = rule(&old.resource.attributes)?;
            resource_type.shape(&mut attributes)?;
            admit_change(
                resource_type,
                &call.tenant.profile,
                &old.resource.attributes,
                &attributes,
            )?;
            let mut moves = self.moves(call, &old, &membership, &mut known).await?;
            let same = attributes == old.resource.attributes;
            if same && moves.is_empty() {
                return self.complete(call, resource_type, old.resource, old.members, view).await;
            }
            let seen = precondition.seen();
            if same && seen == Expect::Row {
                self.move_members(
                    call,
                    resource_type,
                    operation,
                    &old.resource.id,
                    moves,
                    &mut known,
                    false,
                )
                .await?;
                return self.retrieve_written(call, resource_type, id, view).await;
            }
            let names = names_of(resource_type, &attributes)?;
            let resource = self.next_version(&old, attributes);
            let expires = self.visible_until(call, resource_type, &old, &resource.attributes);
            let new = ResourceWrite { resource: &resource, names: &names, takeover, expires };
            moves = self.looked_up(call, moves, &mut known).await?;
            let later = moves.split_off(that_fit(&moves));
            let audit = self.audit(call, operation);
            match self
                .store
                .commit(Transition {
                    members: &moves,
                    expect: seen,
                    ..Transition::new(
                        &collection,
                        Some(&old),
                        Target::Live(new),
                        &audit,
                        self.guards(call),
                    )
                })
                .await?
            {
                Outcome::Committed if resource_type.kind == Kind::Group => {
                    self.move_members(
                        call,
                        resource_type,
                        operation,
                        &old.resource.id,
                        later,
                        &mut known,
                        true,
                    )
                    .await?;
                    return self.retrieve_written(call, resource_type, id, view).await;
                }
                Outcome::Committed => {
                    return self.complete_written(call, resource_type, resource, 0, view).await;
                }
                Outcome::Refused(refusal) => {
                    uniqueness_error(resource_type, &names, &refusal)?;
                    another_owner(call, resource_type, &mut takeover, &refusal)?;
                    if refusal.no_seat {
                        return Err(no_seat());
                    }
                    if refusal.brake_on {
                        Box::pin(self.brake(call, &collection, &old.resource.id)).await?;
                    }
                    if !(refusal.already_applied.is_empty() && refusal.missing_members.is_empty()) {
                        self.learn(call, &moves, &mut known, &refusal, false).await?;
                    }
                }
            }
        }
        Err(contended())
    }
}
