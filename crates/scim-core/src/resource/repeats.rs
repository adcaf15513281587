//! Values of a multi-valued attribute that repeat other values.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;

use crate::resource::member::MEMBERS;
use crate::schema::attribute::Attribute;

/// Two values with the same key repeat each other.
type Key = (String, Option<String>);

/// Merges values that repeat an earlier one into that one: "service providers ... SHOULD NOT return
/// the same (type, value) combination more than once per attribute" (RFC 7643, 2.4). The first of
/// them stays, and also gets the sub-attributes that only the others have.
pub(crate) fn without_repeats(attribute: &Attribute, values: Vec<Value>) -> Vec<Value> {
    // A group may have thousands of members; `member::take` removes repeated ones.
    if values.len() < 2 || attribute.name == MEMBERS {
        return values;
    }
    let mut seen = BTreeMap::new();
    let mut kept: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        match seen.entry(key(attribute, &value)) {
            Entry::Occupied(position) => {
                let first = kept.get_mut(*position.get());
                first.into_iter().for_each(|first| complete(first, &value));
            }
            Entry::Vacant(slot) => {
                slot.insert(kept.len());
                kept.push(value);
            }
        }
    }
    kept
}

/// The positions of values by their keys.
pub(crate) fn positions(attribute: &Attribute, values: &[Value]) -> BTreeMap<Key, usize> {
    let keyed = values.iter().enumerate().rev();
    keyed.map(|(position, value)| (key(attribute, value), position)).collect()
}

/// The `value` and `type` of an element in the form in which they are compared. The key of an
/// element without `value` is the whole element.
pub(crate) fn key(attribute: &Attribute, element: &Value) -> Key {
    let compared = |name: &str| {
        let text = element.get(name).and_then(Value::as_str)?;
        let exact = attribute.sub_attribute(name).is_some_and(|sub| sub.case_exact);
        Some(if exact { text.to_owned() } else { text.to_ascii_lowercase() })
    };
    match compared("value") {
        Some(value) => (value, Some(compared("type").unwrap_or_default())),
        None => (element.to_string(), None),
    }
}

/// Adds the sub-attributes of a repeated value that the first one lacks. `primary: true` wins.
fn complete(first: &mut Value, repeated: &Value) {
    let (Value::Object(first), Value::Object(repeated)) = (first, repeated) else { return };
    for (name, value) in repeated {
        let is_primary = name == "primary" && *value == Value::Bool(true);
        if is_primary || !first.contains_key(name) {
            first.insert(name.clone(), value.clone());
        }
    }
}

/// Merges a value that a client adds into the value that it repeats. The new sub-attributes win.
pub(crate) fn lay_over(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old.extend(new),
        (old, new) => *old = new,
    }
}
