//! One operation of a bulk request.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::envelope::PATCH_OP;
use crate::error::Error;
use crate::json::member;
use crate::message::bulk_references::{postpone, references, referred, resolve};

/// One operation.
#[derive(Debug, Clone)]
pub struct BulkOperation {
    /// POST, PUT, PATCH or DELETE. Otherwise it is the client's text in upper case, and the
    /// operation has a `fault`.
    pub method: String,
    /// "The transient identifier of a newly created resource".
    pub bulk_id: Option<String>,
    /// "The current resource version."
    pub version: Option<String>,
    /// "The resource's relative path to the SCIM service provider's root."
    pub path: String,
    /// "The resource data as it would appear for a single SCIM POST, PUT, or PATCH operation."
    pub data: Value,
    /// The reason why the operation cannot be attempted.
    pub fault: Option<Error>,
}

impl BulkOperation {
    pub(super) fn read(operation: &Value) -> Self {
        let nothing = Map::new();
        let object = operation.as_object().unwrap_or(&nothing);
        let text = |name: &str| {
            member(object, name).and_then(Value::as_str).filter(|text| !text.is_empty())
        };
        let mut operation = Self {
            method: text("method").unwrap_or_default().to_ascii_uppercase(),
            bulk_id: text("bulkId").map(str::to_owned),
            version: text("version").map(str::to_owned),
            path: text("path").unwrap_or_default().to_owned(),
            data: member(object, "data").cloned().unwrap_or_default(),
            fault: None,
        };
        operation.fault = operation.missing().map(Error::invalid_syntax);
        operation
    }

    /// What is missing from the operation, as a sentence.
    fn missing(&self) -> Option<&'static str> {
        match self.method.as_str() {
            "POST" if self.bulk_id.is_none() => Some("A POST operation needs a bulkId."),
            "POST" | "PUT" | "PATCH" if !self.data.is_object() => {
                Some("A POST, PUT or PATCH operation needs data, an object.")
            }
            "POST" | "PUT" | "PATCH" | "DELETE" if self.path.is_empty() => {
                Some("Each operation needs a path, such as /Users.")
            }
            "POST" | "PUT" | "PATCH" | "DELETE" => None,
            _ => Some("Each operation needs the method POST, PUT, PATCH or DELETE."),
        }
    }

    /// The bulkId of the resource that the operation creates.
    pub fn created(&self) -> Option<&str> {
        let creates = self.method == "POST" && self.fault.is_none();
        self.bulk_id.as_deref().filter(|_| creates)
    }

    /// The bulkIds to which the path or the data refers.
    pub fn references(&self) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = self.path.split('/').filter_map(referred).collect();
        references(&self.data, &mut found);
        found
    }

    /// Replaces references with ids: "The service provider MUST replace the string "bulkId:qwerty"
    /// with the permanent resource id once created." (3.7.2)
    pub fn resolve(&mut self, ids: &BTreeMap<String, String>) {
        let segments =
            self.path.split('/').map(|part| match referred(part).and_then(|id| ids.get(&id)) {
                Some(id) => id.clone(),
                None => part.to_owned(),
            });
        self.path = segments.collect::<Vec<_>>().join("/");
        resolve(&mut self.data, ids);
    }

    /// Removes the values that refer to `unresolved` from the data, and returns the body of the
    /// PATCH request that adds them once the ids exist: "The service provider MUST try to resolve
    /// circular cross-references between resources in a single bulk job" (3.7.1).
    pub fn postpone(&mut self, unresolved: &BTreeSet<String>) -> Value {
        let mut operations = Vec::new();
        if let Value::Object(data) = &mut self.data {
            for name in names(data) {
                match data.get_mut(&name) {
                    Some(Value::Object(extension)) if name.contains(':') => {
                        for inner in names(extension) {
                            let path = format!("{name}:{inner}");
                            operations.extend(postpone(extension, &inner, &path, unresolved));
                        }
                    }
                    _ => operations.extend(postpone(data, &name, &name, unresolved)),
                }
            }
        }
        json!({ "schemas": [PATCH_OP], "Operations": operations })
    }
}

fn names(object: &Map<String, Value>) -> Vec<String> {
    object.keys().cloned().collect()
}
