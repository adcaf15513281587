//! What the log tells about the things that an undo may bring back: the standing of a user, the
//! existence of a group, and each membership. Rows are taken in one after the other, from the
//! beginning of the span to now, and only what matters is kept.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use super::course::{Course, Step, Touch, Trail, step};
use super::selection::{Class, Selection};
use crate::operator::provisioning::is_about_user;
use crate::store::{Kind, LogRow, OPERATOR, Operation, Stage, Standing, Subject};

/// What the log tells about one user.
#[derive(Debug, Default)]
pub(super) struct UserStory {
    /// Whether the user came in the span: was created, linked, or brought back by a POST, and the
    /// log has nothing of before.
    is_new: bool,
    /// What the last deletion is to the undo, if there was one.
    deletion: Option<Class>,
    /// The changes of the standing.
    course: Course,
    /// The request that created the user.
    created_by: Option<String>,
}

impl UserStory {
    /// Whether the user came in the span.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// The standing, if it is to be undone.
    pub(super) fn trail(&self) -> Option<Trail<Standing>> {
        self.course.trail()
    }
}

/// What the log tells about one group.
#[derive(Debug, Default)]
pub(super) struct GroupStory {
    /// Whether it was created in the span.
    pub(super) is_new: bool,
    /// The request that created it.
    created_by: Option<String>,
    /// What the last deletion is to the undo, if there was one.
    deletion: Option<Class>,
    /// The existence of the group: its attributes, and the version of its deletion.
    pub(super) trail: Option<Trail<(Attributes, u64)>>,
    /// Whether memberships began or ended that the log does not name.
    pub(super) hides_members: bool,
}

impl GroupStory {
    /// Takes in the deletion of the group.
    fn delete(&mut self, row: &LogRow, class: Class) {
        let known = row.document.clone().zip(row.version);
        self.deletion = Some(class);
        match (&mut self.trail, class) {
            (None, Class::Selected) => self.trail = Some(Trail::begin(known)),
            // The attributes of the last deletion count: their changes are not undone.
            (Some(trail), Class::Selected) => trail.target = known.or(trail.target.take()),
            (Some(trail), Class::Other) => trail.since = Some(Touch::of(row)),
            (_, Class::Neutral) | (None, Class::Other) => {}
        }
    }
}

/// What happens to a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Begins,
    Ends,
    /// It ends because the group or the member is deleted.
    EndsByDeletion,
}

/// What the log tells, by users, by groups, and by groups and their members.
#[derive(Debug, Default)]
pub(super) struct Trails {
    pub(super) users: BTreeMap<ResourceId, UserStory>,
    pub(super) groups: BTreeMap<ResourceId, GroupStory>,
    pub(super) memberships: BTreeMap<ResourceId, BTreeMap<ResourceId, Trail<bool>>>,
    /// Memberships of those who came in the span, by group and member, which selected changes began.
    /// They stay; but if another change has ended them, they do not begin again.
    begun: BTreeSet<(ResourceId, ResourceId)>,
    /// The time of the newest row, in milliseconds since 1970.
    pub(super) newest: i64,
    /// The time of the newest row that is undone; `None` if there is no such row.
    pub(super) newest_selected: Option<i64>,
    /// Whether one of the wanted actors has a row.
    pub(super) knows_actor: bool,
}

impl Trails {
    /// Takes in the next row of the log.
    pub(super) fn take_in(&mut self, selection: &Selection, row: &LogRow) {
        self.newest = self.newest.max(row.milliseconds);
        self.knows_actor |= selection.is_by_wanted(row);
        let Some(operation) = Operation::of(&row.operation).filter(|one| is_of_resources(*one))
        else {
            return;
        };
        let Ok(id) = row.subject_id.parse::<ResourceId>() else { return };
        let class = selection.class(row);
        match &row.subject {
            Some(Subject::Resource(Kind::User)) => {
                self.of_user(selection, (operation, row, class), &id);
            }
            Some(Subject::Resource(Kind::Group)) => {
                self.of_group(selection, (operation, row, class), &id);
            }
            None if is_about_user(row) => self.of_user(selection, (operation, row, class), &id),
            None => self.of_group(selection, (operation, row, class), &id),
            Some(Subject::Resource(Kind::Other(_)) | Subject::Tenant | Subject::Token) => {}
        }
    }

    fn of_user(
        &mut self,
        selection: &Selection,
        (operation, row, class): (Operation, &LogRow, Class),
        id: &ResourceId,
    ) {
        let story = self.users.entry(id.clone()).or_default();
        let class = unless_given_up(&mut story.created_by, (operation, row, class));
        if let Some(step) = step(operation, row) {
            let comes = step == Step::Entered || is_return(operation, row);
            story.is_new |= comes && story.course.is_empty() && selection.is_in_span(row);
            story.course.add(row, class, step);
            if operation == Operation::Delete {
                story.deletion = Some(class);
            }
            if class == Class::Selected && story.trail().is_some() {
                self.newest_selected = self.newest_selected.max(Some(row.milliseconds));
            }
        }
        let deletion = story.deletion.filter(|_| operation != Operation::Expire);
        self.left(row, id, deletion);
    }

