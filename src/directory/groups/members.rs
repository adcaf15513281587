//! How the members of a group change: a few in one transaction, many in portions.

use std::collections::BTreeSet;

use scim_core::members::{Delta, Member, MembersPatch};
use scim_core::{Error, ErrorKind, ResourceId};

use super::resolve::Resolved;
use super::shown;
use crate::directory::context::{Call, Directory};
use crate::directory::limits::{MAX_MEMBER_CHANGES, MAX_MEMBERS_SHOWN};
use crate::directory::resource::not_found;
use crate::store::that_fit;
use crate::store::{MemberChange, Operation, Outcome, Stored};
use crate::tenant::ServedType;

/// What a request asks of a group's members.
#[derive(Debug)]
pub(in crate::directory) enum MembersAfter<'a> {
    /// Nothing.
    Unchanged,
    /// These and nobody else.
    Exactly(&'a [Member]),
    /// What the operations say.
    Patched(&'a MembersPatch<'a>),
}

/// A delta as moves.
///
/// # Errors
/// 413 over [`MAX_MEMBER_CHANGES`]; `invalidValue` if the group is to join itself.
pub(in crate::directory) fn moves(
    delta: Delta,
    group: &ResourceId,
) -> Result<Vec<MemberChange>, Error> {
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
    pub(in crate::directory) async fn moves(
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
                        patch.apply(present.clone(), |member| shown::element(call, member))?;
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
    pub(in crate::directory) async fn move_members(
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
            match self.store.change_members(&collection, group, portion, &audit).await? {
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
