//! Which rows of the log an undo is about.

use std::collections::BTreeSet;

use crate::store::{LogRow, Operation};

/// The span and the actors whose changes are undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// The first millisecond of the span, since 1970.
    pub(super) since: i64,
    /// The millisecond at which it ends.
    pub(super) until: i64,
    /// The actors, as rows name them; `None` for all.
    pub(super) actors: Option<BTreeSet<String>>,
}

/// What a row of the log is to an undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Made in the span by one of the actors.
    Selected,
    /// Made by an earlier undo, or because a time had come: by nobody who decided otherwise.
    Neutral,
    /// Made by somebody else, or at another time.
    Other,
}

impl Selection {
    /// Whether a row is of the span, whoever made it.
    pub(super) fn is_in_span(&self, row: &LogRow) -> bool {
        (self.since..self.until).contains(&row.milliseconds)
    }

    /// Whether one of the actors made the change of a row.
    pub(super) fn is_by_wanted(&self, row: &LogRow) -> bool {
        self.actors.as_ref().is_none_or(|actors| actors.contains(&row.actor))
    }

    /// What a row is to the undo.
    pub(super) fn class(&self, row: &LogRow) -> Class {
        let operation = Operation::of(&row.operation);
        if matches!(operation, Some(Operation::Undo | Operation::Expire)) {
            return Class::Neutral;
        }
        if self.is_by_wanted(row) && self.is_in_span(row) { Class::Selected } else { Class::Other }
    }
}
