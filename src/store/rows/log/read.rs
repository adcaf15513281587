//! What a row of the log tells, also one that an earlier release wrote.

use scim_core::ResourceId;
use scim_core::resource::Attributes;
use uuid::Uuid;

use super::attributes::{
    ACTOR, ADDED, CHANGES, COUNT, GROUPS, GROUPS_REMOVE, MEMBERS_ADD, MEMBERS_REMOVE, OPERATION,
    REMOVED, REQUEST, SUBJECT, VERSION, WAS,
};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::Item;
use crate::store::model::log_row::{LogRow, Subject};
use crate::store::model::stage::Standing;
use crate::store::rows::identity::ID;
use crate::store::rows::ids;
use crate::store::rows::resource::DOCUMENT;

/// What a row tells.
pub(crate) fn read(row: &Item) -> Result<LogRow, StoreError> {
    let wrong = || StoreError::broken("a row of the log has an invalid key");
    let id = row.s().to_owned();
    let time = Uuid::try_parse(&id).ok().and_then(|id| id.get_timestamp()).ok_or_else(wrong)?;
    let (seconds, nanoseconds) = time.to_unix();
    let milliseconds = seconds.saturating_mul(1_000) + u64::from(nanoseconds / 1_000_000);
    let subject_id = row.need(ID)?.to_owned();
    let changes = row.list(CHANGES);
    Ok(LogRow {
        id,
        milliseconds: i64::try_from(milliseconds).unwrap_or(i64::MAX),
        operation: row.need(OPERATION)?.to_owned(),
        subject: row.text(SUBJECT).and_then(Subject::of_mark),
        version: row.number(VERSION).map(i64::unsigned_abs),
        actor: row.need(ACTOR)?.to_owned(),
        request: row.need(REQUEST)?.to_owned(),
        was: row.text(WAS).and_then(Standing::of_word),
        added: ids_of(row, &changes, (ADDED, MEMBERS_ADD)),
        removed: ids_of(row, &changes, (REMOVED, MEMBERS_REMOVE)),
        left: ids_of(row, &changes, (GROUPS, GROUPS_REMOVE)),
        document: row.text(DOCUMENT).map(document).transpose()?,
        count: row.number(COUNT).map(i64::unsigned_abs),
        changed: names(&changes),
        subject_id,
    })
}

/// The ids in a list of a row; `None` if the row only says by a word that there are some, as an
/// earlier release did.
fn ids_of(row: &Item, changes: &[String], (list, word): (&str, &str)) -> Option<Vec<ResourceId>> {
    let names_some = || changes.iter().any(|change| name(change) == word);
    ids::read(row, list).or_else(|| (!names_some()).then(Vec::new))
}

/// The names of what changed, each once.
fn names(changes: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in changes.iter().map(|change| name(change)) {
        if names.iter().all(|known| known != name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The name in `name=digest`.
fn name(change: &str) -> &str {
    change.split_once('=').map_or(change, |(name, _)| name)
}

fn document(text: &str) -> Result<Attributes, StoreError> {
    let object = serde_json::from_str(text)
        .map_err(|_| StoreError::broken("the document of a deleted group is not JSON"))?;
    Ok(Attributes::from_stored(object))
}
