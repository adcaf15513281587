//! What an import did, or would do, record by record.

use std::fmt;

use scim_core::ResourceId;
use serde_json::{Value, json};

/// Most lines that a person is shown.
const SHOWN: usize = 50;

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is stored, or would be.
    Imported,
    /// An earlier run stored it under this id.
    Known(ResourceId),
    /// Somebody else has one of its names.
    Conflict(String),
    /// It is no user.
    Invalid(String),
}

/// A record and its fate.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its line in the file, from 1.
    pub number: usize,
    /// Its userName, as the file has it.
    pub user_name: String,
    /// The id it has, or would have.
    pub id: Option<ResourceId>,
    /// What becomes of it.
    pub fate: Fate,
    /// By what a POST would adopt it, the best first.
    pub links_on: Vec<&'static str>,
}

impl Line {
    pub(super) fn new(number: usize, user_name: String) -> Self {
        Self { number, user_name, id: None, fate: Fate::Imported, links_on: Vec::new() }
    }
}

/// What became of all records.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whether nothing was stored.
    pub dry: bool,
    /// The records in the order of the file.
    pub lines: Vec<Line>,
}

impl Report {
    /// How many records were not imported.
    pub fn faults(&self) -> usize {
        self.lines.iter().filter(|line| matches!(line.fate, Fate::Conflict(_) | Fate::Invalid(_))).count()
    }

    /// Whether all were, now or before.
    pub fn is_clean(&self) -> bool {
        self.faults() == 0
    }

    /// As an object for scripts.
    pub fn json(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            let (outcome, why) = match &line.fate {
                Fate::Imported => ("imported", None),
                Fate::Known(_) => ("known", None),
                Fate::Conflict(why) => ("conflict", Some(why)),
                Fate::Invalid(why) => ("invalid", Some(why)),
            };
            let id = match &line.fate {
                Fate::Known(id) => Some(id),
                Fate::Imported if !self.dry => line.id.as_ref(),
                _ => None,
            };
            json!({
                "line": line.number, "userName": line.user_name, "outcome": outcome, "why": why,
                "links_on": line.links_on, "id": id.map(ResourceId::as_str),
            })
        });
        json!({
            "dry_run": self.dry, "imported": self.count(&|fate| *fate == Fate::Imported),
            "known": self.count(&|fate| matches!(fate, Fate::Known(_))),
            "conflicts": self.count(&|fate| matches!(fate, Fate::Conflict(_))),
            "invalid": self.count(&|fate| matches!(fate, Fate::Invalid(_))),
            "records": lines.collect::<Vec<_>>(),
        })
    }

    fn count(&self, is: &dyn Fn(&Fate) -> bool) -> usize {
        self.lines.iter().filter(|line| is(&line.fate)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.dry { "would be" } else { "are" };
        let new = self.lines.iter().filter(|line| line.fate == Fate::Imported);
        for word in ["externalId", "userName", "verified e-mail"] {
            let by = new.clone().filter(|line| line.links_on.first() == Some(&word)).count();
            if by > 0 {
                writeln!(f, "{by} link first on {word}")?;
            }
        }
        let mut hidden = 0;
        for (index, line) in self.lines.iter().filter(|line| !matches!(line.fate, Fate::Imported)).enumerate() {
            if index >= SHOWN {
                hidden += 1;
                continue;
            }
            let Line { number, user_name, .. } = line;
            match &line.fate {
                Fate::Imported => {}
                Fate::Known(id) => writeln!(f, "line {number}: {user_name} is imported already, as {id}")?,
                Fate::Conflict(why) => writeln!(f, "line {number}: {user_name} conflicts: {why}")?,
                Fate::Invalid(why) => writeln!(f, "line {number}: {user_name} is no user: {why}")?,
            }
        }
        if hidden > 0 {
            writeln!(f, "and {hidden} more; --json shows all")?;
        }
        write!(f, "{} of {} records {verb} imported.", new.count(), self.lines.len())
    }
}
