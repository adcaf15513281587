//! Ids in a list of a row: a UUID takes 16 bytes, and any other id is a text.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use scim_core::ResourceId;
use uuid::Uuid;

use crate::store::engine::item::{Item, Row, text};

/// Adds a list of ids, unless it is empty.
pub(crate) fn put<'r>(row: Row, name: &str, ids: impl IntoIterator<Item = &'r ResourceId>) -> Row {
    let values: Vec<AttributeValue> = ids.into_iter().map(value).collect();
    if values.is_empty() { row } else { row.values(name, values) }
}

/// The ids in a list of a row; `None` without such a list.
pub(crate) fn read(row: &Item, name: &str) -> Option<Vec<ResourceId>> {
    let values = row.0.get(name)?.as_l().ok()?;
    Some(values.iter().filter_map(id).collect())
}

/// An id in a list.
fn value(id: &ResourceId) -> AttributeValue {
    let id = id.as_str();
    match Uuid::try_parse(id).ok().filter(|uuid| uuid.to_string() == id) {
        Some(uuid) => AttributeValue::B(Blob::new(uuid.into_bytes())),
        None => text(id),
    }
}

fn id(value: &AttributeValue) -> Option<ResourceId> {
    match value {
        AttributeValue::B(bytes) => Uuid::from_slice(bytes.as_ref()).ok()?.to_string().parse().ok(),
        AttributeValue::S(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_a_uuid_is_short() {
        for (written, is_short) in [
            ("2819c223-7f76-853a-919d-413861904646", true),
            ("2819c2237f76853a919d413861904646", false),
            ("Usr-7", false),
        ] {
            let written: ResourceId = written.parse().unwrap();
            let stored = value(&written);
            assert_eq!(id(&stored).unwrap().as_str(), written.as_str());
            assert_eq!(stored.as_b().is_ok_and(|bytes| bytes.as_ref().len() == 16), is_short);
        }
    }
}
