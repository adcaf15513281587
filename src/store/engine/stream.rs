//! Records of the table's stream, in the form in which Lambda gets them.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::error::StoreError;
use super::item::{Item, Key, PARTITION, SORT};

/// The source that a stream record names.
const SOURCE: &str = "aws:dynamodb";
/// The principal that removes rows whose TTL has passed.
const TTL_PRINCIPAL: &str = "dynamodb.amazonaws.com";

/// One change of one row, as the stream tells it.
#[derive(Debug)]
pub(crate) struct StreamRecord {
    /// The key of the row.
    pub(crate) key: Key,
    /// The row before the change, if it existed.
    pub(crate) old: Option<Map<String, Value>>,
    /// The row after the change, if it still exists.
    pub(crate) new: Option<Map<String, Value>>,
    /// The place of the change among those of the row.
    pub(crate) sequence_number: String,
    /// When DynamoDB made the record, in seconds since 1970.
    pub(crate) time: i64,
    /// Whether DynamoDB removed the row because its TTL had passed.
    pub(crate) by_ttl: bool,
}

/// Whether a value is a record of a table's stream.
pub(crate) fn is_record(value: &Value) -> bool {
    value.get("eventSource").and_then(Value::as_str) == Some(SOURCE)
        && value.get("dynamodb").is_some_and(Value::is_object)
}

impl StreamRecord {
    /// Reads a record; `None` if it lacks what every record has.
    pub(crate) fn read(mut record: Value) -> Option<Self> {
        let identity = record.get("userIdentity");
        let principal = identity.and_then(|who| who.get("principalId")).and_then(Value::as_str);
        let by_ttl = principal == Some(TTL_PRINCIPAL);
        let change = record.get_mut("dynamodb")?;
        let keys = change.get("Keys")?;
        let key = Key::new(key_text(keys, PARTITION)?, key_text(keys, SORT)?);
        let sequence_number = change.get("SequenceNumber")?.as_str()?;
        let is_number = sequence_number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || sequence_number.is_empty() || sequence_number.len() > 40 {
            return None;
        }
        let sequence_number = sequence_number.to_owned();
        let time = seconds(change.get("ApproximateCreationDateTime"))?;
        let mut image = |name: &str| match change.get_mut(name).map(Value::take) {
            Some(Value::Object(image)) => Some(image),
            _ => None,
        };
        let (old, new) = (image("OldImage"), image("NewImage"));
        Some(Self { key, old, new, sequence_number, time, by_ttl })
    }
}

/// The text of a key's attribute.
fn key_text<'k>(keys: &'k Value, name: &str) -> Option<&'k str> {
    keys.get(name)?.get("S")?.as_str()
}

/// A time in seconds since 1970, which is sent with or without a fraction.
fn seconds(time: Option<&Value>) -> Option<i64> {
    let time = time?;
    // The fraction is less than a second, and the time is far below what a float holds exactly.
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is dropped")]
    let whole = |time: f64| time as i64;
    time.as_i64().or_else(|| time.as_f64().map(whole))
}

impl Item {
    /// A row from an image in a stream record.
    ///
    /// # Errors
    /// [`StoreError::NewerFormat`] for a row that only a newer release can read, and
    /// [`StoreError::Broken`] for an attribute that is not in DynamoDB's form.
    pub(crate) fn of_image(image: Map<String, Value>) -> Result<Self, StoreError> {
        let attribute = |(name, value)| match attribute_value(value) {
            Some(value) => Ok((name, value)),
            None => Err(StoreError::broken(format!("attribute {name} is not in DynamoDB's form"))),
        };
        Self::read(image.into_iter().map(attribute).collect::<Result<_, _>>()?)
    }
}

/// An attribute as the stream writes it, such as `{"S": "text"}`. Sets of numbers or bytes are
/// unknown, because no row has them.
fn attribute_value(value: Value) -> Option<AttributeValue> {
    let Value::Object(value) = value else { return None };
    let mut parts = value.into_iter();
    let (kind, value) = parts.next().filter(|_| parts.len() == 0)?;
    Some(match (kind.as_str(), value) {
        ("S", Value::String(text)) => AttributeValue::S(text),
        ("N", Value::String(number)) => AttributeValue::N(number),
        ("B", Value::String(bytes)) => AttributeValue::B(Blob::new(STANDARD.decode(bytes).ok()?)),
        ("BOOL", Value::Bool(flag)) => AttributeValue::Bool(flag),
        ("NULL", Value::Bool(flag)) => AttributeValue::Null(flag),
        ("SS", Value::Array(texts)) => {
            let text = |text: Value| text.as_str().map(str::to_owned);
            AttributeValue::Ss(texts.into_iter().map(text).collect::<Option<_>>()?)
        }
        ("L", Value::Array(values)) => {
            AttributeValue::L(values.into_iter().map(attribute_value).collect::<Option<_>>()?)
        }
        ("M", Value::Object(map)) => {
            let entry = |(name, value)| Some((name, attribute_value(value)?));
            AttributeValue::M(map.into_iter().map(entry).collect::<Option<HashMap<_, _>>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record() -> Value {
        json!({
            "eventID": "1", "eventName": "MODIFY", "eventSource": "aws:dynamodb",
            "dynamodb": {
                "Keys": { "p": { "S": "abcd1234#U" }, "s": { "S": "id" } },
                "NewImage": { "p": { "S": "abcd1234#U" }, "a": { "BOOL": true }, "v": { "N": "2" } },
                "SequenceNumber": "111", "ApproximateCreationDateTime": 1_800_000_000.5
            }
        })
    }

    #[test]
    fn a_record_is_read_with_or_without_images() {
        let read = StreamRecord::read(record()).unwrap();
        assert_eq!((read.time, read.sequence_number.as_str()), (1_800_000_000, "111"));
        assert!(read.old.is_none() && !read.by_ttl);
        let item = Item::of_image(read.new.unwrap()).unwrap();
        assert_eq!((item.number("v"), item.is("a")), (Some(2), true));
    }

    #[test]
    fn a_record_without_its_parts_is_not_read() {
        for part in ["Keys", "SequenceNumber", "ApproximateCreationDateTime"] {
            let mut lacking = record();
            lacking["dynamodb"].as_object_mut().unwrap().remove(part);
            assert!(StreamRecord::read(lacking).is_none(), "{part}");
        }
        for wrong in [json!(""), json!("1x"), json!(11), json!("1".repeat(41))] {
            let mut record = record();
            record["dynamodb"]["SequenceNumber"] = wrong;
            assert!(StreamRecord::read(record).is_none());
        }
        assert!(StreamRecord::read(json!([])).is_none());
    }

    #[test]
    fn an_attribute_in_another_form_makes_the_row_unreadable() {
        for wrong in [json!("x"), json!({}), json!({ "N": 1 }), json!({ "S": "a", "N": "1" })] {
            let image = json!({ "v": wrong }).as_object().unwrap().clone();
            assert!(matches!(Item::of_image(image), Err(StoreError::Broken(_))));
        }
        let newer = json!({ "f": { "N": "99" }, "k": { "S": "U" } }).as_object().unwrap().clone();
        assert!(matches!(Item::of_image(newer), Err(StoreError::NewerFormat { .. })));
    }
}
