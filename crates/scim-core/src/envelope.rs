//! The `schemas` of a message: the URIs that say what it is.

use serde_json::{Map, Value};

use crate::json::member;

/// The URI of [`crate::message::ListResponse`].
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The URI of [`crate::message::ErrorMessage`].
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// The URI of [`crate::bulk::BulkRequest`].
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The URI of [`crate::bulk::BulkResponse`].
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// The URI of [`crate::PatchRequest`].
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The URIs that a message or a resource lists in `schemas`.
pub(crate) fn schemas(body: &Map<String, Value>) -> impl Iterator<Item = &str> {
    member(body, "schemas")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Whether a message lists `schemas` of which none `fits`. A message without `schemas` is assumed
/// to be what the endpoint expects.
pub(crate) fn is_another(body: &Map<String, Value>, fits: impl Fn(&str) -> bool) -> bool {
    let mut uris = schemas(body).peekable();
    uris.peek().is_some() && !uris.any(fits)
}
