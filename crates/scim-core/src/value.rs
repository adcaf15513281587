//! JSON values as SCIM reads them: "no value", dates and times, and the elements of a multi-valued
//! attribute.

use serde_json::{Map, Value};
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A `DateTime` as this crate writes it: RFC 3339 in UTC, with milliseconds.
pub fn date_time(instant: OffsetDateTime) -> String {
    let nanoseconds = u32::from(instant.millisecond()) * 1_000_000;
    let rounded = instant.to_offset(UtcOffset::UTC).replace_nanosecond(nanoseconds);
    rounded.ok().and_then(|instant| instant.format(&Rfc3339).ok()).unwrap_or_default()
}

/// Reads a `DateTime` in the form of RFC 7643 section 2.3.5. A text without a zone is in UTC.
pub(crate) fn parse_date_time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        PrimitiveDateTime::parse(text, &Iso8601::DEFAULT).ok().map(PrimitiveDateTime::assume_utc)
    })
}

/// The elements of a multi-valued attribute, or the only value of any other attribute.
pub(crate) fn elements(value: Option<&Value>) -> &[Value] {
    value.map_or(&[], |value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice))
}

/// Like [`elements`], but consumes the value.
pub(crate) fn into_elements(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        Some(value) => vec![value],
        None => Vec::new(),
    }
}

/// Whether an element says `primary: true`.
pub(crate) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Whether a value is null, `""` or `[]`, which clients send for "no value".
pub(crate) fn is_no_value(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// Whether a value is "no value" or an object without members.
pub(crate) fn is_empty(value: &Value) -> bool {
    is_no_value(value) || value.as_object().is_some_and(Map::is_empty)
}

/// An object with one member.
pub(crate) fn object_of(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

/// The object called `name` in `root`; creates it if it is missing.
pub(crate) fn object_in<'v>(
    root: &'v mut Map<String, Value>,
    name: &str,
) -> &'v mut Map<String, Value> {
    let slot = root.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(object) => object,
        _ => unreachable!("made an object above"),
    }
}
