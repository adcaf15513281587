//! Bulk requests (RFC 7644, 3.7): many operations in one message, which may refer to each other's
//! resources before these have ids.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorKind};
use crate::json::member;
use crate::message::bulk_references::{postpone, references, referred, resolve};
use crate::message::list::{self as message, BULK_REQUEST, BULK_RESPONSE, PATCH_OP};

/// Most operations in a request: `bulk.maxOperations`.
pub const MAX_OPERATIONS: usize = 100;

/// A bulk request.
#[derive(Debug, Clone)]
pub struct BulkRequest {
    /// "An integer specifying the number of errors that the service provider will accept before the
    /// operation is terminated and an error response is returned."
    pub fail_on_errors: Option<usize>,
    /// "Each operation corresponds to a single HTTP request against a resource endpoint."
    pub operations: Vec<BulkOperation>,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct BulkOperation {
    /// POST, PUT, PATCH or DELETE; what the client wrote if it is none of these.
    pub method: String,
    /// "The transient identifier of a newly created resource".
    pub bulk_id: Option<String>,
    /// "The current resource version."
    pub version: Option<String>,
    /// "The resource's relative path to the SCIM service provider's root."
    pub path: String,
    /// "The resource data as it would appear for a single SCIM POST, PUT, or PATCH operation."
    pub data: Value,
    /// Why the operation cannot be tried.
    pub fault: Option<Error>,
}

/// "The result of a processed operation", with what it tells.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkResult {
    /// Its method.
    pub method: String,
    /// "The resource endpoint URL"; absent "in the event of a POST failure".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// As in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulk_id: Option<String>,
    /// The version after the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// "The HTTP response status code for the requested operation", as a string.
    pub status: String,
    /// "The HTTP response body for the specified request operation"; errors only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
}

/// The answer to a bulk request.
#[derive(Debug, Clone, Serialize)]
pub struct BulkResponse {
    schemas: [&'static str; 1],
    /// "The result of all processed operations", in the order of the request.
    #[serde(rename = "Operations")]
    pub operations: Vec<BulkResult>,
}

impl BulkResponse {
    /// An answer with these results.
    pub fn new(operations: Vec<BulkResult>) -> Self {
        Self { schemas: [BULK_RESPONSE], operations }
    }
}

impl BulkRequest {
    /// Reads the body of a bulk request. An operation that cannot be tried is kept with its fault.
    ///
    /// # Errors
    /// `invalidSyntax` without `Operations` or for another message; 413 over [`MAX_OPERATIONS`].
    pub fn parse(body: &Map<String, Value>) -> Result<Self, Error> {
        if message::is_another(body, |uri| uri.eq_ignore_ascii_case(BULK_REQUEST)) {
            return Err(Error::invalid_syntax(format!(
                "A bulk body has the schema {BULK_REQUEST}; send that one."
            )));
        }
        let operations = member(body, "Operations").and_then(Value::as_array);
        let operations = operations.ok_or_else(|| {
            Error::invalid_syntax(
                "A bulk body needs the array Operations with method, path and data.",
            )
        })?;
        if operations.len() > MAX_OPERATIONS {
            return Err(Error::new(
                ErrorKind::PayloadTooLarge,
                format!(
                    "The size of the bulk operation exceeds maxOperations ({MAX_OPERATIONS}); \
                    send several requests."
                ),
            ));
        }
        let fail_on_errors = match member(body, "failOnErrors") {
            None | Some(Value::Null) => None,
            Some(number) => Some(
                number
                    .as_u64()
                    .and_then(|number| usize::try_from(number).ok())
                    .ok_or_else(|| Error::invalid_syntax("failOnErrors must be an integer."))?
                    .max(1),
            ),
        };
        let mut operations: Vec<BulkOperation> =
            operations.iter().map(BulkOperation::read).collect();
        let mut seen = BTreeSet::new();
        for operation in &mut operations {
            if let Some(bulk_id) = &operation.bulk_id
                && operation.method == "POST"
                && !seen.insert(bulk_id.clone())
            {
                operation.fault = Some(Error::invalid_value(
                    "bulkId stands for another operation of this request.",
                ));
            }
        }
        Ok(Self { fail_on_errors, operations })
    }

