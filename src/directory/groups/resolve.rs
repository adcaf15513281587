//! What those are who are to join a group or to leave it.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::members::{Member, MemberType};
use scim_core::{Error, ErrorKind, ResourceId};

use crate::directory::context::{Call, Directory};
use crate::directory::lifecycle::conflict::contended;
use crate::store::that_fit;
use crate::store::{MemberChange, Refusal, StoreError};

/// What was found out about those who are to join or to leave.
#[derive(Debug, Default)]
pub(in crate::directory) struct Resolved {
    /// What they are; `None` is no resource of this tenant.
    kinds: BTreeMap<ResourceId, Option<MemberType>>,
    /// Who is, or is not, a member already, as wished.
    done: BTreeSet<ResourceId>,
}

impl Resolved {
    /// The moves that are still to be made, each with the type of its member as far as it is known.
    pub(in crate::directory) fn apply(&self, moves: Vec<MemberChange>) -> Vec<MemberChange> {
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
    pub(in crate::directory) fn read_anew(&mut self) {
        self.done.clear();
    }
}

impl Directory {
    /// Takes from a refusal who is done already and who is no user but a group. Once a part is
    /// written, somebody who has vanished since the check is left out: the change is not undone for
    /// that.
    ///
    /// # Errors
    /// As [`Directory::kinds`]; 503 if the refusal says nothing.
    pub(in crate::directory) async fn learn(
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
    pub(in crate::directory) async fn looked_up(
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
                    error => Error::from(error),
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

fn too_many_to_check() -> Error {
    Error::new(
        ErrorKind::PayloadTooLarge,
        "To look at all members that this request names takes more reads than a request may make; \
        name them in several requests.",
    )
}
