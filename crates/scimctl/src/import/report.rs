//! What an import did, or would do, record by record.

use std::collections::BTreeSet;
use std::fmt;

use scim_core::ResourceId;
use serde_json::{Value, json};

/// Most lines of a kind that a person is shown.
const SHOWN: usize = 50;

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOutcome {
    /// It is stored, or would be.
    Imported,
    /// An earlier run stored it under this id.
    Known(ResourceId),
    /// The identity provider has provisioned this person already.
    Provisioned {
        /// The id that it has.
        id: ResourceId,
        /// By what it is known: id, userName, externalId or verified e-mail.
        by: &'static str,
    },
    /// Somebody else has one of its names, or it cannot be told who is meant.
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
    pub fate: RecordOutcome,
    /// By what a POST would adopt it, the best first; nothing if the tenant's profile adopts
    /// nobody.
    pub links_on: Vec<&'static str>,
}

impl Line {
    pub(super) fn new(number: usize, user_name: String) -> Self {
        Self { number, user_name, id: None, fate: RecordOutcome::Imported, links_on: Vec::new() }
    }

    /// Why it is not imported, for a person.
    fn fault(&self) -> Option<String> {
        match &self.fate {
            RecordOutcome::Conflict(why) => Some(format!("{self} conflicts: {why}")),
            RecordOutcome::Invalid(why) => Some(format!("{self} is no user: {why}")),
            RecordOutcome::Imported
            | RecordOutcome::Known(_)
            | RecordOutcome::Provisioned { .. } => None,
        }
    }

    /// What would become of it, for a person.
    fn plan(&self, links: bool) -> Option<String> {
        match &self.fate {
            RecordOutcome::Imported if !links => Some(format!("{self} would be imported")),
            RecordOutcome::Imported if self.links_on.is_empty() => Some(format!(
                "{self} would be imported and never linked: it has nothing that create.link_on \
                lists"
            )),
            RecordOutcome::Imported => {
                Some(format!("{self} would be linked by {}", self.links_on.join(", else by ")))
            }
            RecordOutcome::Provisioned { id, by } => {
                Some(format!("{self} is provisioned already: {id} has the same {by}"))
            }
            RecordOutcome::Known(_) | RecordOutcome::Conflict(_) | RecordOutcome::Invalid(_) => {
                None
            }
        }
    }
}

/// What became of all records.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whether nothing was stored.
    pub dry: bool,
    /// Whether a POST adopts imported users in this tenant.
    pub links: bool,
    /// Attributes in the file that the tenant does not keep.
    pub left_out: BTreeSet<String>,
    /// The records in the order of the file.
    pub lines: Vec<Line>,
}

impl Report {
    /// How many records were not imported.
    pub fn faults(&self) -> usize {
        self.lines
            .iter()
            .filter(|line| {
                matches!(line.fate, RecordOutcome::Conflict(_) | RecordOutcome::Invalid(_))
            })
            .count()
    }

    /// Whether all were, now or before.
    pub fn is_clean(&self) -> bool {
        self.faults() == 0
    }

    /// As an object for scripts.
    pub fn json(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            let (outcome, why) = match &line.fate {
                RecordOutcome::Imported => ("imported", None),
                RecordOutcome::Known(_) => ("known", None),
                RecordOutcome::Provisioned { .. } => ("provisioned", None),
                RecordOutcome::Conflict(why) => ("conflict", Some(why)),
                RecordOutcome::Invalid(why) => ("invalid", Some(why)),
            };
            let id = match &line.fate {
                RecordOutcome::Known(id) | RecordOutcome::Provisioned { id, .. } => Some(id),
                RecordOutcome::Imported if !self.dry => line.id.as_ref(),
                _ => None,
            };
            json!({
                "line": line.number, "userName": line.user_name, "outcome": outcome, "why": why,
                "links_on": line.links_on, "id": id.map(ResourceId::as_str),
            })
        });
        json!({
            "dry_run": self.dry, "imported": self.count(&|fate| *fate == RecordOutcome::Imported),
            "known": self.count(&|fate| matches!(fate, RecordOutcome::Known(_))),
            "provisioned": self.count(&|fate| matches!(fate, RecordOutcome::Provisioned { .. })),
            "conflicts": self.count(&|fate| matches!(fate, RecordOutcome::Conflict(_))),
            "invalid": self.count(&|fate| matches!(fate, RecordOutcome::Invalid(_))),
            "left_out": self.left_out, "records": lines.collect::<Vec<_>>(),
        })
    }

    fn count(&self, is: &dyn Fn(&RecordOutcome) -> bool) -> usize {
        self.lines.iter().filter(|line| is(&line.fate)).count()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.user_name.as_str() {
            "" => write!(f, "line {}", self.number),
            name => write!(f, "line {}: {name}", self.number),
        }
    }
}

/// Writes the first of these lines, and how many more there are.
fn some(f: &mut fmt::Formatter<'_>, mut lines: impl Iterator<Item = String>) -> fmt::Result {
    for line in lines.by_ref().take(SHOWN) {
        writeln!(f, "{line}")?;
    }
    match lines.count() {
        0 => Ok(()),
        more => writeln!(f, "and {more} more; --json shows all"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        some(f, self.lines.iter().filter_map(Line::fault))?;
        if self.dry {
            some(f, self.lines.iter().filter_map(|line| line.plan(self.links)))?;
        }
        if !self.left_out.is_empty() {
            let names = self.left_out.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            writeln!(f, "Left out, since the tenant keeps no such attribute: {names}")?;
        }
        let new = self.lines.iter().filter(|line| line.fate == RecordOutcome::Imported);
        for word in ["externalId", "userName", "verified e-mail"] {
            let by = new.clone().filter(|line| line.links_on.first() == Some(&word)).count();
            if by > 0 {
                writeln!(f, "{by} will be linked by {word}")?;
            }
        }
        if !self.links {
            writeln!(
                f,
                "None will be linked: create.existing is conflict, so a POST for one of them is \
                409."
            )?;
        }
        let verb = if self.dry { "would be" } else { "are" };
        write!(f, "{} of {} records {verb} imported", new.count(), self.lines.len())?;
        match self.count(&|fate| matches!(fate, RecordOutcome::Known(_))) {
            0 => {}
            known => write!(f, ", {known} were before")?,
        }
        match self.count(&|fate| matches!(fate, RecordOutcome::Provisioned { .. })) {
            0 => {}
            provisioned => write!(f, ", {provisioned} are provisioned already")?,
        }
        write!(f, ".")
    }
}
