//! The lines of records whose outcome is not final yet.

use super::patience::Progress;
use super::report::{Line, RecordOutcome, Report};

/// The lines of the records that are judged together, from the first one that is not in the report.
#[derive(Default)]
pub(super) struct Pending {
    lines: Vec<Line>,
    /// How many lines are in the report already.
    passed: usize,
}

impl Pending {
    /// The place of the next line among the records that are judged together.
    pub(super) fn next(&self) -> usize {
        self.passed + self.lines.len()
    }

    pub(super) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Sets the outcome of the record at this place.
    pub(super) fn set(&mut self, index: usize, outcome: RecordOutcome) {
        let line = index.checked_sub(self.passed).and_then(|index| self.lines.get_mut(index));
        if let Some(line) = line {
            line.outcome = outcome;
        }
    }

    /// Passes on the lines before the place `end`, which are final, and adds them to the report.
    pub(super) fn pass_on(
        &mut self,
        end: usize,
        report: &mut Report,
        progress: &impl Fn(Progress<'_>),
    ) {
        let number = end.saturating_sub(self.passed).min(self.lines.len());
        let start = report.lines.len();
        report.lines.extend(self.lines.drain(..number));
        self.passed += number;
        if let Some(lines) = report.lines.get(start..).filter(|lines| !lines.is_empty()) {
            progress(Progress::Done(lines));
        }
    }
}
