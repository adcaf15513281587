//! The audit log of a tenant.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::log_row::LogRow;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::log::{bound, read};

/// A part of a tenant's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRange {
    /// The first millisecond of it, since 1970.
    pub from: i64,
    /// The millisecond at which it ends; the rows of that one do not belong to it.
    pub until: i64,
    /// Whether the newest rows come first.
    pub newest_first: bool,
    /// The id of the row after which to continue, in this order; `None` to begin.
    pub after: Option<String>,
}

/// Some rows of a log.
#[derive(Debug)]
pub struct LogPage {
    /// The rows in the order of the range.
    pub rows: Vec<LogRow>,
    /// The id of the row after which to continue; `None` at the end of the range.
    pub next: Option<String>,
}

impl Store {
    /// The next rows of a range of the log, at most `limit` of them, without those that have expired
    /// at `now`, in seconds since 1970. One call, which reads at most 1 MB, so a page may hold fewer
    /// rows than there are, or none.
    pub async fn log(
        &self,
        tenant: &TenantKey,
        range: &LogRange,
        limit: usize,
        now: i64,
    ) -> Result<LogPage, StoreError> {
        let (p, from, until) = (tenant.code().log(), bound(range.from), bound(range.until));
        if from >= until {
            return Ok(LogPage { rows: Vec::new(), next: None });
        }
        let query = RowQuery {
            after: range.after.as_deref(),
            limit: Some(limit),
            backwards: range.newest_first,
            ..RowQuery::new(KeyCondition::Between(&p, &from, &until))
        };
        let page = self.query(query).await?;
        let kept = page.rows.iter().filter(|row| !row.is_expired(now));
        Ok(LogPage { rows: kept.map(read).collect::<Result<_, _>>()?, next: page.next })
    }
}
