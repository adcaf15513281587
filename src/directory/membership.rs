//! How the members of a group change: a few in one transaction, many in portions.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::members::{Delta, Member, MemberType, MembersPatch};
use scim_core::{Dialect, Error, ErrorKind, ResourceId};

use super::{Call, Directory, busy, not_found, whole};
use crate::store::members::that_fit;
use crate::store::{Collection, Kind, Move, Operation, Refusal, Stored, Wrote};
use crate::tenant::{Type, unanswered};

/// Most changes of members in a request.
const MOST_MOVES: usize = 1_000;
/// How many members are looked up at a time.
const SIDE_BY_SIDE: usize = 16;

/// What a request asks of a group's members.
#[derive(Debug)]
pub(super) enum Membership<'a> {
    /// Nothing.
    Kept,
    /// These and nobody else.
    Exactly(&'a [Member]),
    /// What the operations say.
    Patched(&'a MembersPatch<'a>),
}

/// Changes of members that wait to be written, and what is known about those that were tried.
#[derive(Debug, Default)]
pub(super) struct Moves {
    pub(super) waiting: Vec<Move>,
    /// What those are who were not what they seemed; `None` is no resource of this tenant.
    kinds: BTreeMap<ResourceId, Option<MemberType>>,
    /// Who is, or is not, a member already, as wished.
    done: Vec<ResourceId>,
}

