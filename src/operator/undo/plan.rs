//! What an undo would do, and what it has done.

use std::collections::BTreeSet;

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use crate::operator::error::OperatorError;
use crate::store::Standing;

/// What is to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRequest {
    /// The first millisecond of the span, since 1970.
    pub since: i64,
    /// The millisecond at which the span ends; `None` for now.
    pub until: Option<i64>,
    /// Only what this actor did: a key id, the label of a token, or `operator`.
    pub by: Option<String>,
}

/// A change that decides what an undo does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterChange {
    /// When, in milliseconds since 1970.
    pub milliseconds: i64,
    /// A token's id, or `operator`.
    pub actor: String,
    /// The label of the token, if it has one and is still listed.
    pub label: Option<String>,
}

/// Why a user stays deleted or suspended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaisedBefore {
    /// The change in the span that had raised the user.
    pub change: LaterChange,
    /// Whether the user stays deleted; otherwise it stays suspended.
    pub is_deleted: bool,
}

/// How a deleted user comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comeback {
    /// The standing that the user gets.
    pub standing: Standing,
    /// The version of the deleted user; `None` if an earlier undo or restore has brought the user
    /// back, but not into all groups.
    pub version: Option<u64>,
    /// The groups that the user comes back into; `None` if they are not known.
    pub groups: Option<BTreeSet<ResourceId>>,
    /// The groups that the user had joined in the span or has left since, and does not come back
    /// into.
    pub except: BTreeSet<ResourceId>,
}

/// What happens to a user who was deleted or deactivated in the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserFate {
    /// The deleted user comes back.
    Restore(Comeback),
    /// The inactive user, whose version this is, becomes active.
    Activate(u64),
    /// The user is as it was, or has more access than before.
    AlreadySo,
    /// The user stays deleted or suspended, as before the span, although it was more in between.
    StaysOut(RaisedBefore),
    /// Somebody else has changed the user since.
    ChangedSince(LaterChange),
    /// The user was deleted, and another one has the userName, or gets it back.
    NameTaken,
    /// Nothing is kept of the user: it was deleted for good, or its time is over.
    Lost,
    /// An earlier release wrote the log, which does not tell how the user was.
    NotTold,
    /// The user's row cannot be read, for this reason.
    Unreadable(String),
}

/// A user who was deleted or deactivated in the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedUser {
    /// The id.
    pub id: ResourceId,
    /// The userName, if it is still known.
    pub name: Option<String>,
    /// What happens to the user.
    pub fate: UserFate,
    /// Whether the user came in the span, and was deleted in it.
    pub came_in_span: bool,
}

/// What happens to a group itself.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupFate {
    /// It exists, and no deletion of it is to be undone.
    Stays,
    /// It is created again with these attributes, after this version.
    Create(Attributes, u64),
    /// It was deleted in the span, and exists again.
    AlreadySo,
    /// It was deleted in the span, and somebody else has deleted it again since.
    ChangedSince(LaterChange),
    /// It was deleted, and another group has the displayName.
    NameTaken,
    /// It was deleted, but not in the span or not by the actor.
    Gone,
    /// An earlier release wrote the log, which does not tell how the group was.
    NotTold,
    /// Its rows cannot be read, for this reason.
    Unreadable(String),
}

/// A user or group as a member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The id.
    pub id: ResourceId,
    /// The userName or displayName, if it is still known.
    pub name: Option<String>,
}

/// Why a membership is not brought back to what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Somebody else has changed it since.
    ChangedSince(LaterChange),
    /// The member does not exist, or no longer does.
    MemberGone,
    /// The group no longer exists.
    GroupGone,
}

/// A group that was deleted in the span, or whose members changed.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedGroup {
    /// The id.
    pub id: ResourceId,
    /// The displayName, if it is still known.
    pub name: Option<String>,
    /// What happens to the group.
    pub fate: GroupFate,
    /// Whether it came in the span, and was deleted in it.
    pub came_in_span: bool,
    /// Those who become members again, apart from the users who are restored into the group.
    pub add: Vec<Named>,
    /// Those who stop being members.
    pub remove: Vec<Named>,
    /// Members that stay as they are, and why.
    pub kept: Vec<(Named, Obstacle)>,
    /// How many memberships changed in the span and are as they were again.
    pub already_so: usize,
    /// Whether members changed whom the log does not name, because an earlier release wrote it.
    pub hides_members: bool,
}

/// What an undo would do.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoPlan {
    /// What is to be undone; `until` is known.
    pub request: UndoRequest,
    /// The key ids, or `operator`, that the request's actor names; `None` for everybody.
    pub actors: Option<BTreeSet<String>>,
    /// When the log begins, in milliseconds since 1970, if that is after the beginning of the span:
    /// what happened before is not known, and may give wrong states.
    pub log_begins: Option<i64>,
    /// The users, in the order of their names.
    pub users: Vec<PlannedUser>,
    /// The groups, in the order of their names.
    pub groups: Vec<PlannedGroup>,
    /// How many seats are free, if they are limited.
    pub free_seats: Option<usize>,
}

/// Something that could not be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoFailure {
    /// The user or group.
    pub subject: Named,
    /// Why, in a sentence for the operator.
    pub reason: String,
}

