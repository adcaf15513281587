//! A row of the log as a line for people.

use scim_core::ResourceId;
use scim_lambda::operator::log::LogEntry;
use scim_lambda::store::{LogRow, Operation, Stage, Standing, Subject};

use crate::output::{instant, moment, visible};

/// The words of changes that have a phrase of their own.
const MEMBERS: [&str; 3] = ["members.add", "members.remove", "groups.remove"];

/// How many names of changed attributes a line has.
const SHOWN: usize = 3;

/// Time, operation, subject, what changed, and the actor.
pub(crate) fn of(entry: &LogEntry) -> String {
    line(entry, std::iter::once(subject(entry)).chain(phrases(&entry.row)))
}

/// The same in the history of one resource: what happened to it, and which groups it joined or left.
pub(crate) fn in_history(entry: &LogEntry, id: &ResourceId) -> String {
    let names = |ids: &Option<Vec<ResourceId>>| ids.iter().flatten().any(|other| other == id);
    if names(&entry.row.added) {
        line(entry, [format!("joined {}", subject(entry))])
    } else if names(&entry.row.removed) {
        line(entry, [format!("left {}", subject(entry))])
    } else {
        line(entry, phrases(&entry.row))
    }
}

fn line(entry: &LogEntry, parts: impl IntoIterator<Item = String>) -> String {
    let time = moment(entry.row.milliseconds);
    let parts = [time, format!("{:<8}", entry.row.operation)].into_iter().chain(parts);
    let parts: Vec<String> = parts.chain([format!("by {}", by(entry))]).collect();
    visible(&parts.join("  "))
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
    let is_told = |name: &str| MEMBERS.contains(&name) || (name == "active" && row.was.is_some());
    let others = row.changed.iter().map(String::as_str).filter(|name| !is_told(name));
    let count = row.count.map(|count| format!("{count} users"));
    [
        row.was.map(|was| standing(was, row)),
        ids(&row.added, row, MEMBERS[0], "added", "member"),
        ids(&row.removed, row, MEMBERS[1], "removed", "member"),
        ids(&row.left, row, MEMBERS[2], "left", "group"),
        names(others.collect()),
        count,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The names of attributes; of many, the first and how many more there are.
fn names(mut names: Vec<&str>) -> Option<String> {
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| names.join(", ") + &more)
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
