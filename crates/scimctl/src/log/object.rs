//! A row of the log for scripts.

use scim_core::ResourceId;
use scim_core::value::date_time;
use scim_lambda::operator::log::LogEntry;
use scim_lambda::store::{Kind, Standing, Subject};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// All that a row tells; `null` for what is not known.
pub(crate) fn of(LogEntry { row, name, label }: &LogEntry) -> Value {
    let ids = |ids: &Option<Vec<ResourceId>>| -> Option<Vec<String>> {
        ids.as_ref().map(|ids| ids.iter().map(|id| id.as_str().to_owned()).collect())
    };
    let time = i128::from(row.milliseconds) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(time).map(date_time).ok();
    json!({
        "id": row.id, "time": time, "operation": row.operation,
        "type": row.subject.as_ref().map(subject), "subject": row.subject_id, "name": name,
        "version": row.version, "actor": row.actor, "label": label, "request": row.request,
        "changed": row.changed, "was": row.was.map(Standing::word),
        "added": ids(&row.added), "removed": ids(&row.removed), "left": ids(&row.left),
        "document": row.document.as_ref().map(|document| document.as_object()),
        "count": row.count,
    })
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Resource(Kind::User) => "User".to_owned(),
        Subject::Resource(Kind::Group) => "Group".to_owned(),
        Subject::Resource(Kind::Other(name)) => name.clone(),
        Subject::Tenant => "tenant".to_owned(),
        Subject::Token => "token".to_owned(),
    }
}
