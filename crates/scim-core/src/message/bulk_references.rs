//! References of bulk operations to resources that the same request creates: `bulkId:` and an
//! identifier. A reference is a whole string, a segment of a path, or a quoted string in the path
//! of a PATCH operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::patch::path::MAX_PATH_BYTES;

/// The prefix of a reference.
const REFERENCE: &str = "bulkId:";

/// Removes the values of an attribute that refer to `unresolved`, and returns the operation that
/// adds them again.
pub(super) fn postpone(
    object: &mut Map<String, Value>,
    name: &str,
    path: &str,
    unresolved: &BTreeSet<String>,
) -> Option<Value> {
    let refers = |value: &Value| {
        let mut found = BTreeSet::new();
        references(value, &mut found);
        !found.is_disjoint(unresolved)
    };
    let value = match object.get_mut(name) {
        Some(Value::Array(items)) => {
            let (late, now): (Vec<Value>, Vec<Value>) =
                std::mem::take(items).into_iter().partition(refers);
            *items = now;
            (!late.is_empty()).then_some(Value::Array(late))
        }
        Some(value) if refers(value) => object.shift_remove(name),
        _ => None,
    };
    value.map(|value| json!({ "op": "add", "path": path, "value": value }))
}

/// The bulkId if the whole text is a reference.
pub(super) fn referred(text: &str) -> Option<String> {
    let head = text.get(..REFERENCE.len()).filter(|head| head.eq_ignore_ascii_case(REFERENCE));
    head.and_then(|_| text.get(REFERENCE.len()..)).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// The bulkIds in quotes in the path of a PATCH operation: `members[value eq "bulkId:qwerty"]`. A
/// path that is too long is ignored, because its operation will be refused.
fn quoted(path: &str) -> impl Iterator<Item = String> {
    let path = if path.len() > MAX_PATH_BYTES { "" } else { path };
    path.split('"').skip(1).step_by(2).filter_map(referred)
}

/// Adds the bulkIds to which a value refers.
pub(super) fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => found.extend(referred(text)),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(path) if is_path(name) => found.extend(quoted(path)),
                    value => references(value, found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces the references in a value with ids.
pub(super) fn resolve(value: &mut Value, ids: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(id) = referred(text).and_then(|id| ids.get(&id)) {
                text.clone_from(id);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, ids)),
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(path) if is_path(name) => resolve_quoted(path, ids),
                    value => resolve(value, ids),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn resolve_quoted(path: &mut String, ids: &BTreeMap<String, String>) {
    for bulk_id in quoted(&path.clone()) {
        if let Some(id) = ids.get(&bulk_id) {
            *path = path.replace(&format!("\"{REFERENCE}{bulk_id}\""), &format!("\"{id}\""));
        }
    }
}

fn is_path(name: &str) -> bool {
    name.eq_ignore_ascii_case("path")
}
