//! A kept change, and its record in the form in which Lambda gets it.

use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};

use crate::REGION;

/// What is added to a change's number. DynamoDB's sequence numbers have at least 21 digits.
const FIRST_SEQUENCE_NUMBER: u128 = 100_000_000_000_000_000_000;

/// A row of the table of changes.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    old: Option<String>,
    new: Option<String>,
    /// When, in seconds since 1970.
    at: i64,
    expired: bool,
}

impl Row {
    /// The first `limit` changes after one.
    pub(super) fn read(
        connection: &Connection,
        after: i64,
        limit: u32,
    ) -> rusqlite::Result<Vec<Self>> {
        let sql = "SELECT id, old, new, at, expired FROM _scim_changes \
                   WHERE id > ?1 AND at IS NOT NULL ORDER BY id LIMIT ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![after, limit], |row| {
            Ok(Self {
                id: row.get(0)?,
                old: row.get(1)?,
                new: row.get(2)?,
                at: row.get(3)?,
                expired: row.get::<_, Option<bool>>(4)?.unwrap_or_default(),
            })
        })?;
        rows.collect()
    }

    /// The record of the change, unless the row is the same as before.
    pub(super) fn into_record(self) -> Option<Value> {
        let (old, new) = (image(self.old.as_deref()), image(self.new.as_deref()));
        let name = match (&old, &new) {
            (None, Some(_)) => "INSERT",
            (Some(_), None) => "REMOVE",
            (Some(old), Some(new)) if old != new => "MODIFY",
            _ => return None,
        };
        let row = new.as_ref().or(old.as_ref())?;
        let size = [&self.old, &self.new].into_iter().flatten().map(String::len).sum::<usize>();
        let mut change = json!({
            "ApproximateCreationDateTime": self.at,
            "Keys": { "p": row.get("p")?, "s": row.get("s")? },
            "SequenceNumber": sequence_number(self.id), "SizeBytes": size,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        if let Some(change) = change.as_object_mut() {
            change.extend(new.map(|image| ("NewImage".to_owned(), image.into())));
            change.extend(old.map(|image| ("OldImage".to_owned(), image.into())));
        }
        let mut record = json!({
            "eventID": format!("{:032x}", self.id), "eventName": name, "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": REGION,
        });
        if let Some(record) = record.as_object_mut() {
            record.insert("dynamodb".into(), change);
            let service = || json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });
            record.extend(self.expired.then(|| ("userIdentity".to_owned(), service())));
        }
        Some(record)
    }
}

/// A row as the engine keeps it, which is the form of an image.
fn image(item: Option<&str>) -> Option<Map<String, Value>> {
    serde_json::from_str(item?).ok()
}

/// The sequence number of the change with this number.
pub(super) fn sequence_number(id: i64) -> String {
    (FIRST_SEQUENCE_NUMBER + u128::try_from(id).unwrap_or_default()).to_string()
}

/// The number of the change with this sequence number.
pub(super) fn id_of(sequence_number: &str) -> Option<i64> {
    let number: u128 = sequence_number.parse().ok()?;
    i64::try_from(number.checked_sub(FIRST_SEQUENCE_NUMBER)?).ok()
}
