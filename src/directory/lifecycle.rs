//! How resources come.

use scim_core::members::{Member, MemberType};
use scim_core::{Draft, Error, Resource, ResourceId, members};

use super::limits::MAX_ANSWER_BYTES;
use super::membership::{self, Known};
use super::{Call, Directory, Shown, TRIES, Wanted, busy, checked, policy, refuse, whole};
use crate::store::members::that_fit;
use crate::store::{Holders, Holding, Kind, Move, Names, New, Operation, Refusal, Taking, Wrote};
use crate::tenant::{Type, unanswered};

/// A live user may take the name of a deleted one.
pub(super) fn any_name() -> Taking {
    Taking { name: true, external_id: false }
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
        of: &Type,
        draft: Draft,
        wanted: Wanted<'_>,
    ) -> Result<Shown, Error> {
        let mut attributes = draft.attributes;
        policy::admit_create(of, &call.tenant.profile, &mut attributes)?;
        of.shape(&mut attributes)?;
        let named = match of.kind {
            Kind::Group => members::take(&mut attributes)?,
            _ => Vec::new(),
        };
        let names = checked(of, &attributes)?;
        let at = call.collection(&of.kind);
        if let Some(user) = Box::pin(self.linked(call, of, &names, &attributes)).await? {
            return Ok(Shown::alone(user));
        }
        let mut resource = self.new_resource(&at, &names, &attributes)?;
        let delta = named.into_iter().map(|member| (member.value.clone(), Some(member))).collect();
        let mut known = Known::default();
        let moves = membership::moves(delta, &resource.id)?;
        let mut moves = self.looked_up(call, moves, &mut known).await?;
        let prepared = moves.split_off(that_fit(&moves));
        if !prepared.is_empty() {
            // These members first: the group is seen when all of them are there.
            self.prepare(call, of, &resource.id, &names, &prepared).await?;
        }
        let mut taking = Taking::default();
        for _ in 0..TRIES {
            let act = self.act(call, Operation::Create);
            let new = New { resource: &resource, names: &names, taking, expires: None };
            match self.store.create(&at, new, &moves, &prepared, &act).await.map_err(unanswered)? {
                Wrote::Stored => {
                    moves.extend(prepared);
                    return Ok(created(call, of, resource, moves, wanted));
                }
                Wrote::Refused(refusal) => {
                    let decided = match Box::pin(self.decide(
                        call,
                        of,
                        &names,
                        &attributes,
                        &mut taking,
                        &refusal,
                    ))
                    .await
                    {
                        Ok(Some(user)) => return Ok(Shown::alone(user)),
                        Ok(None) if refusal.full => {
                            policy::without_seat(&call.tenant.profile, &mut attributes)
                                .map(|()| resource.attributes = attributes.clone())
                        }
                        Ok(None) if refusal.unknown.is_empty() => Ok(()),
                        Ok(None) => self.learn(call, &moves, &mut known, &refusal, false).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = decided {
                        self.give_up(call, of, &resource.id, &prepared).await;
                        return Err(error);
                    }
                    moves = known.apply(moves);
                }
            }
        }
        self.give_up(call, of, &resource.id, &prepared).await;
        Err(busy())
    }

    /// Removes the members that were written before a group which is not created. What is left is
    /// shown to nobody, and a later write of the tenant removes it.
    async fn give_up(&self, call: Call<'_>, of: &Type, group: &ResourceId, prepared: &[Move]) {
        if !prepared.is_empty() {
            let act = self.act(call, Operation::Create);
            let finished = self.finish(call, &of.kind, group, false, &act, call.until).await;
            self.note_unfinished(call, finished);
        }
    }

    /// Writes members of a group before the group, if its name is free as it seems.
    async fn prepare(
        &self,
        call: Call<'_>,
        of: &Type,
        group: &ResourceId,
        names: &Names,
        moves: &[Move],
    ) -> Result<(), Error> {
        let at = call.collection(&of.kind);
        if let Some(name) = names
            .name()
            .filter(|_| of.resource.name_attribute().is_some_and(|name| name.is_unique()))
            && let Some(mut owners) =
                self.store.by_name(&at, name, self.clock.seconds()).await.map_err(unanswered)?
            && let Some(owner) = owners.pop()
        {
            let held =
                Holders { name: Some((owner.resource.id, Holding::Live)), external_id: None };
            refuse(of, names, &Refusal { held, ..Refusal::default() })?;
        }
        let act = self.act(call, Operation::Create);
        let (mut rest, mut is_first) = (moves, true);
        while let Some((portion, more)) =
            rest.split_at_checked(that_fit(rest)).filter(|(portion, _)| !portion.is_empty())
        {
            // They were all there a moment ago: whoever is not is being deleted.
            match self.store.prepare_members(&at, group, portion, is_first, &act).await {
                Ok(Wrote::Stored) => (rest, is_first) = (more, false),
                Ok(Wrote::Refused(_)) => {
                    self.give_up(call, of, group, moves).await;
                    return Err(busy());
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
    of: &Type,
    mut resource: Resource,
    moves: Vec<Move>,
    wanted: Wanted<'_>,
) -> Shown {
    if of.kind != Kind::Group || !wanted.projection.shows(&of.resource, members::MEMBERS) {
        return Shown::alone(resource);
    }
    let mut joined: Vec<_> = moves
        .into_iter()
        .filter_map(|change| match change {
            Move::Join(member) => {
                Some(Member { kind: member.kind.or(Some(MemberType::User)), ..member })
            }
            Move::Name(member) => Some(Member { kind: None, ..member }),
            Move::Leave(_) => None,
        })
        .collect();
    joined.sort_by(|a, b| a.value.cmp(&b.value));
    let cut =
        joined.len() > wanted.members || whole::members_bytes(call, &joined) > MAX_ANSWER_BYTES;
    if !cut {
        whole::set_members(call, &mut resource, &joined);
    }
    Shown { resource, cut }
}
