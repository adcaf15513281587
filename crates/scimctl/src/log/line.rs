//! A row of the log as a line for people.

use scim_core::ResourceId;
use scim_lambda::operator::log::LogEntry;
use scim_lambda::store::{LogRow, Operation, Stage, Standing, Subject};

use crate::output::{instant, visible};

/// The words of changes that have a phrase of their own.
const MEMBERS: [&str; 3] = ["members.add", "members.remove", "groups.remove"];

/// Time, operation, subject, what changed, and the actor.
pub(crate) fn of(entry: &LogEntry) -> String {
    with(entry, &phrases(&entry.row))
}

/// The same, as one who joins or leaves a group sees it.
pub(crate) fn of_member(entry: &LogEntry, member: &ResourceId) -> String {
    let names = |ids: &Option<Vec<ResourceId>>| ids.iter().flatten().any(|id| id == member);
    if names(&entry.row.added) {
        with(entry, &["joined".to_owned()])
    } else if names(&entry.row.removed) {
        with(entry, &["left".to_owned()])
    } else {
        of(entry)
    }
}

fn with(entry: &LogEntry, phrases: &[String]) -> String {
    let row = &entry.row;
    let mut line = format!(
        "{}  {:<8}  {}",
        instant(row.milliseconds.div_euclid(1_000)),
        row.operation,
        subject(entry)
    );
    if !phrases.is_empty() {
        line += &format!("  {}", phrases.join("; "));
    }
    line += &format!("  by {}", by(entry));
    visible(&line)
}

/// The actor: a token by its label and key id.
pub(crate) fn by(LogEntry { row, label, .. }: &LogEntry) -> String {
    match label {
        Some(label) => format!("{label} (key {})", row.actor),
        None if matches!(row.actor.as_str(), "operator" | "expiry") => row.actor.clone(),
        None => format!("key {}", row.actor),
    }
}

fn subject(LogEntry { row, name, .. }: &LogEntry) -> String {
    match (&row.subject, name) {
        (Some(Subject::Token), _) => format!("key {}", row.subject_id),
        (_, Some(name)) => name.clone(),
        (_, None) => row.subject_id.clone(),
    }
}

/// What changed.
fn phrases(row: &LogRow) -> Vec<String> {
    let others = row.changed.iter().map(String::as_str).filter(|name| !MEMBERS.contains(name));
    let others: Vec<&str> = others.collect();
    let count = row.count.map(|count| format!("{count} users"));
    [
        row.was.map(|was| standing(was, row)),
        ids(&row.added, row, MEMBERS[0], "added", "member"),
        ids(&row.removed, row, MEMBERS[1], "removed", "member"),
        ids(&row.left, row, MEMBERS[2], "left", "group"),
        (!others.is_empty()).then(|| others.join(", ")),
        count,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The standing before and after.
fn standing(was: Standing, row: &LogRow) -> String {
    let after = match (Operation::of(&row.operation), was.state) {
        (Some(Operation::Delete | Operation::Expire), _) => "gone",
        (_, Stage::Live) if was.active => "suspended",
        (Some(Operation::Replace | Operation::Patch | Operation::Undo), Stage::Live) => "active",
        _ => "back",
    };
    let before = match (was.state, was.active, was.expires) {
        (Stage::Live, true, _) => "active".to_owned(),
        (Stage::Live, false, None) => "suspended".to_owned(),
        (Stage::Live, false, Some(expires)) => format!("suspended until {}", instant(expires)),
        (Stage::Deleted, _, _) => "deleted".to_owned(),
        (Stage::Unmanaged, _, _) => "unmanaged".to_owned(),
    };
    format!("{before} -> {after}")
}

/// How many ids a list has, or that they are not known.
fn ids(
    ids: &Option<Vec<ResourceId>>,
    row: &LogRow,
    word: &str,
    verb: &str,
    noun: &str,
) -> Option<String> {
    match ids.as_ref().map(Vec::len) {
        None if row.changed.iter().any(|changed| changed == word) => {
            Some(format!("{verb} {noun}s, which are not known"))
        }
        None | Some(0) => None,
        Some(1) => Some(format!("{verb} 1 {noun}")),
        Some(number) => Some(format!("{verb} {number} {noun}s")),
    }
}