    fn of_group(
        &mut self,
        selection: &Selection,
        (operation, row, class): (Operation, &LogRow, Class),
        id: &ResourceId,
    ) {
        let story = self.groups.entry(id.clone()).or_default();
        story.is_new |= operation == Operation::Create && selection.is_in_span(row);
        let class = unless_given_up(&mut story.created_by, (operation, row, class));
        let is_deletion = operation == Operation::Delete && row.version.is_some();
        if is_deletion {
            story.delete(row, class);
        }
        let deletion = story.deletion;
        // Members of a deleted group leave by its deletion, whichever request removes their rows.
        // Without a deletion the group was deleted earlier, or never was. A group that is being
        // created has its first members, or is given up.
        let of_members = match operation {
            Operation::Create => None,
            Operation::Delete => deletion.filter(|_| !is_deletion),
            _ => Some(class),
        };
        let hides = row.added.is_none() || row.removed.is_none();
        let hides = hides && of_members == Some(Class::Selected);
        story.hides_members |= hides;
        if hides || (is_deletion && class == Class::Selected) {
            self.select(row);
        }
        self.left(row, id, deletion);
        if class == Class::Selected && operation != Operation::Restore {
            self.begin(row, id);
        }
        if let Some(class) = of_members {
            self.of_members((operation, row, class), id);
        }
    }

    /// The members whom a group gets or loses.
    fn of_members(
        &mut self,
        (operation, row, class): (Operation, &LogRow, Class),
        id: &ResourceId,
    ) {
        for member in row.added.iter().flatten() {
            let stays = operation == Operation::Restore || self.is_new(id, member);
            let class = if stays { kept(class) } else { class };
            self.membership(row, (id, member), Change::Begins, class);
        }
        let by_deletion = operation == Operation::Delete;
        let ends = if by_deletion { Change::EndsByDeletion } else { Change::Ends };
        for member in row.removed.iter().flatten() {
            self.membership(row, (id, member), ends, class);
        }
    }

    /// Takes note of a row that is undone.
    fn select(&mut self, row: &LogRow) {
        self.newest_selected = self.newest_selected.max(Some(row.milliseconds));
    }

    /// Takes note of the memberships that a selected change begins, and that stay.
    fn begin(&mut self, row: &LogRow, group: &ResourceId) {
        for member in row.added.iter().flatten() {
            if self.is_new(group, member) {
                self.begun.insert((group.clone(), member.clone()));
            }
        }
    }

    /// The end of memberships by the deletion of a resource, which is what the deletion is. Without
    /// a deletion the resource was deleted before the span.
    fn left(&mut self, row: &LogRow, id: &ResourceId, deletion: Option<Class>) {
        let Some(class) = deletion else { return };
        for group in row.left.iter().flatten() {
            self.membership(row, (group, id), Change::EndsByDeletion, class);
        }
    }

    /// Whether the group or the member came in the span: then their memberships stay.
    fn is_new(&self, group: &ResourceId, member: &ResourceId) -> bool {
        let is_new_group = |id| self.groups.get(id).is_some_and(|group| group.is_new);
        let is_new_user = self.users.get(member).is_some_and(|user| user.is_new);
        is_new_user || is_new_group(group) || is_new_group(member)
    }

    fn membership(
        &mut self,
        row: &LogRow,
        (group, member): (&ResourceId, &ResourceId),
        change: Change,
        class: Class,
    ) {
        match class {
            Class::Selected => {
                let is_known = |trails: &BTreeMap<_, _>| trails.contains_key(member);
                let pair = (group.clone(), member.clone());
                // Nobody gets more than before the span. What ends by a deletion comes back with it.
                if change == Change::Ends
                    && self.begun.contains(&pair)
                    && !self.memberships.get(group).is_some_and(is_known)
                {
                    return;
                }
                let (group, member) = pair;
                let trails = self.memberships.entry(group).or_default();
                let first = Trail::begin(Some(change != Change::Begins));
                trails.entry(member).or_insert(first);
                self.select(row);
            }
            Class::Other => {
                let trails = self.memberships.get_mut(group);
                if let Some(trail) = trails.and_then(|trails| trails.get_mut(member)) {
                    trail.since = Some(Touch::of(row));
                }
            }
            Class::Neutral => {}
        }
    }
}

/// The class of a change that stays although it is selected.
fn kept(class: Class) -> Class {
    if class == Class::Selected { Class::Neutral } else { class }
}

/// Whether a POST has brought back a deleted user. A POST that stops the clock of somebody who is
/// suspended brings nobody back, and somebody whom the operator has brought back is not new.
fn is_return(operation: Operation, row: &LogRow) -> bool {
    // An earlier release did not tell the standing before.
    let was_deleted = match row.was {
        Some(was) => was.state == Stage::Deleted,
        None => row.subject.is_none(),
    };
    operation == Operation::Restore && row.actor != OPERATOR && was_deleted
}

/// The class of a change, unless a request removes what it has created itself, because the rest of
/// it failed: then nobody wanted that.
fn unless_given_up(
    created_by: &mut Option<String>,
    (operation, row, class): (Operation, &LogRow, Class),
) -> Class {
    if operation == Operation::Create && row.version.is_some() {
        *created_by = Some(row.request.clone());
    }
    let is_own = created_by.as_ref() == Some(&row.request);
    if operation == Operation::Delete && is_own { kept(class) } else { class }
}

/// Whether an operation changes users or groups.
fn is_of_resources(operation: Operation) -> bool {
    use Operation::{Create, Delete, Expire, Link, Patch, Replace, Restore, Undo};
    matches!(operation, Create | Delete | Expire | Link | Patch | Replace | Restore | Undo)
}
