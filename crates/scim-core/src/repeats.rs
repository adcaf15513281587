//! Values of one attribute that say the same twice.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::members::MEMBERS;
use crate::schema::Attribute;

/// By what one value is told from another.
type Key = (String, Option<String>);

/// The values without those that repeat an earlier one: "service providers ... SHOULD NOT return the same (type,
/// value) combination more than once per attribute" (RFC 7643, 2.4). The first of them stays, and takes on what
/// the others say besides.
pub(crate) fn left_out(attribute: &Attribute, values: Vec<Value>) -> Vec<Value> {
    // The members of a group are thousands, and the directory counts each once.
    if values.len() < 2 || attribute.name == MEMBERS {
        return values;
    }
    let mut seen = BTreeMap::new();
    let mut kept: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        match seen.get(&key(attribute, &value)).and_then(|at: &usize| kept.get_mut(*at)) {
            Some(first) => complete(first, value),
            None => {
                seen.insert(key(attribute, &value), kept.len());
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
fn complete(first: &mut Value, repeated: Value) {
    let (Value::Object(first), Value::Object(repeated)) = (first, repeated) else { return };
    for (name, value) in repeated {
        match name == "primary" && value == Value::Bool(true) {
            true => drop(first.insert(name, value)),
            false => drop(first.entry(name).or_insert(value)),
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
