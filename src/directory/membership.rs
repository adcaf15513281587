//! How the members of a group change: a few in one transaction, many in portions.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::members::{Delta, Member, MemberType, MembersPatch};
use scim_core::{Error, ErrorKind, ResourceId};

use super::limits::{MAX_MEMBER_CHANGES, MAX_MEMBERS_SHOWN};
use super::{Call, Directory, contended, not_found, whole};
use crate::store::that_fit;
use crate::store::{MemberChange, Operation, Outcome, Refusal, StoreError, Stored};
use crate::tenant::{ServedType, unanswered};

/// What a request asks of a group's members.
#[derive(Debug)]
pub(super) enum MembersAfter<'a> {
    /// Nothing.
    Unchanged,
    /// These and nobody else.
    Exactly(&'a [Member]),
    /// What the operations say.
    Patched(&'a MembersPatch<'a>),
}

/// What was found out about those who are to join or to leave.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// What they are; `None` is no resource of this tenant.
    kinds: BTreeMap<ResourceId, Option<MemberType>>,
    /// Who is, or is not, a member already, as wished.
    done: BTreeSet<ResourceId>,
}

impl Resolved {
    /// The moves that are still to be made, each with the type of its member as far as it is known.
    pub(super) fn apply(&self, moves: Vec<MemberChange>) -> Vec<MemberChange> {
        let left = moves.into_iter().filter(|change| !self.done.contains(change.member()));
        left.map(|change| match change {
            MemberChange::Add(member) => match self.kinds.get(&member.value) {
                Some(Some(kind)) => MemberChange::Add(Member { kind: Some(*kind), ..member }),
                Some(None) => MemberChange::AddUnknown(member),
                None => MemberChange::Add(member),
            },
            change => change,
        })
        .collect()
    }

    /// Forgets who was a member already: for a decision on members that are read anew.
    pub(super) fn read_anew(&mut self) {
        self.done.clear();
    }
}

/// A delta as moves.
///
/// # Errors
/// 413 over [`MAX_MEMBER_CHANGES`]; `invalidValue` if the group is to join itself.
pub(super) fn moves(delta: Delta, group: &ResourceId) -> Result<Vec<MemberChange>, Error> {
    if delta.get(group).is_some_and(Option::is_some) {
        return Err(Error::invalid_value("A group cannot be a member of itself."));
    }
    if delta.len() > MAX_MEMBER_CHANGES {
        return Err(too_many_moves());
    }
    Ok(delta
        .into_iter()
        .map(|(id, member)| member.map_or(MemberChange::Remove(id), MemberChange::Add))
        .collect())
}

impl Directory {
    /// What is to be changed so that the members are as they should be.
    pub(super) async fn moves(
        &self,
        call: Call<'_>,
        group: &Stored,
        membership: &MembersAfter<'_>,
        known: &mut Resolved,
    ) -> Result<Vec<MemberChange>, Error> {
        let id = &group.resource.id;
        let delta = match membership {
            MembersAfter::Unchanged => return Ok(Vec::new()),
            MembersAfter::Patched(patch) => match patch.delta() {
                Some(delta) => delta,
                None => {
                    known.read_anew();
                    let present =
                        self.at_most(call, group, MAX_MEMBERS_SHOWN, too_many_to_read).await?;
                    let after =
                        patch.apply(present.clone(), |member| whole::element(call, member))?;
                    difference(&present, &after)
                }
            },
            MembersAfter::Exactly(members) => {
                known.read_anew();
                // Members that are not named leave, and those are bounded too.
                let present = self
                    .at_most(call, group, members.len() + MAX_MEMBER_CHANGES, too_many_moves)
                    .await?;
                difference(&present, members)
            }
        };
        Ok(known.apply(moves(delta, id)?))
    }

    /// The members of a group.
    ///
    /// # Errors
    /// 413 if they are more than `most`, by what `refusal` says.
    async fn at_most(
        &self,
        call: Call<'_>,
        group: &Stored,
        most: usize,
        refusal: fn() -> Error,
    ) -> Result<Vec<Member>, Error> {
        match group.members {
            0 => Ok(Vec::new()),
            count if count > most => Err(refusal()),
            count => self.members(call, &group.resource.id, count).await,
        }
    }

    /// Writes changes of members, and of nothing else, until all are stored: who is a member
    /// already is added, and who is none is removed, with success. More than one transaction takes
    /// are checked as a whole before the first is written, unless the change has `begun` already.
    #[expect(clippy::too_many_arguments, reason = "each says what is moved where")]
    pub(super) async fn move_members(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        operation: Operation,
        group: &ResourceId,
        mut waiting: Vec<MemberChange>,
        known: &mut Resolved,
        mut begun: bool,
    ) -> Result<(), Error> {
        let collection = call.collection(&resource_type.kind);
        if !begun {
            waiting = self.looked_up(call, waiting, known).await?;
        }
        while !waiting.is_empty() {
            let portion = waiting.get(..that_fit(&waiting)).unwrap_or_default();
            let audit = self.audit(call, operation);
            match self
                .store
                .change_members(&collection, group, portion, &audit)
                .await
                .map_err(unanswered)?
            {
                Outcome::Committed => {
                    waiting.drain(..portion.len());
                    begun = true;
                }
                Outcome::Refused(refusal) if refusal.no_group => {
                    return Err(not_found(resource_type));
                }
                Outcome::Refused(refusal) => {
                    let portion = portion.to_vec();
                    self.learn(call, &portion, known, &refusal, begun).await?;
                    waiting = known.apply(waiting);
                }
            }
        }
        Ok(())
    }

