//! How much work a PATCH operation takes.

use serde_json::{Map, Value};

use crate::filter::ast::Filter;
use crate::patch::change::Change;
use crate::schema::place::Place;

/// The maximum number of comparisons that the operations of a request may make: for each, the
/// number of values times the number of comparisons in its path.
pub const MAX_WORK: usize = 64_000;
/// A text of this many bytes takes as long as one comparison of a short value.
const BYTES_OF_A_COMPARISON: usize = 256;

/// The number of comparisons of short values that `change` makes: the values that it looks at,
/// times the comparisons of its filter or the values that it lists.
pub(super) fn cost(attributes: &Map<String, Value>, change: &Change<'_>) -> usize {
    let Place::Attribute(place) = change.path.place else { return 1 };
    let value = place.value(attributes);
    let elements = value.and_then(Value::as_array).map_or(1, Vec::len);
    let values = elements.max(value.map_or(0, text_bytes) / BYTES_OF_A_COMPARISON);
    let listed = change.value.as_ref().and_then(Value::as_array).map_or(1, Vec::len);
    let compared = change.path.filter.as_ref().map_or(listed, Filter::comparisons);
    values.saturating_mul(compared.max(1))
}

/// The bytes of all strings in a value.
fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(text_bytes).sum(),
        Value::Object(object) => object.values().map(text_bytes).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
