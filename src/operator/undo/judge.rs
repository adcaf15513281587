//! What follows from the log and from what is there now. Nothing is read or written here.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use scim_core::ResourceId;

use super::course::{Touch, Trail};
use super::plan::{
    Comeback, GroupFate, LaterChange, Named, Obstacle, PlannedGroup, PlannedUser, RaisedBefore,
    UserFate,
};
use super::trail::{Trails, UserStory};
use crate::store::{Stage, Standing};

/// A user as it is now.
#[derive(Debug, Clone)]
pub(super) struct PresentUser {
    pub(super) name: Option<String>,
    pub(super) standing: Standing,
    pub(super) version: u64,
    /// The groups that the user was in before its deletion, and is not in again; `None` if they are
    /// not known.
    pub(super) past: Option<BTreeSet<ResourceId>>,
    /// Those of them that an interrupted deletion has not ended yet, so that the log does not name
    /// them.
    pub(super) leaving: BTreeSet<ResourceId>,
    /// Whether the user is deleted, and another one has the userName.
    pub(super) is_name_taken: bool,
}

/// What is there now of what the trails name.
#[derive(Debug, Default)]
pub(super) struct Present {
    /// The users who exist or can be restored.
    pub(super) users: BTreeMap<ResourceId, PresentUser>,
    /// The groups that exist, with their names.
    pub(super) groups: BTreeMap<ResourceId, Option<String>>,
    /// The deleted groups whose displayName another group has now.
    pub(super) taken_names: BTreeSet<ResourceId>,
    /// The displayNames of deleted groups, in the form in which they are compared, if no two groups
    /// may have the same.
    pub(super) unique_names: BTreeMap<ResourceId, String>,
    /// The members of groups.
    pub(super) members: BTreeMap<ResourceId, BTreeSet<ResourceId>>,
    /// The labels of tokens.
    pub(super) labels: BTreeMap<String, String>,
    /// Whether an id that names no resource may be a member.
    pub(super) admits_unknown: bool,
    /// The users and groups whose rows cannot be read, and why.
    pub(super) unreadable: BTreeMap<ResourceId, String>,
}

/// The trails and what is there, which together decide.
pub(super) struct Judge<'a> {
    pub(super) trails: &'a Trails,
    pub(super) present: &'a Present,
}

