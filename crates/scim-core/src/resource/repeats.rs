//! Values of one attribute that say the same twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;

use crate::patch::members::MEMBERS;
use crate::schema::attribute::Attribute;

/// By what one value is told from another.
type Key = (String, Option<String>);

/// The values without those that repeat an earlier one: "service providers ... SHOULD NOT return
/// the same (type, value) combination more than once per attribute" (RFC 7643, 2.4). The first of
/// them stays, and takes on what the others say besides.
pub(crate) fn left_out(attribute: &Attribute, values: Vec<Value>) -> Vec<Value> {
    // The members of a group are thousands, and the directory counts each once.
    if values.len() < 2 || attribute.name == MEMBERS {
        return values;
    }
    let mut seen = BTreeMap::new();
    let mut kept: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        match seen.entry(key(attribute, &value)) {
            Entry::Occupied(at) => {
                kept.get_mut(*at.get()).into_iter().for_each(|first| complete(first, &value))
            }
            Entry::Vacant(slot) => {
                slot.insert(kept.len());
                kept.push(value);
            }
        }
    }
    kept
}

/// The positions of values by their keys, to find those that others repeat.
pub(crate) fn positions(attribute: &Attribute, values: &[Value]) -> BTreeMap<Key, usize> {
    values.iter().enumerate().rev().map(|(at, value)| (key(attribute, value), at)).collect()
}

/// The value and type of an element, as they are compared; of one without value, all that it says.
pub(crate) fn key(attribute: &Attribute, element: &Value) -> Key {
    let form = |name: &str| {
        let text = element.get(name).and_then(Value::as_str)?;
        let exact = attribute.sub_attribute(name).is_some_and(|sub| sub.case_exact);
        Some(if exact { text.to_owned() } else { text.to_ascii_lowercase() })
    };
    match form("value") {
        Some(value) => (value, Some(form("type").unwrap_or_default())),
        None => (element.to_string(), None),
    }
}

/// Adds to a value what one that repeats it says besides.
fn complete(first: &mut Value, repeated: &Value) {
    let (Value::Object(first), Value::Object(repeated)) = (first, repeated) else { return };
    for (name, value) in repeated {
        let is_primary = name == "primary" && *value == Value::Bool(true);
        if is_primary || !first.contains_key(name) {
            first.insert(name.clone(), value.clone());
        }
    }
}

/// Lays what a client adds over the value that it repeats.
pub(crate) fn lay_over(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old.extend(new),
        (old, new) => *old = new,
    }
}
