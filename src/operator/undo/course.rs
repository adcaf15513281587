//! The changes of one user's standing since the beginning of the span, in the order of the versions
//! that they made. Rows of the log are in the order of clocks, which may differ from it. Versions
//! begin again when a user of this id is created again, so only those of one part are compared.

use super::selection::Class;
use crate::store::{LogRow, Operation, Stage, Standing};

/// When something was changed, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touch {
    pub(super) milliseconds: i64,
    pub(super) actor: String,
}

impl Touch {
    pub(super) fn of(row: &LogRow) -> Self {
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
    /// The selected change that had raised a user just before, if the target is lower because of it.
    pub(super) raised: Option<Touch>,
}

impl<T> Trail<T> {
    /// The trail of a change, with the state before it.
    pub(super) fn begin(target: Option<T>) -> Self {
        Self { target, since: None, raised: None }
    }
}

/// What a change did to the standing of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The user is new, or linked: nothing of before is to come back.
    Entered,
    /// The user was activated, or is back; with the standing before, if it is known.
    Raised(Option<Standing>),
    /// The user was deleted or deactivated; with the standing before, if it is known.
    Lowered(Option<Standing>),
    /// The user was erased when a time had come.
    Erased,
}

#[derive(Debug)]
struct Change {
    /// How often the user had been created or linked.
    part: usize,
    /// The version that it made; the greatest number for the end of the user.
    version: u64,
    class: Class,
    step: Step,
    touch: Touch,
}

/// The changes of a user's standing, by part and version.
#[derive(Debug, Default)]
pub(super) struct Course {
    changes: Vec<Change>,
    part: usize,
}

impl Course {
    /// Takes in a change.
    pub(super) fn add(&mut self, row: &LogRow, class: Class, step: Step) {
        self.part += usize::from(step == Step::Entered);
        let (part, version) = (self.part, row.version.unwrap_or(u64::MAX));
        let at = self.changes.partition_point(|one| (one.part, one.version) <= (part, version));
        self.changes.insert(at, Change { part, version, class, step, touch: Touch::of(row) });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What is to be undone, if the user was deleted or deactivated by a selected change. The
    /// target is the standing before it, but never more than the user had before selected changes
    /// that had raised the user just before: they are not what is brought back.
    pub(super) fn trail(&self) -> Option<Trail<Standing>> {
        let mut ceiling: Option<(Option<Standing>, &Touch)> = None;
        let mut trail: Option<Trail<Standing>> = None;
        for Change { class, step, touch, .. } in &self.changes {
            match (&mut trail, class, step) {
                (Some(trail), Class::Other, _) => trail.since = Some(touch.clone()),
                // Somebody else has decided how the user is.
                (None, Class::Other, _) => ceiling = None,
                (None, Class::Selected, Step::Raised(was)) => {
                    ceiling.get_or_insert((*was, touch));
                }
                (None, Class::Selected, Step::Lowered(was)) => {
                    let target = ceiling.map_or(*was, |(ceiling, _)| lower(*was, ceiling));
                    let raised = ceiling.filter(|_| target.is_some() && target != *was);
                    let raised = raised.map(|(_, touch)| touch.clone());
                    trail = Some(Trail { raised, ..Trail::begin(target) });
                }
                _ => {}
            }
        }
        trail
    }
}

/// The lower of two standings; `None` if one is not known.
fn lower(a: Option<Standing>, b: Option<Standing>) -> Option<Standing> {
    let rank = |standing: Standing| (standing.state == Stage::Live, standing.active);
    let (a, b) = (a?, b?);
    Some(if rank(b) < rank(a) { b } else { a })
}

/// What a row says about the standing of a user; `None` if it stays.
pub(super) fn step(operation: Operation, row: &LogRow) -> Option<Step> {
    let is_known = row.subject.is_some();
    if row.version.is_none() {
        let erases = operation == Operation::Expire && row.left.as_ref().is_some_and(Vec::is_empty);
        return erases.then_some(Step::Erased);
    }
    let was = row.was;
    match operation {
        Operation::Create | Operation::Link => Some(Step::Entered),
        Operation::Delete => Some(Step::Lowered(was)),
        // An earlier release did not tell the standing before.
        Operation::Restore if !is_known => Some(Step::Raised(None)),
        _ if !is_known => {
            let touches = row.changed.iter().any(|name| name == "active");
            touches.then_some(Step::Lowered(None))
        }
        _ => was.map(|standing| match standing.state {
            Stage::Unmanaged => Step::Entered,
            Stage::Live if standing.active => Step::Lowered(was),
            Stage::Deleted | Stage::Live => Step::Raised(was),
        }),
    }
}