    /// Takes from a refusal who is done already and who is no user but a group. Once a part is
    /// written, somebody who has vanished since the check is left out: the change is not undone for
    /// that.
    ///
    /// # Errors
    /// As [`Directory::kinds`]; 503 if the refusal says nothing.
    pub(super) async fn learn(
        &self,
        call: Call<'_>,
        tried: &[MemberChange],
        known: &mut Resolved,
        refusal: &Refusal,
        begun: bool,
    ) -> Result<(), Error> {
        let done = refusal.already_applied.iter().filter_map(|index| tried.get(*index));
        known.done.extend(done.map(|change| change.member().clone()));
        for index in &refusal.missing_members {
            let Some(MemberChange::Add(member)) = tried.get(*index) else { continue };
            match self.kinds(call, &[member]).await {
                Ok(kinds) => known.kinds.extend(kinds),
                Err(error) if begun && error.kind == ErrorKind::InvalidValue => {
                    known.done.insert(member.value.clone());
                }
                Err(error) => return Err(error),
            }
        }
        if refusal.already_applied.is_empty() && refusal.missing_members.is_empty() {
            Err(contended())
        } else {
            Ok(())
        }
    }

    /// The moves, if one transaction takes them all; else only if everybody who is to join is
    /// there, so that nothing is written of a request that cannot be done as a whole.
    ///
    /// # Errors
    /// As [`Directory::kinds`].
    pub(super) async fn looked_up(
        &self,
        call: Call<'_>,
        moves: Vec<MemberChange>,
        known: &mut Resolved,
    ) -> Result<Vec<MemberChange>, Error> {
        if that_fit(&moves) < moves.len() {
            self.look_up_members(call, &moves, known).await?;
        }
        Ok(known.apply(moves))
    }

    async fn look_up_members(
        &self,
        call: Call<'_>,
        moves: &[MemberChange],
        known: &mut Resolved,
    ) -> Result<(), Error> {
        let joining = moves.iter().filter_map(|change| match change {
            MemberChange::Add(member) if !known.kinds.contains_key(&member.value) => Some(member),
            _ => None,
        });
        let joining: Vec<&Member> = joining.collect();
        known.kinds.extend(self.kinds(call, &joining).await?);
        Ok(())
    }

    /// What those are who are named as members. Under the strict profile they may be nobody: RFC
    /// 7643 section 4.2 asks for no check. They may not be somebody who was deleted, and could come
    /// back. A call for sixteen, and as many again for those who are not of the type that is
    /// likely.
    ///
    /// # Errors
    /// `invalidValue` if one of them is no user or group; 413 if the look-ups exceed the budget of
    /// the request.
    async fn kinds(
        &self,
        call: Call<'_>,
        members: &[&Member],
    ) -> Result<BTreeMap<ResourceId, Option<MemberType>>, Error> {
        let likely = |member: &Member| member.kind.unwrap_or(MemberType::User);
        let (mut kinds, mut deleted) = (BTreeMap::new(), BTreeSet::new());
        for as_likely in [true, false] {
            for kind in [MemberType::User, MemberType::Group] {
                let asked = members.iter().filter(|member| (likely(member) == kind) == as_likely);
                let asked = asked.map(|member| &member.value).filter(|id| !kinds.contains_key(*id));
                let asked: BTreeSet<&ResourceId> = asked.collect();
                if asked.is_empty() {
                    continue;
                }
                let collection = call.collection(&kind.into());
                let found = self.store.visibility(&collection, asked, self.clock.seconds()).await;
                let found = found.map_err(|error| match error {
                    StoreError::Spent => too_many_to_check(),
                    error => unanswered(error),
                })?;
                for (id, visible) in found {
                    match visible {
                        true => drop(kinds.insert(id, Some(kind))),
                        false => drop(deleted.insert(id)),
                    }
                }
            }
        }
        let unknown =
            members.iter().map(|member| &member.value).filter(|id| !kinds.contains_key(*id));
        let unknown: Vec<(ResourceId, Option<MemberType>)> =
            unknown.map(|id| (id.clone(), None)).collect();
        if unknown.iter().any(|(id, _)| deleted.contains(id) || !call.dialect().strict) {
            return Err(Error::invalid_value(
                "One of members is no user or group of this tenant; create it first.",
            ));
        }
        kinds.extend(unknown);
        Ok(kinds)
    }
}

fn difference(present: &[Member], wanted: &[Member]) -> Delta {
    let before: BTreeSet<&ResourceId> = present.iter().map(|member| &member.value).collect();
    let after: BTreeSet<&ResourceId> = wanted.iter().map(|member| &member.value).collect();
    let join = wanted.iter().filter(|member| !before.contains(&member.value));
    let join = join.map(|member| (member.value.clone(), Some(member.clone())));
    let leave = before.difference(&after).map(|id| ((*id).clone(), None));
    join.chain(leave).collect()
}

fn too_many_moves() -> Error {
    Error::new(
        ErrorKind::PayloadTooLarge,
        format!(
            "A request changes at most {MAX_MEMBER_CHANGES} members; name who joins and who \
            leaves in several requests."
        ),
    )
}

fn too_many_to_check() -> Error {
    Error::new(
        ErrorKind::PayloadTooLarge,
        "To look at all members that this request names takes more reads than a request may make; \
        name them in several requests.",
    )
}

fn too_many_to_read() -> Error {
    Error::new(
        ErrorKind::PayloadTooLarge,
        format!(
            "The group has more than {} members, all of which this PATCH would have to look at; \
            name who joins and who leaves by value, as in members[value eq \"2819c223\"].",
            MAX_MEMBERS_SHOWN
        ),
    )
}
