//! Whether the members that a request adds are users or groups, or do not exist.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::members::{Member, MemberType};
use scim_core::{Error, ErrorKind, ResourceId};

use crate::directory::context::{Call, Directory};
use crate::reason::Reason;
use crate::store::{MemberChange, StoreError, that_fit};

/// The type of each member; `None` for an id that no resource of this tenant has.
type Kinds = BTreeMap<ResourceId, Option<MemberType>>;

/// What is known about the members that a request adds or removes.
#[derive(Debug, Default)]
pub(in crate::directory) struct Resolved {
    kinds: Kinds,
    /// The members that no longer need a change.
    done: BTreeSet<ResourceId>,
    /// Whether some of the changes are written.
    begun: bool,
}

impl Resolved {
    /// The changes that are still to be made, each with the type of its member, if it is known.
    pub(in crate::directory) fn apply(&self, changes: Vec<MemberChange>) -> Vec<MemberChange> {
        let left = changes.into_iter().filter(|change| !self.done.contains(change.member()));
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

    /// Forgets which members no longer need a change, because the members are read again.
    pub(super) fn reread(&mut self) {
        self.done.clear();
    }

    /// Records that some of the changes are written. From then on a member that has vanished is
    /// skipped, because the request can no longer be refused as a whole.
    pub(in crate::directory) fn begin(&mut self) {
        self.begun = true;
    }

    /// Whether some of the changes are written.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }
}

impl Directory {
    /// Learns from a refused write which of these changes are already applied, and what kind of
    /// resource each added member is that is not a user.
    ///
    /// # Errors
    /// The same as [`Directory::kinds`].
    pub(in crate::directory) async fn learn(
        &self,
        call: Call<'_>,
        known: &mut Resolved,
        tried: &[MemberChange],
        already_applied: &[usize],
        missing_members: &[usize],
    ) -> Result<(), Error> {
        let done = already_applied.iter().filter_map(|index| tried.get(*index));
        known.done.extend(done.map(|change| change.member().clone()));
        for index in missing_members {
            let Some(MemberChange::Add(member)) = tried.get(*index) else { continue };
            match self.kinds(call, &[member]).await {
                Ok(kinds) => known.kinds.extend(kinds),
                Err(error) if known.begun && error.kind == ErrorKind::InvalidValue => {
                    known.done.insert(member.value.clone());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The changes that are still to be made. If they do not all fit in one transaction, every
    /// added member is looked up first. So nothing is written of a request that cannot be completed
    /// as a whole.
    ///
    /// # Errors
    /// The same as [`Directory::kinds`].
    pub(in crate::directory) async fn looked_up(
        &self,
        call: Call<'_>,
        changes: Vec<MemberChange>,
        known: &mut Resolved,
    ) -> Result<Vec<MemberChange>, Error> {
        if that_fit(&changes) < changes.len() {
            let unknown = changes.iter().filter_map(|change| match change {
                MemberChange::Add(member) if !known.kinds.contains_key(&member.value) => {
                    Some(member)
                }
                MemberChange::Add(_) | MemberChange::AddUnknown(_) | MemberChange::Remove(_) => {
                    None
                }
            });
            let unknown: Vec<&Member> = unknown.collect();
            known.kinds.extend(self.kinds(call, &unknown).await?);
        }
        Ok(known.apply(changes))
    }

    /// What these members are. Under the strict profile a member need not exist: RFC 7643 section
    /// 4.2 does not ask for a check. It must not be a deleted user who could come back. This takes
    /// one call for every sixteen members, and as many again for those that are not of the expected
    /// type.
    ///
    /// # Errors
    /// `invalidValue` if one of them is not a user or group; 413 if the look-ups exceed the budget
    /// of the request.
    async fn kinds(&self, call: Call<'_>, members: &[&Member]) -> Result<Kinds, Error> {
        let expected = |member: &Member| member.kind.unwrap_or(MemberType::User);
        let (mut kinds, mut deleted) = (Kinds::new(), BTreeSet::new());
        for as_expected in [true, false] {
            for kind in [MemberType::User, MemberType::Group] {
                let asked =
                    members.iter().filter(|member| (expected(member) == kind) == as_expected);
                let asked = asked.map(|member| &member.value).filter(|id| !kinds.contains_key(*id));
                let asked: BTreeSet<&ResourceId> = asked.collect();
                for (id, visible) in self.visibility(call, kind, asked).await? {
                    if visible {
                        kinds.insert(id, Some(kind));
                    } else {
                        deleted.insert(id);
                    }
                }
            }
        }
        let unknown =
            members.iter().map(|member| &member.value).filter(|id| !kinds.contains_key(*id));
        let unknown: Vec<ResourceId> = unknown.cloned().collect();
        let refuses_unknown = !call.dialect().strict;
        if unknown.iter().any(|id| deleted.contains(id) || refuses_unknown) {
            return Err(Reason::UnknownResource.error().at("members"));
        }
        kinds.extend(unknown.into_iter().map(|id| (id, None)));
        Ok(kinds)
    }

    /// Which of these ids belong to resources of a type, and whether these resources are visible.
    async fn visibility(
        &self,
        call: Call<'_>,
        kind: MemberType,
        ids: BTreeSet<&ResourceId>,
    ) -> Result<BTreeMap<ResourceId, bool>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let collection = call.collection(&kind.into());
        match self.store.visibility(&collection, ids, self.clock.seconds()).await {
            Ok(found) => Ok(found),
            Err(StoreError::OutOfBudget) => Err(too_many_to_check()),
            Err(error) => Err(error.into()),
        }
    }
}

fn too_many_to_check() -> Error {
    Reason::TooManyMembers.with(
        "Looking up all members that this request names takes more reads than one request may \
         make. Name them in several requests.",
    )
}