    /// The order in which to process the operations: each after those that create what it refers
    /// to, else as in the request. In a circle of references, the one that comes first in the
    /// request comes last.
    pub fn order(&self) -> Vec<usize> {
        let creates: BTreeMap<&str, usize> =
            self.operations.iter().enumerate().rev().filter_map(creates).collect();
        let mut order = Vec::with_capacity(self.operations.len());
        let mut met = vec![false; self.operations.len()];
        for first in 0..self.operations.len() {
            // Depth first without recursion: a request may be one long chain.
            let mut open = vec![(first, false)];
            while let Some((index, done)) = open.pop() {
                if done {
                    order.push(index);
                    continue;
                }
                match met.get_mut(index) {
                    Some(met) if !*met => *met = true,
                    _ => continue,
                }
                open.push((index, true));
                let references =
                    self.operations.get(index).map(BulkOperation::references).unwrap_or_default();
                open.extend(
                    references
                        .iter()
                        .rev()
                        .filter_map(|id| creates.get(id.as_str()))
                        .map(|index| (*index, false)),
                );
            }
        }
        order
    }
}

fn creates((index, operation): (usize, &BulkOperation)) -> Option<(&str, usize)> {
    let bulk_id = operation
        .bulk_id
        .as_deref()
        .filter(|_| operation.method == "POST" && operation.fault.is_none())?;
    Some((bulk_id, index))
}

impl BulkOperation {
    fn read(operation: &Value) -> Self {
        let nothing = Map::new();
        let object = operation.as_object().unwrap_or(&nothing);
        let text = |name: &str| {
            member(object, name).and_then(Value::as_str).filter(|text| !text.is_empty())
        };
        let mut read = Self {
            method: text("method").unwrap_or_default().to_ascii_uppercase(),
            bulk_id: text("bulkId").map(str::to_owned),
            version: text("version").map(str::to_owned),
            path: text("path").unwrap_or_default().to_owned(),
            data: member(object, "data").cloned().unwrap_or_default(),
            fault: None,
        };
        let lacks = match read.method.as_str() {
            "POST" if read.bulk_id.is_none() => Some("A POST operation needs a bulkId."),
            "POST" | "PUT" | "PATCH" if !read.data.is_object() => {
                Some("A POST, PUT or PATCH operation needs data, an object.")
            }
            "POST" | "PUT" | "PATCH" | "DELETE" if read.path.is_empty() => {
                Some("Each operation needs a path, such as /Users.")
            }
            "POST" | "PUT" | "PATCH" | "DELETE" => None,
            _ => Some("Each operation needs the method POST, PUT, PATCH or DELETE."),
        };
        read.fault = lacks.map(Error::invalid_syntax);
        read
    }

    /// The bulkIds that the path or the data refer to.
    pub fn references(&self) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = self.path.split('/').filter_map(referred).collect();
        references(&self.data, &mut found);
        found
    }

    /// Puts ids in the place of references: "The service provider MUST replace the string
    /// "bulkId:qwerty" with the permanent resource id once created." (3.7.2)
    pub fn resolve(&mut self, ids: &BTreeMap<String, String>) {
        let segments =
            self.path.split('/').map(|part| match referred(part).and_then(|id| ids.get(&id)) {
                Some(id) => id.clone(),
                None => part.to_owned(),
            });
        self.path = segments.collect::<Vec<_>>().join("/");
        resolve(&mut self.data, ids);
    }

