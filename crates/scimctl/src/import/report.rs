//! The report of an import, for scripts and for people.

use scim_core::ResourceId;
use scim_lambda::operator::import::{Conflict, Counts, Key, Line, Mode, RecordOutcome, Report};
use serde_json::{Value, json};

/// The maximum number of lines of a kind that are shown to people.
const MAX_SHOWN: usize = 50;

/// What the report says about the import as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// How many records there are.
    pub(super) total: usize,
    /// How often DynamoDB throttled.
    pub(super) throttled: u32,
    /// Whether the file lacks something.
    pub(super) is_incomplete: bool,
}

impl Facts {
    /// How many records have no final outcome.
    pub(super) fn unfinished(&self, report: &Report) -> usize {
        self.total.saturating_sub(report.lines.len())
    }
}

/// The report as an object for scripts.
pub(super) fn object(report: &Report, facts: &Facts) -> Value {
    let records: Vec<Value> = report.lines.iter().map(|line| record(line, report.mode)).collect();
    let mut object = summary(report, facts);
    if let Some(members) = object.as_object_mut() {
        members.insert("records".into(), records.into());
    }
    object
}

/// The report without its records.
pub(super) fn summary(report: &Report, facts: &Facts) -> Value {
    let Counts { imported, known, provisioned, conflicts, invalid } = report.counts();
    json!({
        "dry_run": report.mode == Mode::DryRun, "imported": imported, "known": known,
        "provisioned": provisioned, "conflicts": conflicts, "invalid": invalid,
        "unfinished": facts.unfinished(report), "throttled": facts.throttled,
        "left_out": report.left_out,
    })
}

/// A record for scripts.
pub(super) fn record(line: &Line, mode: Mode) -> Value {
    let (outcome, why) = match &line.outcome {
        RecordOutcome::Imported => ("imported", None),
        RecordOutcome::Known(_) => ("known", None),
        RecordOutcome::Provisioned { .. } => ("provisioned", None),
        RecordOutcome::Conflict(conflict) => ("conflict", Some(with_advice(conflict))),
        RecordOutcome::Invalid(why) => ("invalid", Some(why.clone())),
    };
    let id = match &line.outcome {
        RecordOutcome::Known(id) | RecordOutcome::Provisioned { id, .. } => Some(id),
        RecordOutcome::Imported if mode == Mode::Store => line.id.as_ref(),
        RecordOutcome::Imported | RecordOutcome::Conflict(_) | RecordOutcome::Invalid(_) => None,
    };
    let links_on: Vec<&str> = line.links_on.iter().map(|key| key.as_str()).collect();
    json!({
        "line": line.number, "userName": line.user_name, "outcome": outcome, "why": why,
        "links_on": links_on, "id": id.map(ResourceId::as_str),
    })
}

/// Why a record conflicts, with a command that helps.
fn with_advice(conflict: &Conflict) -> String {
    match conflict {
        Conflict::ImportedUnder(_) => format!("{conflict}; scimctl user forget removes that user"),
        Conflict::Deleted(_) => format!("{conflict}; scimctl user restore restores it"),
        Conflict::IdInGroup => {
            format!("{conflict}; omit the column id, or remove the id from the group first")
        }
        Conflict::SameInFile { .. }
        | Conflict::ImportedNamesake(_)
        | Conflict::ProvisionedNamesake { .. }
        | Conflict::TwoProvisioned { .. }
        | Conflict::IdTaken
        | Conflict::NameTaken => conflict.to_string(),
    }
}

/// The report for people.
pub(super) fn lines(report: &Report, facts: &Facts) -> String {
    let mut lines = first(report.lines.iter().filter_map(fault));
    if report.mode == Mode::DryRun {
        lines.extend(first(report.lines.iter().filter_map(|line| plan(line, report.links))));
    }
    if !report.left_out.is_empty() {
        let names = report.left_out.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        lines.push(format!("Left out, because the tenant does not keep these attributes: {names}"));
    }
    lines.extend(links(report));
    lines.extend(
        (facts.throttled > 0).then(|| {
            format!("DynamoDB throttled {}, and the import waited.", times(facts.throttled))
        }),
    );
    lines.push(total(report, facts));
    lines.join("\n")
}

/// The first of these lines, and how many more there are.
fn first(mut lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut shown: Vec<String> = lines.by_ref().take(MAX_SHOWN).collect();
    match lines.count() {
        0 => {}
        more => shown.push(format!("and {more} more; --json or --report FILE gives all")),
    }
    shown
}

/// The line of the file, with the user's name if it has one.
fn title(line: &Line) -> String {
    match line.user_name.as_str() {
        "" => format!("line {}", line.number),
        name => format!("line {}: {name}", line.number),
    }
}

/// Why a record is not imported.
fn fault(line: &Line) -> Option<String> {
    let title = title(line);
    match &line.outcome {
        RecordOutcome::Conflict(conflict) => {
            Some(format!("{title} conflicts: {}", with_advice(conflict)))
        }
        RecordOutcome::Invalid(why) => Some(format!("{title} is not a valid user: {why}")),
        RecordOutcome::Imported | RecordOutcome::Known(_) | RecordOutcome::Provisioned { .. } => {
            None
        }
    }
}

/// What would happen to a record without a fault.
fn plan(line: &Line, links: bool) -> Option<String> {
    let title = title(line);
    match &line.outcome {
        RecordOutcome::Imported if !links => Some(format!("{title} would be imported")),
        RecordOutcome::Imported if line.links_on.is_empty() => Some(format!(
            "{title} would be imported but never linked: it has none of the keys in create.link_on"
        )),
        RecordOutcome::Imported => {
            let keys: Vec<&str> = line.links_on.iter().map(|key| key.as_str()).collect();
            Some(format!("{title} would be linked by {}", keys.join(", else by ")))
        }
        RecordOutcome::Provisioned { id, by } => {
            Some(format!("{title} is already provisioned: {id} has the same {by}"))
        }
        RecordOutcome::Known(_) | RecordOutcome::Conflict(_) | RecordOutcome::Invalid(_) => None,
    }
}

/// How the imported users will be linked.
fn links(report: &Report) -> Vec<String> {
    let imported = report.lines.iter().filter(|line| line.outcome == RecordOutcome::Imported);
    let count = |key: Key| {
        let by_key = imported.clone().filter(|line| line.links_on.first() == Some(&key));
        (key, by_key.count())
    };
    let keys = [Key::ExternalId, Key::UserName, Key::VerifiedEmail].map(count);
    let mut lines: Vec<String> = keys
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(key, number)| format!("{number} will be linked by {key}"))
        .collect();
    if !report.links {
        lines.push(
            "None will be linked: create.existing is conflict, so a POST for any of them is 409."
                .into(),
        );
    }
    lines
}

fn times(number: u32) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

fn total(report: &Report, facts: &Facts) -> String {
    let Counts { imported, known, provisioned, .. } = report.counts();
    let verb = match report.mode {
        Mode::DryRun => "would be",
        Mode::Store => "are",
    };
    let mut total = format!("{imported} of {} records {verb} imported", facts.total);
    if known > 0 {
        total += &format!(", {known} had already been imported");
    }
    if provisioned > 0 {
        total += &format!(", {provisioned} are already provisioned");
    }
    let unfinished = facts.unfinished(report);
    if unfinished > 0 {
        total += &format!(", and {unfinished} are not finished");
    }
    total + "."
}
