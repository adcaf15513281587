//! Cursors (RFC 9865): where a walk through the results of a query continues. A cursor is
//! stateless: it holds the position of the last resource, and is sealed for one tenant, one query
//! of the same types, and one page size.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scim_core::query::CURSOR_TIMEOUT;
use scim_core::{Error, ErrorKind, Query, SortKey};
use serde::{Deserialize, Serialize};

use super::position::{Position, PositionRef};
use crate::store::TenantKey;

/// The position after the last resource of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The last resource's sort key, or a text that sorts between two.
    #[serde(rename = "a")]
    pub(super) after: String,
    /// Its key, if the walk is sorted.
    #[serde(rename = "k", skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<SortKey>,
    /// The index of its resource type, if several are queried.
    #[serde(rename = "s", default)]
    pub(super) scope: usize,
    /// `totalResults` when the walk began, if it was known.
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<usize>,
    #[serde(rename = "q")]
    query: String,
    #[serde(rename = "n")]
    count: usize,
    #[serde(rename = "x")]
    expires: i64,
}

impl Cursor {
    /// A cursor for the page after the one that ends with `last`.
    pub(super) fn new(walk: Walk<'_>, now: i64, last: Position, total: Option<usize>) -> Self {
        let (query, count) = (walk.fingerprint(), walk.query.page_size());
        let Position { sort_key: key, scope, key: after } = last;
        let lifetime = CURSOR_TIMEOUT.as_secs().cast_signed();
        Self { after, key, scope, total, query, count, expires: now + lifetime }
    }

    pub(super) fn position(&self) -> PositionRef<'_> {
        PositionRef { sort_key: self.key.as_ref(), scope: self.scope, key: &self.after }
    }

    /// The cursor as text: letters, digits, `-`, `_` and one dot.
    pub(super) fn write(&self, tenant: &TenantKey) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&text), tenant.seal(&text))
    }

    /// Reads a cursor that this tenant got for this query.
    ///
    /// # Errors
    /// `invalidCursor`, `expiredCursor`, or `invalidCount` if the page size has changed.
    pub(super) fn read(text: &str, walk: Walk<'_>, now: i64) -> Result<Self, Error> {
        let cursor = Self::unseal(text, walk.tenant)
            .filter(|cursor| cursor.query == walk.fingerprint())
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidCursor,
                    "The cursor does not belong to this query. Begin with an empty cursor, and \
                    repeat all other parameters in each request.",
                )
            })?;
        if now >= cursor.expires {
            return Err(Error::new(
                ErrorKind::ExpiredCursor,
                format!(
                    "The cursor is older than {} seconds. Begin again with an empty cursor.",
                    CURSOR_TIMEOUT.as_secs()
                ),
            ));
        }
        if cursor.count != walk.query.page_size() {
            return Err(Error::new(
                ErrorKind::InvalidCount,
                "count must be the same in all requests of a walk by cursor.",
            ));
        }
        Ok(cursor)
    }

    /// A cursor that this tenant got; `None` for any other text.
    fn unseal(text: &str, tenant: &TenantKey) -> Option<Self> {
        let (body, seal) = text.split_once('.')?;
        let body = String::from_utf8(URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        let expected = tenant.seal(&body);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), seal.as_bytes())) {
            return None;
        }
        serde_json::from_str(&body).ok()
    }
}

/// What must stay the same throughout a walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk<'a> {
    pub(super) tenant: &'a TenantKey,
    /// The names of the resource types that are queried.
    pub(super) types: &'a [&'a str],
    pub(super) query: &'a Query,
}

impl Walk<'_> {
    fn fingerprint(&self) -> String {
        let Query { filter, sort_by, descending, .. } = self.query;
        self.tenant.seal(&format!("{:?}", (self.types, filter, sort_by, descending)))
    }
}