    /// Takes the values out of the data that refer to `unresolved`, and returns the PATCH request
    /// that adds them when they have ids: "The service provider MUST try to resolve circular
    /// cross-references between resources in a single bulk job" (3.7.1).
    pub fn postpone(&mut self, unresolved: &BTreeSet<String>) -> Value {
        let mut operations = Vec::new();
        if let Value::Object(data) = &mut self.data {
            let names: Vec<String> = data.keys().cloned().collect();
            for name in names {
                let Some(value) = data.get_mut(&name) else { continue };
                match value {
                    Value::Object(extension) if name.contains(':') => {
                        let inner: Vec<String> = extension.keys().cloned().collect();
                        for inner in inner {
                            postpone(
                                extension,
                                &inner,
                                &format!("{name}:{inner}"),
                                unresolved,
                                &mut operations,
                            );
                        }
                    }
                    _ => postpone(data, &name, &name, unresolved, &mut operations),
                }
            }
        }
        json!({ "schemas": [PATCH_OP], "Operations": operations })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operations: Value) -> BulkRequest {
        let body = json!({ "Operations": operations });
        BulkRequest::parse(body.as_object().unwrap()).unwrap()
    }

    fn post(bulk_id: &str, refers: &[&str]) -> Value {
        let members: Vec<Value> =
            refers.iter().map(|id| json!({ "value": format!("bulkId:{id}") })).collect();
        json!({ "method": "post", "bulkId": bulk_id, "path": "/Groups", "data": { "displayName": bulk_id, "members": members } })
    }

    #[test]
    fn operations_follow_what_they_refer_to() {
        for (operations, order) in [
            (json!([post("a", &[]), post("b", &[])]), vec![0, 1]),
            (json!([post("a", &["b"]), post("b", &[])]), vec![1, 0]),
            (json!([post("a", &["c", "b"]), post("b", &["c"]), post("c", &[])]), vec![2, 1, 0]),
            (json!([post("a", &["b"]), post("b", &["a"])]), vec![1, 0]),
            (json!([post("a", &["a", "nobody"])]), vec![0]),
            (
                json!([{ "method": "DELETE", "path": "/Users/bulkId:b" }, post("b", &[])]),
                vec![1, 0],
            ),
        ] {
            assert_eq!(request(operations.clone()).order(), order, "{operations}");
        }
        let chain: Vec<Value> =
            (0..100).map(|n| post(&n.to_string(), &[&(n + 1).to_string()])).collect();
        assert_eq!(request(chain.into()).order(), (0..100).rev().collect::<Vec<_>>());
    }

    #[test]
    fn references_are_found_replaced_and_postponed() {
        let mut request = request(json!([{
            "method": "POST", "bulkId": "x", "path": "/Users", "data": {
                "userName": "bulkId:", "title": "about bulkId:a", "members": [{ "value": "bulkId:a" }, { "value": "bulkId:b" }],
                "urn:x:User": { "manager": { "value": "bulkId:b" }, "department": "d" },
            },
        }, {
            "method": "PATCH", "path": "/Groups/bulkId:a",
            "data": { "Operations": [{ "op": "remove", "path": "members[value eq \"bulkId:b\"]" }] },
        }]));
        let both: BTreeSet<String> = ["a".to_owned(), "b".to_owned()].into();
        assert!(request.operations.iter().all(|operation| operation.references() == both));
        let ids =
            BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        request.operations[1].resolve(&ids);
        assert_eq!(request.operations[1].path, "/Groups/1");
        assert_eq!(request.operations[1].data["Operations"][0]["path"], "members[value eq \"2\"]");
        let mut post = request.operations.remove(0);
        let late = post.postpone(&["b".to_owned()].into());
        assert_eq!(
            late["Operations"],
            json!([
                { "op": "add", "path": "members", "value": [{ "value": "bulkId:b" }] },
                { "op": "add", "path": "urn:x:User:manager", "value": { "value": "bulkId:b" } },
            ])
        );
        post.resolve(&ids);
        assert_eq!(
            post.data,
            json!({
                "userName": "bulkId:", "title": "about bulkId:a", "members": [{ "value": "1" }], "urn:x:User": { "department": "d" },
            })
        );
    }
}
