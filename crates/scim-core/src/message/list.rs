//! The protocol's own messages (RFC 7644, 3.4.2 and 3.12).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::json::member;

/// Largest body of a request, in bytes: `bulk.maxPayloadSize`, and as much for every other request.
pub const MAX_BODY_BYTES: usize = 1_024 * 1_024;

/// The URI of [`ListResponse`].
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The URI of [`ErrorMessage`].
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// The URI of [`crate::message::bulk::BulkRequest`].
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The URI of [`crate::message::bulk::BulkResponse`].
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// The URI of a PATCH body.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The URIs that a message or a resource names as its `schemas`.
pub(crate) fn schemas(body: &Map<String, Value>) -> impl Iterator<Item = &str> {
    member(body, "schemas")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Whether a message says by its `schemas` that it is another one; without any it is what the
/// endpoint takes.
pub(crate) fn is_another(body: &Map<String, Value>, fits: impl Fn(&str) -> bool) -> bool {
    let mut uris = schemas(body).peekable();
    uris.peek().is_some() && !uris.any(fits)
}

/// The answer to a query (RFC 7644, 3.4.2).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResponse<T> {
    schemas: [&'static str; 1],
    /// "The total number of results returned by the list or query operation." (RFC 7644, 3.4.2)
    ///
    /// "Service providers implementing cursor pagination that are unable to estimate totalResults
    /// MAY choose to omit the totalResults attribute." (RFC 9865, 2)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_results: Option<usize>,
    /// "The 1-based index of the first result in the current set of list results"; absent where a
    /// cursor pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_index: Option<usize>,
    /// "The number of resources returned in a list response page."
    pub items_per_page: usize,
    /// "A cursor value string that MAY be used in a subsequent request to obtain the next page of
    /// results" (RFC 9865, 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The page; present when empty, since clients look for the key.
    #[serde(rename = "Resources")]
    pub resources: Vec<T>,
}

impl<T> ListResponse<T> {
    /// A page of `total_results` resources that begins at `start_index`.
    pub fn new(total_results: Option<usize>, start_index: usize, resources: Vec<T>) -> Self {
        Self { start_index: Some(start_index), ..Self::of_cursor(total_results, None, resources) }
    }

    /// A page that a cursor continues, of `total_results` resources if their number is known.
    pub fn of_cursor(
        total_results: Option<usize>,
        next_cursor: Option<String>,
        resources: Vec<T>,
    ) -> Self {
        let items_per_page = resources.len();
        Self {
            schemas: [LIST_RESPONSE],
            total_results,
            start_index: None,
            items_per_page,
            next_cursor,
            resources,
        }
    }
}

/// An error as JSON (RFC 7644, 3.12).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage<'e> {
    schemas: [&'static str; 1],
    /// "The HTTP status code ... expressed as a JSON string."
    pub status: String,
    /// "A SCIM detail error keyword."
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<&'static str>,
    /// The sentence of the error.
    pub detail: &'e str,
}

impl<'e> From<&'e Error> for ErrorMessage<'e> {
    fn from(error: &'e Error) -> Self {
        let (status, scim_type) = error.kind.wire();
        Self { schemas: [ERROR], status: status.to_string(), scim_type, detail: &error.detail }
    }
}
