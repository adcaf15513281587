//! What an import tells while it runs: a bar, pauses, and a file with each outcome that is final.

use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use indicatif::ProgressBar;
use scim_lambda::operator::import::{Line, Mode, Progress, Report};
use serde_json::Value;

use super::report::{self, Facts};
use crate::output::{Format, bar};

/// The file, the bar and the pauses of one import.
pub(super) struct Journal {
    bar: ProgressBar,
    mode: Mode,
    file: RefCell<Option<File>>,
    facts: RefCell<Facts>,
    said: Cell<bool>,
}

impl Journal {
    /// Opens the file, so that an import whose outcome could not be kept does not begin. What the
    /// file holds stays.
    pub(super) fn open(
        file: Option<&Path>,
        mode: Mode,
        total: usize,
        format: Format,
    ) -> anyhow::Result<Self> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.with_context(|| format!("{} cannot be written", path.display()))
        };
        let file = RefCell::new(file.map(open).transpose()?);
        let bar = bar("users", total.try_into()?, format);
        let facts = RefCell::new(Facts { total, ..Facts::default() });
        Ok(Self { bar, mode, file, facts, said: Cell::new(false) })
    }

    /// Takes a step of the import.
    pub(super) fn add(&self, step: &Progress<'_>) {
        match step {
            Progress::Done(lines) => self.done(lines),
            Progress::Throttled(pause) => self.throttled(*pause),
        }
    }

    fn done(&self, lines: &[Line]) {
        let objects = lines.iter().map(|line| report::record(line, self.mode));
        self.write(objects);
        self.bar.inc(lines.len() as u64);
        self.bar.set_message("users");
    }

    fn throttled(&self, pause: Duration) {
        self.facts.borrow_mut().throttled += 1;
        self.bar.set_message("throttled");
        if !self.said.replace(true) {
            self.bar.suspend(|| {
                eprintln!(
                    "scimctl: DynamoDB throttles. The import waits, {:.1} s at first, and goes on by \
                     itself as long as it takes; nothing is lost.",
                    pause.as_secs_f64()
                );
            });
        }
    }

    /// Writes objects, one a line. After a failure nothing more is written.
    fn write(&self, objects: impl Iterator<Item = Value>) {
        let mut file = self.file.borrow_mut();
        let Some(open) = file.as_mut() else { return };
        let text: String = objects.map(|object| format!("{object}\n")).collect();
        if let Err(error) = open.write_all(text.as_bytes()) {
            self.bar.suspend(|| eprintln!("scimctl: the report cannot be written: {error}"));
            self.facts.borrow_mut().is_incomplete = true;
            *file = None;
        }
    }

    /// Adds the summary, and removes the bar.
    pub(super) fn close(&self, report: &Report) -> Facts {
        self.bar.finish_and_clear();
        let summary = report::summary(report, &self.facts.borrow());
        self.write(std::iter::once(summary));
        self.facts.borrow().clone()
    }
}
