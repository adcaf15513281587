//! The answers of the protocol that are not resources: lists and errors (RFC 7644, 3.4.2 and 3.12).

use serde::Serialize;

use crate::envelope::{ERROR, LIST_RESPONSE};
use crate::error::Error;

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
    /// "The 1-based index of the first result in the current set of list results"; absent if the
    /// client pages by cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_index: Option<usize>,
    /// "The number of resources returned in a list response page."
    pub items_per_page: usize,
    /// "A cursor value string that MAY be used in a subsequent request to obtain the next page of
    /// results" (RFC 9865, 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The resources in the page. This member is present even if it is empty, because clients
    /// expect it.
    #[serde(rename = "Resources")]
    pub resources: Vec<T>,
}

impl<T> ListResponse<T> {
    /// A page that begins at `start_index` of `total_results` resources.
    pub fn new(total_results: Option<usize>, start_index: usize, resources: Vec<T>) -> Self {
        Self { start_index: Some(start_index), ..Self::of_cursor(total_results, None, resources) }
    }

    /// A page out of `total_results` resources, if their number is known. `next_cursor` leads to
    /// the next page.
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
    /// "A detailed human-readable message."
    pub detail: &'e str,
}

impl<'e> From<&'e Error> for ErrorMessage<'e> {
    fn from(error: &'e Error) -> Self {
        let (status, scim_type) = error.kind.wire();
        Self { schemas: [ERROR], status: status.to_string(), scim_type, detail: &error.detail }
    }
}
