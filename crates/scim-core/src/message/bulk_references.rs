//! References of bulk operations to resources that the same request creates: `bulkId:` and an
//! identifier, as a whole value, a segment of a path, or in quotes in the path of a PATCH
//! operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::patch::path::MAX_PATH_BYTES;

/// What a reference begins with.
const REFERENCE: &str = "bulkId:";

/// Takes what refers to `unresolved` out of an attribute, and adds the operation that puts it back.
pub(crate) fn postpone(
    object: &mut Map<String, Value>,
    name: &str,
    path: &str,
    unresolved: &BTreeSet<String>,
    operations: &mut Vec<Value>,
) {
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
    operations.extend(value.map(|value| json!({ "op": "add", "path": path, "value": value })));
}

/// The bulkId that a whole text refers to.
pub(crate) fn referred(text: &str) -> Option<String> {
    let head = text.get(..REFERENCE.len()).filter(|head| head.eq_ignore_ascii_case(REFERENCE));
    head.and_then(|_| text.get(REFERENCE.len()..)).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// The bulkIds between quotes in the path of a PATCH operation:
/// `members[value eq "bulkId:qwerty"]`. A path that is longer than any may be refers to nobody: the
/// operation is refused later.
fn quoted(path: &str) -> impl Iterator<Item = String> {
    let path = if path.len() > MAX_PATH_BYTES { "" } else { path };
    path.split('"').skip(1).step_by(2).filter_map(referred)
}

pub(crate) fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => found.extend(referred(text)),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(path) if name.eq_ignore_ascii_case("path") => {
                        found.extend(quoted(path))
                    }
                    value => references(value, found),
                }
            }
        }
        _ => {}
    }
}

pub(crate) fn resolve(value: &mut Value, ids: &BTreeMap<String, String>) {
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
                    Value::String(path) if name.eq_ignore_ascii_case("path") => {
                        for bulk_id in quoted(&path.clone()) {
                            if let Some(id) = ids.get(&bulk_id) {
                                *path = path.replace(
                                    &format!("\"{REFERENCE}{bulk_id}\""),
                                    &format!("\"{id}\""),
                                );
                            }
                        }
                    }
                    value => resolve(value, ids),
                }
            }
        }
        _ => {}
    }
}
