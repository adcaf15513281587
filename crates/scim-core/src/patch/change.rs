//! A single change that a PATCH operation asks for.

use serde_json::Value;

use crate::patch::path::Path;
use crate::value::is_no_value;

/// One operation on one place.
#[derive(Debug, Clone)]
pub(crate) struct Change<'s> {
    pub(crate) operation: Operation,
    pub(crate) path: Path<'s>,
    /// Absent for a `remove` that does not list values.
    pub(crate) value: Option<Value>,
}

/// "add", "remove" or "replace".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Remove,
    Replace,
}

impl Operation {
    /// Reads `op`, ignoring case.
    pub(crate) fn parse(op: &str) -> Option<Self> {
        match op.to_ascii_lowercase().as_str() {
            "add" => Some(Self::Add),
            "remove" => Some(Self::Remove),
            "replace" => Some(Self::Replace),
            _ => None,
        }
    }
}

impl Change<'_> {
    /// Whether the change takes values away. Setting "no value" means the same as `remove`.
    pub(crate) fn removes(&self) -> bool {
        self.operation == Operation::Remove || self.value.as_ref().is_some_and(is_no_value)
    }
}

/// Whether an operation lists no values to add or to remove. An empty list changes nothing: "add"
/// never takes values away (RFC 7644, 3.5.2.1), and a client that lists nothing to remove does not
/// mean all values. A `remove` whose path has a filter does not depend on its value.
pub(crate) fn names_nothing(operation: Operation, path: &Path<'_>, value: &Value) -> bool {
    let is_empty_list = value.as_array().is_some_and(Vec::is_empty);
    match operation {
        Operation::Add => is_empty_list,
        Operation::Remove => is_empty_list && path.filter.is_none(),
        Operation::Replace => false,
    }
}