/// What an undo has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoReport {
    /// How many deleted users were restored.
    pub restored: usize,
    /// How many users who were back already came into more of their groups.
    pub rejoined: usize,
    /// How many users became active.
    pub activated: usize,
    /// How many groups were created again.
    pub created: usize,
    /// How many members were added to groups, apart from those of restored users.
    pub added: usize,
    /// How many members were removed from groups.
    pub removed: usize,
    /// Users who came back inactive, because no seat is left.
    pub without_seat: Vec<Named>,
    /// Users who came back without some attributes, whose unique values other users have now.
    pub left_out: Vec<(Named, Vec<String>)>,
    /// What could not be brought back.
    pub failures: Vec<UndoFailure>,
}

/// An undo that could not go on.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct UndoStopped {
    /// What was done before.
    pub report: UndoReport,
    /// Why it stopped.
    pub why: OperatorError,
}

impl UndoReport {
    /// Whether all that was planned was done.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.without_seat.is_empty()
    }
}

impl PlannedUser {
    /// Whether the undo writes anything for the user.
    pub fn changes(&self) -> bool {
        matches!(self.fate, UserFate::Restore(_) | UserFate::Activate(_))
    }

    /// Whether the user stays as it is against what the undo would do.
    fn is_held(&self) -> bool {
        !self.changes() && self.fate != UserFate::AlreadySo
    }

    /// Whether the user needs a seat to come back.
    fn needs_seat(&self) -> bool {
        match &self.fate {
            UserFate::Restore(comeback) => comeback.standing.active && comeback.version.is_some(),
            UserFate::Activate(_) => true,
            _ => false,
        }
    }
}

impl PlannedGroup {
    /// Whether the undo writes anything for the group.
    pub fn changes(&self) -> bool {
        matches!(self.fate, GroupFate::Create(..))
            || !(self.add.is_empty() && self.remove.is_empty())
    }

    /// How many things of the group stay as they are against what the undo would do.
    fn held(&self) -> usize {
        let is_held = match &self.fate {
            GroupFate::ChangedSince(_)
            | GroupFate::NameTaken
            | GroupFate::NotTold
            | GroupFate::Unreadable(_) => true,
            GroupFate::Stays | GroupFate::Create(..) | GroupFate::AlreadySo | GroupFate::Gone => {
                false
            }
        };
        self.kept.len() + usize::from(is_held) + usize::from(self.hides_members)
    }
}

/// How many things an undo changes, by what happens to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UndoCounts {
    /// Deleted users who come back.
    pub restore: usize,
    /// Users who are back already, and come back into groups.
    pub rejoin: usize,
    /// Users who become active.
    pub activate: usize,
    /// Groups that are created again.
    pub create: usize,
    /// Members who are added, apart from the users who come back into groups.
    pub add: usize,
    /// Members who are removed.
    pub remove: usize,
    /// Those of the users and groups that come back who came in the span too.
    pub came_in_span: usize,
}

/// How many things stay as they are against what the undo would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UndoHeld {
    /// Users.
    pub users: usize,
    /// Groups and memberships.
    pub groups: usize,
}

impl UndoHeld {
    /// Whether all can be brought back.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl UndoPlan {
    /// How many things change.
    pub fn counts(&self) -> UndoCounts {
        let mut counts = UndoCounts::default();
        for user in &self.users {
            counts.came_in_span += usize::from(user.came_in_span && user.changes());
            match &user.fate {
                UserFate::Restore(Comeback { version: Some(_), .. }) => counts.restore += 1,
                UserFate::Restore(_) => counts.rejoin += 1,
                UserFate::Activate(_) => counts.activate += 1,
                _ => {}
            }
        }
        for group in &self.groups {
            let is_created = matches!(group.fate, GroupFate::Create(..));
            counts.create += usize::from(is_created);
            counts.came_in_span += usize::from(group.came_in_span && is_created);
            counts.add += group.add.len();
            counts.remove += group.remove.len();
        }
        counts
    }

    /// How many things cannot be brought back.
    pub fn held(&self) -> UndoHeld {
        let users = self.users.iter().filter(|user| user.is_held()).count();
        UndoHeld { users, groups: self.groups.iter().map(PlannedGroup::held).sum() }
    }

    /// How many users come back or become active.
    pub fn users_to_change(&self) -> usize {
        self.users.iter().filter(|user| user.changes()).count()
    }

    /// How many groups are created again or get other members.
    pub fn groups_to_change(&self) -> usize {
        self.groups.iter().filter(|group| group.changes()).count()
    }

    /// Whether anything is to be written.
    pub fn changes(&self) -> bool {
        self.users_to_change() + self.groups_to_change() > 0
    }

    /// Whether there is nothing in the span that could be undone.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// How many users will lack a seat, if seats are limited.
    pub fn missing_seats(&self) -> usize {
        let needed = self.users.iter().filter(|user| user.needs_seat()).count();
        self.free_seats.map_or(0, |free| needed.saturating_sub(free))
    }

    /// The part of the plan that is about these users and groups, and their memberships.
    pub(super) fn only(mut self, ids: &BTreeSet<ResourceId>) -> Self {
        self.users.retain(|user| ids.contains(&user.id));
        for group in self.groups.iter_mut().filter(|group| !ids.contains(&group.id)) {
            group.add.retain(|member| ids.contains(&member.id));
            group.remove.retain(|member| ids.contains(&member.id));
            if matches!(group.fate, GroupFate::Create(..)) {
                (group.add, group.remove) = (Vec::new(), Vec::new());
                group.fate = GroupFate::Gone;
            }
        }
        self
    }
}