impl Moves {
    /// # Errors
    /// 413 over [`MOST_MOVES`]; `invalidValue` if the group is to join itself.
    pub(super) fn new(delta: Delta, group: &ResourceId) -> Result<Self, Error> {
        if delta.get(group).is_some_and(Option::is_some) {
            return Err(Error::invalid_value("A group cannot be a member of itself."));
        }
        if delta.len() > MOST_MOVES {
            return Err(Error::new(
                ErrorKind::PayloadTooLarge,
                format!("A request changes at most {MOST_MOVES} members; send them in several requests."),
            ));
        }
        let moves = delta.into_iter().map(|(id, member)| member.map_or(Move::Leave(id), Move::Join));
        Ok(Self { waiting: moves.collect(), ..Self::default() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Uses what is known: drops what is done, and gives each member its type.
    fn settle(&mut self) {
        let Self { waiting, kinds, done } = self;
        waiting.retain(|change| !done.contains(change.member()));
        for change in waiting {
            if let Move::Join(member) = change {
                match kinds.get(&member.value) {
                    Some(Some(kind)) => member.kind = Some(*kind),
                    Some(None) => *change = Move::Name(member.clone()),
                    None => {}
                }
            }
        }
    }
}

impl Directory {
    /// What is to be changed so that the members are as they should be.
    pub(super) async fn moves(
        &self,
        call: Call<'_>,
        group: &Stored,
        membership: &Membership<'_>,
        known: &Moves,
    ) -> Result<Moves, Error> {
        let id = &group.resource.id;
        let (present, after) = match membership {
            Membership::Kept => return Ok(Moves::default()),
            Membership::Patched(patch) => match patch.delta() {
                Some(delta) => {
                    let mut moves =
                        Moves { kinds: known.kinds.clone(), done: known.done.clone(), ..Moves::new(delta, id)? };
                    moves.settle();
                    return Ok(moves);
                }
                None => {
                    let present = self.all_members(call, id).await?;
                    let after = patch.apply(present.clone(), |member| whole::element(call, member))?;
                    (present, after)
                }
            },
            Membership::Exactly(members) => (self.all_members(call, id).await?, members.to_vec()),
        };
        let before: BTreeMap<_, _> = present.iter().map(|member| (&member.value, member)).collect();
        let to_be: BTreeMap<_, _> = after.iter().map(|member| (&member.value, member)).collect();
        let mut delta = Delta::new();
        let join = to_be.iter().filter(|(id, _)| !before.contains_key(*id));
        delta.extend(join.map(|(id, member)| ((*id).clone(), Some((*member).clone()))));
        let leave = before.keys().filter(|id| !to_be.contains_key(*id));
        delta.extend(leave.map(|id| ((*id).clone(), None)));
        let mut moves = Moves { kinds: known.kinds.clone(), ..Moves::new(delta, id)? };
        moves.settle();
        Ok(moves)
    }

    /// All members, however many: to replace them, or to find some by a filter.
    async fn all_members(&self, call: Call<'_>, group: &ResourceId) -> Result<Vec<Member>, Error> {
        self.members(call, group, usize::MAX - 1).await
    }

    /// The moves that one transaction takes, and the rest. If there is a rest, all are checked first.
    pub(super) async fn portions(&self, call: Call<'_>, mut moves: Moves) -> Result<(Moves, Moves), Error> {
        let fitting = that_fit(&moves.waiting);
        if fitting < moves.waiting.len() {
            self.check_members(call, &mut moves).await?;
        }
        let rest = moves.waiting.split_off(fitting);
        let later = Moves { waiting: rest, kinds: moves.kinds.clone(), done: Vec::new() };
        Ok((moves, later))
    }

    /// Writes changes of members, and of nothing else, until all are stored: who is a member already is
    /// added, and who is none is removed, with success.
    pub(super) async fn move_members(
        &self,
        call: Call<'_>,
        of: &Type,
        group: &ResourceId,
        moves: Moves,
    ) -> Result<(), Error> {
        let at = call.collection(&of.kind);
        let (mut now, mut later) = self.portions(call, moves).await?;
        loop {
            now.settle();
            if now.is_empty() {
                if later.is_empty() {
                    return Ok(());
                }
                (now, later) = self.portions(call, later).await?;
                continue;
            }
            let act = self.act(call, Operation::Patch);
            match self.store.change_members(&at, group, &now.waiting, &act).await.map_err(unanswered)? {
                Wrote::Stored => now.waiting.clear(),
                Wrote::Refused(refusal) if refusal.no_group => return Err(not_found(of)),
                Wrote::Refused(refusal) if refusal.moved.is_empty() && refusal.unknown.is_empty() => return Err(busy()),
                Wrote::Refused(refusal) => self.learn(call, &mut now, &refusal).await?,
            }
        }
    }

    /// Takes from a refusal who is done already and who is no user but a group.
    ///
    /// # Errors
    /// As [`Directory::kind`].
    pub(super) async fn learn(&self, call: Call<'_>, moves: &mut Moves, refusal: &Refusal) -> Result<(), Error> {
        let done = refusal.moved.iter().filter_map(|index| moves.waiting.get(*index));
        moves.done.extend(done.map(|change| change.member().clone()).collect::<Vec<_>>());
        let unknown: Vec<Move> =
            refusal.unknown.iter().filter_map(|index| moves.waiting.get(*index)).cloned().collect();
        for change in unknown {
            let Move::Join(member) = change else { continue };
            let kind = self.kind(call, &member).await?;
            if moves.kinds.insert(member.value, kind).is_some() {
                return Err(busy());
            }
        }
        moves.settle();
        Ok(())
    }

    /// Checks that everybody who is to join is there, before anything is written.
    pub(super) async fn check_members(&self, call: Call<'_>, moves: &mut Moves) -> Result<(), Error> {
        let joining = moves.waiting.iter().filter_map(|change| match change {
            Move::Join(member) => Some(member.clone()),
            Move::Name(_) | Move::Leave(_) => None,
        });
        let each = stream::iter(joining.collect::<Vec<_>>())
            .map(|member| async move { Ok::<_, Error>((member.value.clone(), self.kind(call, &member).await?)) });
        let kinds: Vec<_> = each.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        moves.kinds.extend(kinds);
        moves.settle();
        Ok(())
    }

    /// What somebody is who is named as a member. Under the strict profile it may be nobody: RFC 7643
    /// section 4.2 asks for no check.
    ///
    /// # Errors
    /// `invalidValue` if there is no such user or group.
    async fn kind(&self, call: Call<'_>, member: &Member) -> Result<Option<MemberType>, Error> {
        let likely = member.kind.unwrap_or(MemberType::User);
        let other = if likely == MemberType::User { MemberType::Group } else { MemberType::User };
        for kind in [likely, other] {
            if self.lives(call, &member.value, kind).await? {
                return Ok(Some(kind));
            }
        }
        match call.dialect() {
            Dialect::Strict => Ok(None),
            Dialect::Tolerant => {
                Err(Error::invalid_value("One of members is no user or group of this tenant; create it first."))
            }
        }
    }

    async fn lives(&self, call: Call<'_>, id: &ResourceId, kind: MemberType) -> Result<bool, Error> {
        let kind = if kind == MemberType::User { Kind::User } else { Kind::Group };
        let now = self.clock.seconds();
        let at = Collection { tenant: call.tenant.key(), kind };
        let found = self.store.resource(&at, id, now).await.map_err(unanswered)?;
        Ok(found.is_some_and(|found| found.is_visible(now)))
    }
}
