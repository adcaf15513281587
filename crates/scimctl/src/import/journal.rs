//! What an import tells while it runs: a bar, pauses, and a file with each outcome that is final.

use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use indicatif::ProgressBar;
use scim_lambda::operator::import::{Line, Mode, Progress, Report};
use serde_json::Value;

use super::report::{self, Facts};
use crate::output::{Format, bar};

/// Opens a file to add lines to. A new one, which will have names of people, is for this user only.
/// An old one whose last line has no end gets it.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if !ends_a_line(path, &file)? {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Whether a further line can be added to this file as it is.
fn ends_a_line(path: &Path, file: &File) -> io::Result<bool> {
    let facts = file.metadata()?;
    if !facts.is_file() || facts.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    let mut read = File::open(path)?;
    read.seek(SeekFrom::End(-1))?;
    read.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

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
            open(path).with_context(|| format!("{} cannot be written", path.display()))
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
            *file = None;
            self.failed(&error);
        }
    }

    fn failed(&self, error: &io::Error) {
        self.bar.suspend(|| eprintln!("scimctl: the report cannot be written: {error}"));
        self.facts.borrow_mut().is_incomplete = true;
    }

    /// Has the system write what it holds back.
    fn sync(&self) {
        let file = self.file.take();
        match file.map_or(Ok(()), |file| file.sync_all()) {
            // A pipe or a terminal has nothing to hold back.
            Err(error) if error.kind() != ErrorKind::InvalidInput => self.failed(&error),
            Ok(()) | Err(_) => {}
        }
    }

    /// Adds the summary, and removes the bar.
    pub(super) fn close(&self, report: &Report) -> Facts {
        self.bar.finish_and_clear();
        let summary = report::summary(report, &self.facts.borrow());
        self.write(std::iter::once(summary));
        self.sync();
        self.facts.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_private_and_goes_on_with_a_line_of_its_own() {
        let path = std::env::temp_dir().join(format!("scimctl-journal-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let add = |text: &str| open(&path).unwrap().write_all(text.as_bytes()).unwrap();
        add("{}\n");
        add("{\"cut\":");
        add("{}\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n{\"cut\":\n{}\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::remove_file(&path).unwrap();
        assert!(open(Path::new("/dev/null")).is_ok(), "not every file has a last byte");
    }
}
