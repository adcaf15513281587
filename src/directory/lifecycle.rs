//! How resources come.

use scim_core::members::{Member, MemberType};
use scim_core::{Draft, Error, Resource, ResourceId, members};

use super::limits::MAX_ANSWER_BYTES;
use super::membership::{self, Resolved};
use super::{
    Call, Directory, Expanded, TRIES, View, contended, names_of, policy, uniqueness_error, whole,
};
use crate::store::that_fit;
use crate::store::{
    Kind, MemberChange, NameOwners, Names, Operation, Outcome, OwnerState, Refusal, ResourceWrite,
    Takeover, Target, Transition,
};
use crate::tenant::{ServedType, unanswered};

/// A live user may take the name of a deleted one.
pub(super) fn any_name() -> Takeover {
    Takeover { name: true, external_id: false }
}

impl Directory {
    /// Creates a resource, a group with its members; or brings a user back who was deleted, or is
    /// suspended with expiry, if it is the same person: an equal externalId, or an equal userName
    /// where neither has an externalId. A user who comes back has the id, the creation time and the
    /// data they had; what the message asserts wins. A name that another person took since is not
    /// theirs any more. A user whose externalId others had too comes back by it only with the
    /// userName, or, if deleted, as the first who had it.
    ///
    /// `active` of a user is true unless the message says otherwise.
    ///
    /// # Errors
    /// 409 `uniqueness` if a visible resource has the name; `invalidValue` for a member that is not
    /// there; 413 for more than 1,000 members; 503.
    pub async fn create(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        draft: Draft,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let mut attributes = draft.attributes;
        policy::admit_create(resource_type, &call.tenant.profile, &mut attributes)?;
        resource_type.shape(&mut attributes)?;
        let named = match resource_type.kind {
            Kind::Group => members::take(&mut attributes)?,
            _ => Vec::new(),
        };
        let names = names_of(resource_type, &attributes)?;
        let collection = call.collection(&resource_type.kind);
        if let Some(user) =
            Box::pin(self.adopt_imported(call, resource_type, &names, &attributes)).await?
        {
            return Ok(Expanded::alone(user));
        }
        let mut resource = self.new_resource(&collection, &names, &attributes)?;
        let delta = named.into_iter().map(|member| (member.value.clone(), Some(member))).collect();
        let mut known = Resolved::default();
        let moves = membership::moves(delta, &resource.id)?;
        let mut moves = self.looked_up(call, moves, &mut known).await?;
        let prepared = moves.split_off(that_fit(&moves));
        if !prepared.is_empty() {
            // These members first: the group is seen when all of them are there.
            self.prepare(call, resource_type, &resource.id, &names, &prepared).await?;
        }
        let mut takeover = Takeover::default();
        for _ in 0..TRIES {
            let audit = self.audit(call, Operation::Create);
            let new = ResourceWrite { resource: &resource, names: &names, takeover, expires: None };
            match self
                .store
                .commit(Transition {
                    members: &moves,
                    prepared: &prepared,
                    ..Transition::new(
                        &collection,
                        None,
                        Target::Live(new),
                        &audit,
                        self.guards(call),
                    )
                })
                .await
                .map_err(unanswered)?
            {
                Outcome::Committed => {
                    moves.extend(prepared);
                    return Ok(created(call, resource_type, resource, moves, view));
                }
                Outcome::Refused(refusal) => {
                    let decided = match Box::pin(self.resolve_conflict(
                        call,
                        resource_type,
                        &names,
                        &attributes,
                        &mut takeover,
                        &refusal,
                    ))
                    .await
                    {
                        Ok(Some(user)) => return Ok(Expanded::alone(user)),
                        Ok(None) if refusal.no_seat => {
                            policy::without_seat(&call.tenant.profile, &mut attributes)
                                .map(|()| resource.attributes = attributes.clone())
                        }
                        Ok(None) if refusal.missing_members.is_empty() => Ok(()),
                        Ok(None) => self.learn(call, &moves, &mut known, &refusal, false).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = decided {
                        self.give_up(call, resource_type, &resource.id, &prepared).await;
                        return Err(error);
                    }
                    moves = known.apply(moves);
                }
            }
        }
        self.give_up(call, resource_type, &resource.id, &prepared).await;
        Err(contended())
    }

    /// Removes the members that were written before a group which is not created. What is left is
    /// shown to nobody, and a later write of the tenant removes it.
    async fn give_up(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        group: &ResourceId,
        prepared: &[MemberChange],
    ) {
        if !prepared.is_empty() {
            let audit = self.audit(call, Operation::Create);
            let finished =
                self.finish(call, &resource_type.kind, group, false, &audit, call.until).await;
            self.note_unfinished(call, finished);
        }
    }

    /// Writes members of a group before the group, if its name is free as it seems.
    async fn prepare(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        group: &ResourceId,
        names: &Names,
        moves: &[MemberChange],
    ) -> Result<(), Error> {
        let collection = call.collection(&resource_type.kind);
        if let Some(name) = names.name().filter(|_| {
            resource_type.definition.name_attribute().is_some_and(|name| name.is_unique())
        }) && let Some(mut owners) =
            self.store.by_name(&collection, name, self.clock.seconds()).await.map_err(unanswered)?
            && let Some(owner) = owners.pop()
        {
            let owners =
                NameOwners { name: Some((owner.resource.id, OwnerState::Live)), external_id: None };
            uniqueness_error(resource_type, names, &Refusal { owners, ..Refusal::default() })?;
        }
        let audit = self.audit(call, Operation::Create);
        let (mut rest, mut is_first) = (moves, true);
        while let Some((portion, more)) =
            rest.split_at_checked(that_fit(rest)).filter(|(portion, _)| !portion.is_empty())
        {
            // They were all there a moment ago: whoever is not is being deleted.
            match self.store.prepare_members(&collection, group, portion, is_first, &audit).await {
                Ok(Outcome::Committed) => (rest, is_first) = (more, false),
                Ok(Outcome::Refused(_)) => {
                    self.give_up(call, resource_type, group, moves).await;
                    return Err(contended());
                }
                Err(error) => {
                    call.tenant.set_unfinished(true);
                    return Err(unanswered(error));
                }
            }
        }
        Ok(())
    }
}

/// What is shown of a new resource: a group with its members, which need not be read.
fn created(
    call: Call<'_>,
    resource_type: &ServedType,
    mut resource: Resource,
    moves: Vec<MemberChange>,
    view: View<'_>,
) -> Expanded {
    if resource_type.kind != Kind::Group
        || !view.projection.shows(&resource_type.definition, members::MEMBERS)
    {
        return Expanded::alone(resource);
    }
    let mut joined: Vec<_> = moves
        .into_iter()
        .filter_map(|change| match change {
            MemberChange::Add(member) => {
                Some(Member { kind: member.kind.or(Some(MemberType::User)), ..member })
            }
            MemberChange::AddUnknown(member) => Some(Member { kind: None, ..member }),
            MemberChange::Remove(_) => None,
        })
        .collect();
    joined.sort_by(|a, b| a.value.cmp(&b.value));
    let cut = joined.len() > view.members || whole::members_bytes(call, &joined) > MAX_ANSWER_BYTES;
    if !cut {
        whole::set_members(call, &mut resource, &joined);
    }
    Expanded { resource, cut }
}
