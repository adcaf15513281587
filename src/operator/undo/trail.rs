//! What the log tells about the things that an undo may bring back: the standing of a user, the
//! existence of a group, and each membership. Rows are taken in one after the other, from the
//! beginning of the span to now, and only what matters is kept.

use std::collections::BTreeMap;

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use super::selection::{Class, Selection};
use crate::operator::provisioning::is_about_user;
use crate::store::{Kind, LogRow, Operation, Stage, Standing, Subject};

/// When something was changed, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touch {
    pub(super) milliseconds: i64,
    pub(super) actor: String,
}

impl Touch {
    fn of(row: &LogRow) -> Self {
        Self { milliseconds: row.milliseconds, actor: row.actor.clone() }
    }
}

/// What happened to one thing since the first change that is to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trail<T> {
    /// The state before that change; `None` if the log does not tell it.
    pub(super) target: Option<T>,
    /// The last change by somebody else after it.
    pub(super) since: Option<Touch>,
}

/// What the log tells about one user or group.
#[derive(Debug)]
pub(super) struct Story<T> {
    /// Whether it was created, linked or brought back in the span, and the log has nothing of
    /// before.
    is_new: bool,
    /// Whether a change of the thing itself was seen.
    is_seen: bool,
    /// What the last deletion is to the undo, if there was one.
    deletion: Option<Class>,
    /// The standing of the user, or the existence of the group.
    pub(super) trail: Option<Trail<T>>,
    /// Whether memberships began or ended that the log does not name.
    pub(super) hides_members: bool,
}

impl<T> Default for Story<T> {
    fn default() -> Self {
        Self { is_new: false, is_seen: false, deletion: None, trail: None, hides_members: false }
    }
}

impl<T> Story<T> {
    /// Takes in a change: one that lowers the thing, with the state before it if that is known, or
    /// any other one.
    fn note(&mut self, row: &LogRow, class: Class, lowered: Option<Option<T>>) {
        match (&mut self.trail, class, lowered) {
            (None, Class::Selected, Some(target)) => {
                self.trail = Some(Trail { target, since: None });
            }
            (Some(trail), Class::Other, _) => trail.since = Some(Touch::of(row)),
            _ => {}
        }
    }
}

impl Story<(Attributes, u64)> {
    /// Takes in the deletion of the group.
    fn delete_group(&mut self, row: &LogRow, class: Class) {
        let known = row.document.clone().zip(row.version);
        // The attributes of the last deletion count: their changes are not undone.
        if let (Class::Selected, Some(trail), Some(known)) = (class, &mut self.trail, &known) {
            trail.target = Some(known.clone());
        }
        self.note(row, class, Some(known));
        self.deletion = Some(class);
    }
}

/// What the log tells, by users, by groups, and by groups and their members.
#[derive(Debug, Default)]
pub(super) struct Trails {
    pub(super) users: BTreeMap<ResourceId, Story<Standing>>,
    pub(super) groups: BTreeMap<ResourceId, Story<(Attributes, u64)>>,
    pub(super) memberships: BTreeMap<ResourceId, BTreeMap<ResourceId, Trail<bool>>>,
}

/// What a row says about the standing of a user.
enum Step {
    /// The user is there: new, linked, or back.
    Entered,
    /// The user was deleted or deactivated; with the standing before, if it is known.
    Lowered(Option<Standing>),
    /// Anything else: the user was activated, or expired.
    Other,
}

impl Trails {
    /// Takes in the next row of the log.
    pub(super) fn take_in(&mut self, selection: &Selection, row: &LogRow) {
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
        if let Some(step) = step(operation, row) {
            let is_deletion = operation == Operation::Delete;
            let entered = matches!(step, Step::Entered);
            story.is_new |= entered && !story.is_seen && selection.is_in_span(row);
            story.is_seen = true;
            let lowered = match step {
                Step::Lowered(was) => Some(was),
                Step::Entered | Step::Other => None,
            };
            story.note(row, class, lowered);
            if is_deletion {
                story.deletion = Some(class);
            }
        }
        let deletion = story.deletion.filter(|_| operation != Operation::Expire);
        story.hides_members |= row.left.is_none() && deletion == Some(Class::Selected);
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
        let is_deletion = operation == Operation::Delete && row.version.is_some();
        if is_deletion {
            story.delete_group(row, class);
        }
        let deletion = story.deletion;
        // Members of a deleted group leave by its deletion, whichever request removes their rows.
        // Without a deletion the group was deleted earlier, or never was. A group that is being
        // created has its first members, or is given up.
        let class = match operation {
            Operation::Create => None,
            Operation::Delete => deletion.filter(|_| !is_deletion),
            _ => Some(class),
        };
        let hides = row.added.is_none() || row.removed.is_none();
        story.hides_members |= hides && class == Some(Class::Selected);
        self.left(row, id, deletion);
        let Some(class) = class else { return };
        for member in row.added.iter().flatten() {
            let stays = operation == Operation::Restore || self.is_new(id, member);
            let class = if stays { kept(class) } else { class };
            self.membership(row, (id, member), true, class);
        }
        for member in row.removed.iter().flatten() {
            self.membership(row, (id, member), false, class);
        }
    }

    /// The end of memberships by the deletion of a resource, which is what the deletion is. Without
    /// a deletion the resource was deleted before the span.
    fn left(&mut self, row: &LogRow, id: &ResourceId, deletion: Option<Class>) {
        let Some(class) = deletion else { return };
        for group in row.left.iter().flatten() {
            self.membership(row, (group, id), false, class);
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
        begins: bool,
        class: Class,
    ) {
        match class {
            Class::Selected => {
                let trails = self.memberships.entry(group.clone()).or_default();
                let first = Trail { target: Some(!begins), since: None };
                trails.entry(member.clone()).or_insert(first);
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

/// Whether an operation changes users or groups.
fn is_of_resources(operation: Operation) -> bool {
    use Operation::{Create, Delete, Expire, Link, Patch, Replace, Restore, Undo};
    matches!(operation, Create | Delete | Expire | Link | Patch | Replace | Restore | Undo)
}

/// What a row says about the standing of a user; `None` if it stays.
fn step(operation: Operation, row: &LogRow) -> Option<Step> {
    let is_known = row.subject.is_some();
    if row.version.is_none() {
        let erases = operation == Operation::Expire && row.left.as_ref().is_some_and(Vec::is_empty);
        return erases.then_some(Step::Other);
    }
    let was = row.was;
    match operation {
        Operation::Create | Operation::Link => Some(Step::Entered),
        Operation::Restore if !is_known => Some(Step::Entered),
        Operation::Delete => Some(Step::Lowered(was)),
        // An earlier release did not tell the standing before.
        _ if !is_known => {
            let touches = row.changed.iter().any(|name| name == "active");
            touches.then_some(Step::Lowered(None))
        }
        _ => was.map(|was| match was.state {
            Stage::Deleted | Stage::Unmanaged => Step::Entered,
            Stage::Live if was.active => Step::Lowered(Some(was)),
            Stage::Live => Step::Other,
        }),
    }
}
