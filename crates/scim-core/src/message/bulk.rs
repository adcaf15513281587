//! Bulk requests (RFC 7644, 3.7): many operations in one message. An operation may refer to a
//! resource that another one creates, before the resource has an id.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::envelope::{self, BULK_REQUEST, BULK_RESPONSE};
use crate::error::{Error, ErrorKind};
use crate::json::member;
pub use crate::message::bulk_operation::BulkOperation;

/// The maximum number of operations in a request: `bulk.maxOperations`.
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

/// "The result of a processed operation".
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkResult {
    /// The method of the operation.
    pub method: String,
    /// "The resource endpoint URL"; absent "in the event of a POST failure".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The bulkId of the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulk_id: Option<String>,
    /// The version of the resource after the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// "The HTTP response status code for the requested operation", as a string.
    pub status: String,
    /// "The HTTP response body for the specified request operation"; only for errors.
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
    /// Reads the body of a bulk request. An operation that cannot be attempted has a
    /// [`BulkOperation::fault`].
    ///
    /// # Errors
    /// `invalidSyntax` if `Operations` is missing or `schemas` is that of another message; 413 for
    /// more than [`MAX_OPERATIONS`].
    pub fn parse(body: &Map<String, Value>) -> Result<Self, Error> {
        if envelope::is_another(body, |uri| uri.eq_ignore_ascii_case(BULK_REQUEST)) {
            return Err(Error::invalid_syntax(format!(
                "The schemas of a bulk body must contain {BULK_REQUEST}."
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
            )
            .because("too-many-operations"));
        }
        let fail_on_errors = fail_on_errors(body)?;
        let mut operations: Vec<_> = operations.iter().map(BulkOperation::read).collect();
        mark_duplicates(&mut operations);
        Ok(Self { fail_on_errors, operations })
    }

    /// The order in which to process the operations, as indexes: each comes after the operations
    /// that create the resources to which it refers, and otherwise in the order of the request. In
    /// a cycle of references, the operation that comes first in the request is processed last.
    pub fn order(&self) -> Vec<usize> {
        let creators: BTreeMap<&str, usize> = self
            .operations
            .iter()
            .enumerate()
            .rev()
            .filter_map(|(index, operation)| Some((operation.created()?, index)))
            .collect();
        let mut order = Vec::with_capacity(self.operations.len());
        let mut visited = vec![false; self.operations.len()];
        for first in 0..self.operations.len() {
            // Depth first, but without recursion: a request may be one long chain.
            let mut open = vec![(first, false)];
            while let Some((index, is_done)) = open.pop() {
                if is_done {
                    order.push(index);
                    continue;
                }
                match visited.get_mut(index) {
                    Some(visited) if !*visited => *visited = true,
                    _ => continue,
                }
                open.push((index, true));
                let references =
                    self.operations.get(index).map(BulkOperation::references).unwrap_or_default();
                let needed = references.iter().rev().filter_map(|id| creators.get(id.as_str()));
                open.extend(needed.map(|index| (*index, false)));
            }
        }
        order
    }
}

fn fail_on_errors(body: &Map<String, Value>) -> Result<Option<usize>, Error> {
    match member(body, "failOnErrors") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            let number =
                number.ok_or_else(|| Error::invalid_syntax("failOnErrors must be an integer."))?;
            Ok(Some(number.max(1)))
        }
    }
}

/// Marks operations whose bulkId an earlier operation already has.
fn mark_duplicates(operations: &mut [BulkOperation]) {
    let mut seen = BTreeSet::new();
    for operation in operations.iter_mut().filter(|operation| operation.method == "POST") {
        if let Some(bulk_id) = &operation.bulk_id
            && !seen.insert(bulk_id.clone())
        {
            operation.fault = Some(Error::invalid_value(
                "Another operation of this request has the same bulkId; send a different one.",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(operations: Value) -> BulkRequest {
        let body = json!({ "Operations": operations });
        BulkRequest::parse(body.as_object().unwrap()).unwrap()
    }

    fn post(bulk_id: &str, refers: &[&str]) -> Value {
        let members: Vec<Value> =
            refers.iter().map(|id| json!({ "value": format!("bulkId:{id}") })).collect();
        let data = json!({ "displayName": bulk_id, "members": members });
        json!({ "method": "post", "bulkId": bulk_id, "path": "/Groups", "data": data })
    }

    #[test]
    fn operations_follow_those_they_refer_to() {
        for (operations, order) in [
            (json!([post("a", &[]), post("b", &[])]), vec![0, 1]),
            (json!([post("a", &["b"]), post("b", &[])]), vec![1, 0]),
            (json!([post("a", &["c", "b"]), post("b", &["c"]), post("c", &[])]), vec![2, 1, 0]),
            (json!([post("a", &["b"]), post("b", &["a"])]), vec![1, 0]),
            (json!([post("a", &["a", "unknown"])]), vec![0]),
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
                "userName": "bulkId:", "title": "about bulkId:a",
                "members": [{ "value": "bulkId:a" }, { "value": "bulkId:b" }],
                "urn:x:User": { "manager": { "value": "bulkId:b" }, "department": "d" },
            },
        }, {
            "method": "PATCH", "path": "/Groups/bulkId:a",
            "data": {
                "Operations": [{ "op": "remove", "path": "members[value eq \"bulkId:b\"]" }],
            },
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
                "userName": "bulkId:", "title": "about bulkId:a", "members": [{ "value": "1" }],
                "urn:x:User": { "department": "d" },
            })
        );
    }
}