impl Judge<'_> {
    /// The fates of all users and groups that the trails name, in the order of their names.
    pub(super) fn plan(&self) -> (Vec<PlannedUser>, Vec<PlannedGroup>) {
        let mut groups: BTreeMap<&ResourceId, GroupFate> =
            self.group_ids().into_iter().map(|id| (id, self.group_fate(id))).collect();
        self.choose_groups(&mut groups);
        let exists = |id: &ResourceId| match groups.get(id) {
            Some(fate) => is_there(fate),
            None => self.present.groups.contains_key(id),
        };
        let users = self.trails.users.iter().filter_map(|(id, story)| {
            let fate = self.user_fate(id, story, &exists)?;
            let name = self.present.users.get(id).and_then(|user| user.name.clone());
            let came_in_span = story.is_new() && comes_back(&fate);
            Some((id, PlannedUser { id: id.clone(), name, fate, came_in_span }))
        });
        let mut users: BTreeMap<&ResourceId, PlannedUser> = users.collect();
        self.choose_namesakes(&mut users);
        let planned = groups.iter().map(|(id, fate)| self.group(id, fate.clone(), &users, &groups));
        let mut planned: Vec<PlannedGroup> = planned.filter(is_worth_showing).collect();
        planned.sort_by(|a, b| a.name.cmp(&b.name));
        let mut users: Vec<PlannedUser> = users.into_values().collect();
        users.sort_by(|a, b| a.name.cmp(&b.name));
        (users, planned)
    }

    /// The groups that were deleted, and those whose members changed.
    fn group_ids(&self) -> BTreeSet<&ResourceId> {
        let stories = self.trails.groups.iter();
        let named = stories.filter(|(_, story)| story.trail.is_some() || story.hides_members);
        named.map(|(id, _)| id).chain(self.trails.memberships.keys()).collect()
    }

    /// Of deleted users of one userName, one comes back, and rather one who was there before the
    /// span. The name of the others is taken.
    fn choose_namesakes(&self, users: &mut BTreeMap<&ResourceId, PlannedUser>) {
        let is_new =
            |id: &ResourceId| self.trails.users.get(id).is_some_and(|story| story.is_new());
        let mut coming: Vec<(bool, &mut PlannedUser)> = users
            .iter_mut()
            .filter(|(_, user)| comes_back(&user.fate))
            .map(|(id, user)| (is_new(id), user))
            .collect();
        coming.sort_by_key(|(is_new, _)| *is_new);
        let mut taken = BTreeSet::new();
        for (_, user) in coming {
            let name = user.name.as_deref().map(str::to_lowercase);
            if name.is_some_and(|name| !taken.insert(name)) {
                user.fate = UserFate::NameTaken;
            }
        }
    }

    /// Of deleted groups of one displayName, one comes back, as of users.
    fn choose_groups(&self, groups: &mut BTreeMap<&ResourceId, GroupFate>) {
        let mut coming: Vec<(bool, &ResourceId)> = groups
            .iter()
            .filter(|(_, fate)| matches!(fate, GroupFate::Create(..)))
            .map(|(id, _)| (self.is_new_group(id), *id))
            .collect();
        coming.sort();
        let mut taken = BTreeSet::new();
        for (_, id) in coming {
            if self.present.unique_names.get(id).is_some_and(|name| !taken.insert(name)) {
                groups.insert(id, GroupFate::NameTaken);
            }
        }
    }

    /// Whether a group came in the span.
    fn is_new_group(&self, id: &ResourceId) -> bool {
        self.trails.groups.get(id).is_some_and(|story| story.is_new)
    }

    fn user_fate(
        &self,
        id: &ResourceId,
        story: &UserStory,
        exists: &impl Fn(&ResourceId) -> bool,
    ) -> Option<UserFate> {
        let trail = &story.trail()?;
        if let Some(reason) = self.present.unreadable.get(id) {
            return Some(UserFate::Unreadable(reason.clone()));
        }
        // A user who was out before the span stays out.
        if trail.target.is_some_and(|target| target.state == Stage::Deleted) {
            return Some(self.as_before(trail, self.present.users.get(id)));
        }
        let later = || trail.since.as_ref().map(|touch| self.later(touch));
        let Some(user) = self.present.users.get(id) else {
            return Some(later().map_or(UserFate::Lost, UserFate::ChangedSince));
        };
        let is_live = user.standing.state == Stage::Live;
        let Some(target) = trail.target else {
            let is_there = is_live && user.standing.active;
            return Some(if is_there { UserFate::AlreadySo } else { UserFate::NotTold });
        };
        let is_same = is_live && user.standing.active == target.active;
        let comeback = |version| self.comeback(id, user, (target, version), exists);
        if is_same {
            let has_left = user.past.iter().flatten().any(|group| self.is_left(group, id));
            let fate = if has_left { comeback(None) } else { self.as_before(trail, Some(user)) };
            return Some(fate);
        }
        Some(match (later(), user.standing.state) {
            (Some(later), _) => UserFate::ChangedSince(later),
            // The actor activated the user after that, which is not undone.
            (None, Stage::Live) if !target.active => UserFate::AlreadySo,
            (None, Stage::Live) => UserFate::Activate(user.version),
            (None, Stage::Deleted) if user.is_name_taken => UserFate::NameTaken,
            (None, Stage::Deleted) => comeback(Some(user.version)),
            (None, Stage::Unmanaged) => UserFate::Lost,
        })
    }

    /// The fate of a user who is as before the span: it is to be named if a change of the span had
    /// raised it just before, since that one may have been right.
    fn as_before(&self, trail: &Trail<Standing>, user: Option<&PresentUser>) -> UserFate {
        let is_deleted = trail.target.is_some_and(|target| target.state == Stage::Deleted);
        let stays = user.is_some_and(|user| (user.standing.state == Stage::Deleted) == is_deleted);
        match (&trail.raised, &trail.since) {
            (Some(touch), None) if stays => {
                UserFate::StaysOut(RaisedBefore { change: self.later(touch), is_deleted })
            }
            _ => UserFate::AlreadySo,
        }
    }

    /// Whether a change that is undone has ended a membership.
    fn is_left(&self, group: &ResourceId, member: &ResourceId) -> bool {
        let trail = self.trails.memberships.get(group).and_then(|trails| trails.get(member));
        trail.is_some()
    }

    /// How a user comes back: into the groups of before, but not into those joined in the span, nor
    /// into those left before it. A user who is visible again does not come into those that somebody
    /// else has taken it out of.
    fn comeback(
        &self,
        id: &ResourceId,
        user: &PresentUser,
        (standing, version): (Standing, Option<u64>),
        exists: &impl Fn(&ResourceId) -> bool,
    ) -> UserFate {
        let joined = |group: &&ResourceId| {
            let trail = self.trails.memberships.get(*group).and_then(|trails| trails.get(id));
            let Some(trail) = trail else { return !user.leaving.contains(*group) };
            let is_taken_out = version.is_none() && !self.is_member(group, id);
            trail.target != Some(true) || (trail.since.is_some() && is_taken_out)
        };
        let past = || user.past.iter().flatten();
        let except: BTreeSet<ResourceId> = past().filter(joined).cloned().collect();
        let again = past().filter(|group| !except.contains(*group) && exists(group));
        let groups = user.past.as_ref().map(|_| again.cloned().collect());
        UserFate::Restore(Comeback { standing, version, groups, except })
    }

    fn group_fate(&self, id: &ResourceId) -> GroupFate {
        if let Some(reason) = self.present.unreadable.get(id) {
            return GroupFate::Unreadable(reason.clone());
        }
        let exists = self.present.groups.contains_key(id);
        let Some(trail) = self.trails.groups.get(id).and_then(|story| story.trail.as_ref()) else {
            return if exists { GroupFate::Stays } else { GroupFate::Gone };
        };
        match (&trail.since, &trail.target) {
            _ if exists => GroupFate::AlreadySo,
            (Some(touch), _) => GroupFate::ChangedSince(self.later(touch)),
            (None, None) => GroupFate::NotTold,
            (None, Some(_)) if self.present.taken_names.contains(id) => GroupFate::NameTaken,
            (None, Some((attributes, version))) => GroupFate::Create(attributes.clone(), *version),
        }
    }

    fn group(
        &self,
        id: &ResourceId,
        fate: GroupFate,
        users: &BTreeMap<&ResourceId, PlannedUser>,
        groups: &BTreeMap<&ResourceId, GroupFate>,
    ) -> PlannedGroup {
        let again = match &fate {
            GroupFate::Create(attributes, _) => attributes.text("displayName"),
            _ => None,
        };
        let deleted = || {
            let (attributes, _) = self.trails.groups.get(id)?.trail.as_ref()?.target.as_ref()?;
            attributes.text("displayName").map(str::to_owned)
        };
        let present = self.present.groups.get(id).cloned().flatten();
        let name = again.map(str::to_owned).or(present).or_else(deleted);
        let hides_members = self.trails.groups.get(id).is_some_and(|story| story.hides_members);
        let (mut add, mut remove, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let mut already_so = 0;
        for (member, trail) in self.trails.memberships.get(id).into_iter().flatten() {
            let user = users.get(member);
            match self.membership((id, &fate), (member, trail), user, groups) {
                Wanted::Nothing => {}
                Wanted::AlreadySo => already_so += 1,
                Wanted::Add => add.push(self.named(member)),
                Wanted::Remove => remove.push(self.named(member)),
                Wanted::Kept(obstacle) => kept.push((self.named(member), obstacle)),
            }
        }
        add.sort_by(by_name);
        remove.sort_by(by_name);
        kept.sort_by(|a, b| by_name(&a.0, &b.0));
        let came_in_span = self.is_new_group(id) && matches!(fate, GroupFate::Create(..));
        let id = id.clone();
        PlannedGroup { id, name, fate, came_in_span, add, remove, kept, already_so, hides_members }
    }

    fn membership(
        &self,
        (group, fate): (&ResourceId, &GroupFate),
        (member, trail): (&ResourceId, &Trail<bool>),
        user: Option<&PlannedUser>,
        groups: &BTreeMap<&ResourceId, GroupFate>,
    ) -> Wanted {
        // What is said about the group explains it.
        if matches!(fate, GroupFate::Unreadable(_)) {
            return Wanted::Nothing;
        }
        let comeback = match user.map(|user| &user.fate) {
            Some(UserFate::Restore(comeback)) => Some(comeback),
            _ => None,
        };
        let by_restore = |of: fn(&Comeback) -> Option<&BTreeSet<ResourceId>>| {
            comeback.and_then(of).is_some_and(|groups| groups.contains(group))
        };
        if by_restore(|comeback| Some(&comeback.except)) && trail.since.is_none() {
            return Wanted::Nothing;
        }
        // A user who is restored comes back into groups.
        let comes = by_restore(|comeback| comeback.groups.as_ref()) && is_there(fate);
        let is_member = comes || self.is_member(group, member);
        let target = trail.target.unwrap_or(is_member);
        if is_member == target {
            return if comes { Wanted::Nothing } else { Wanted::AlreadySo };
        }
        if let Some(touch) = &trail.since {
            return Wanted::Kept(Obstacle::ChangedSince(self.later(touch)));
        }
        if target { self.joining(fate, member, user, groups) } else { Wanted::Remove }
    }

    /// What a membership needs that is to begin again.
    fn joining(
        &self,
        fate: &GroupFate,
        member: &ResourceId,
        user: Option<&PlannedUser>,
        groups: &BTreeMap<&ResourceId, GroupFate>,
    ) -> Wanted {
        if !is_there(fate) {
            return Wanted::Kept(Obstacle::GroupGone);
        }
        let comes = user.is_some_and(|user| matches!(user.fate, UserFate::Restore(_)));
        if comes || self.may_join(member, user, groups) {
            return Wanted::Add;
        }
        // What is said about the user explains it.
        if user.is_some() { Wanted::Nothing } else { Wanted::Kept(Obstacle::MemberGone) }
    }

    /// Whether a user or group that is not restored can be a member.
    fn may_join(
        &self,
        member: &ResourceId,
        user: Option<&PlannedUser>,
        groups: &BTreeMap<&ResourceId, GroupFate>,
    ) -> bool {
        let known = self.present.users.get(member);
        let is_live = known.is_some_and(|user| user.standing.state == Stage::Live);
        let is_group = match groups.get(member) {
            Some(fate) => is_there(fate),
            None => self.present.groups.contains_key(member),
        };
        let is_unknown = self.present.admits_unknown
            && known.is_none()
            && user.is_none()
            && !self.present.unreadable.contains_key(member);
        is_live || is_group || is_unknown
    }

    /// Whether a visible resource is a member of a group that exists.
    fn is_member(&self, group: &ResourceId, member: &ResourceId) -> bool {
        let is_deleted = |user: &PresentUser| user.standing.state != Stage::Live;
        self.present.groups.contains_key(group)
            && self.present.members.get(group).is_some_and(|members| members.contains(member))
            && !self.present.users.get(member).is_some_and(is_deleted)
    }

    fn named(&self, id: &ResourceId) -> Named {
        let user = self.present.users.get(id).map(|user| user.name.clone());
        let name = user.or_else(|| self.present.groups.get(id).cloned()).flatten();
        Named { id: id.clone(), name }
    }

    fn later(&self, touch: &Touch) -> LaterChange {
        let Touch { milliseconds, actor } = touch.clone();
        let label = self.present.labels.get(&actor).cloned();
        LaterChange { milliseconds, actor, label }
    }
}

/// The order in which people look for somebody.
fn by_name(a: &Named, b: &Named) -> Ordering {
    a.name.cmp(&b.name)
}

/// What a membership needs.
enum Wanted {
    Nothing,
    AlreadySo,
    Add,
    Remove,
    Kept(Obstacle),
}

/// Whether a deleted user comes back.
fn comes_back(fate: &UserFate) -> bool {
    matches!(fate, UserFate::Restore(Comeback { version: Some(_), .. }))
}

/// Whether a group exists when the undo is done.
fn is_there(fate: &GroupFate) -> bool {
    matches!(fate, GroupFate::Stays | GroupFate::AlreadySo | GroupFate::Create(..))
}

/// Whether there is anything to say about a group.
fn is_worth_showing(group: &PlannedGroup) -> bool {
    let is_plain = matches!(group.fate, GroupFate::Stays | GroupFate::Gone);
    let has_more = !group.kept.is_empty() || group.already_so > 0 || group.hides_members;
    !is_plain || group.changes() || has_more
}
