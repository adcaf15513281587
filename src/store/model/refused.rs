//! Requests that were refused, as they are kept for the operator.

use serde::{Deserialize, Serialize};

/// Maximum number of entries of a row.
pub const MAX_ENTRIES: usize = 20;

/// A refused request, or several equal ones. It has no value that a client sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRequest {
    /// The code of the reason.
    pub code: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The method.
    pub method: String,
    /// The endpoint, without ids.
    pub route: String,
    /// The sentence of the answer.
    pub detail: String,
    /// The path of the attribute that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The id of the resource, or the marks of the names in the body
    /// ([`crate::store::TenantKey::mark`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// The id of the last of the requests.
    pub request: String,
    /// The key id of the token that the last of them had.
    pub key: String,
    /// How many requests these are.
    pub count: u64,
    /// When the first one was refused, in seconds since 1970.
    pub first: i64,
    /// When the last one was refused, in seconds since 1970.
    pub last: i64,
}

impl RefusedRequest {
    /// Whether another one is about the same, for the same reason: it may differ in its sentence,
    /// its time, its request and its credential.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.status, &self.code, &self.method, &self.route)
            == (other.status, &other.code, &other.method, &other.route)
            && self.about == other.about
            && self.attribute == other.attribute
    }

    /// Adds those of another one, which [`RefusedRequest::is_like`] it. The newest sentence stays.
    pub fn absorb(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.min(other.first);
        if other.last >= self.last {
            (self.last, self.request, self.key) = (other.last, other.request, other.key);
            self.detail = other.detail;
        }
    }
}

/// The refusals of one moment of a tenant: a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalBatch {
    /// The key of the row, a UUID of version 7.
    pub id: String,
    /// When the first of them happened, in seconds since 1970.
    pub at: i64,
    /// At most [`MAX_ENTRIES`].
    pub entries: Vec<RefusedRequest>,
    /// How many more requests were refused, of which there is no entry.
    pub more: u64,
}
