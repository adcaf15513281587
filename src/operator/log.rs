//! The audit log of a tenant, page by page, with the names of those it is about.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::ResourceId;

use super::deployment::Operator;
use super::error::OperatorError;
use crate::store::{Kind, LogPage, LogRange, LogRow, Store, Subject, TenantKey, TenantRow};

/// How many rows one page of the log has at most.
const PAGE: usize = 100;
/// For how long rows may still appear before those that were read, in milliseconds: a row has the
/// time at which its request decided, and the clocks of two writers may differ.
const LATE: i64 = 60_000;

/// Which rows of a log are wanted.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// The first millisecond, since 1970; `None` for the beginning of the log.
    pub since: Option<i64>,
    /// The millisecond before which it ends; `None` for no end.
    pub until: Option<i64>,
    /// Only rows about this resource, or in which it joins or leaves a group.
    pub who: Option<ResourceId>,
    /// Only rows of this operation, by its word.
    pub operation: Option<String>,
    /// Only what this actor did: a key id, the label of a token, `operator`, or `expiry`.
    pub by: Option<String>,
    /// Whether the newest rows come first.
    pub newest_first: bool,
    /// Maximum number of rows.
    pub limit: Option<usize>,
}

/// A row of the log with what is known about it now.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// The row.
    pub row: LogRow,
    /// The userName or displayName of the resource, if it still exists or can still be restored.
    pub name: Option<String>,
    /// The label of the token that made the change, if it has one and is still listed.
    pub label: Option<String>,
}

/// The wanted rows of a log, read page by page.
pub struct LogReader<'o> {
    source: Source<'o>,
    range: LogRange,
    is_over: bool,
    /// How many rows may still be returned.
    left: usize,
}

/// The rows that are added to a log, read again and again.
pub struct LogTail<'o> {
    source: Source<'o>,
    /// The id of the first row that was shown before; no earlier one is shown later.
    first: String,
    /// The rows from this millisecond on are read again, since some may be late.
    from: i64,
    /// The ids of the rows since then that were returned, with their times.
    seen: BTreeMap<String, i64>,
}

/// A log, the wanted rows in it, and the labels of tokens.
struct Source<'o> {
    operator: &'o Operator,
    tenant: TenantKey,
    query: LogQuery,
    labels: BTreeMap<String, String>,
}

impl Operator {
    /// Reads the log of a tenant.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn log(
        &self,
        tenant: &TenantRow,
        query: LogQuery,
    ) -> Result<LogReader<'_>, OperatorError> {
        let range = LogRange {
            from: query.since.unwrap_or(0),
            until: query.until.unwrap_or(i64::MAX),
            newest_first: query.newest_first,
            after: None,
        };
        let left = query.limit.unwrap_or(usize::MAX);
        let source = Source::open(self, tenant, query).await?;
        Ok(LogReader { source, range, is_over: false, left })
    }

    /// Follows the log of a tenant: reads the rows that are added after those of `shown`, which were
    /// the newest ones.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn follow_log(
        &self,
        tenant: &TenantRow,
        query: LogQuery,
        shown: &[LogEntry],
    ) -> Result<LogTail<'_>, OperatorError> {
        let source = Source::open(self, tenant, query).await?;
        let first = shown.iter().map(|entry| &entry.row).min_by(|a, b| a.id.cmp(&b.id));
        let late = source.newest().await?.map_or(0, |newest| newest - LATE);
        let from = first.map_or(late, |first| first.milliseconds.max(late));
        let first = first.map(|first| first.id.clone()).unwrap_or_default();
        let seen = shown.iter().map(|entry| (entry.row.id.clone(), entry.row.milliseconds));
        let seen = seen.filter(|(_, time)| *time >= from).collect();
        Ok(LogTail { source, first, from, seen })
    }
}

impl LogReader<'_> {
    /// The next rows, at most 100; `None` at the end. There may be none of the wanted rows in a
    /// part of the log, and then the list is empty. One query, and a few calls for the names.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn next_page(&mut self) -> Result<Option<Vec<LogEntry>>, OperatorError> {
        if self.is_over || self.left == 0 {
            return Ok(None);
        }
        let LogPage { mut rows, next } = self.source.page(&self.range).await?;
        self.is_over = next.is_none();
        self.range.after = next;
        rows.retain(|row| self.source.wants(row));
        rows.truncate(self.left);
        self.left -= rows.len();
        Ok(Some(self.source.entries(rows).await?))
    }

    /// All rows that are left; the caller has limited their number.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn rest(&mut self) -> Result<Vec<LogEntry>, OperatorError> {
        let mut all = Vec::new();
        while let Some(page) = self.next_page().await? {
            all.extend(page);
        }
        Ok(all)
    }
}

impl LogTail<'_> {
    /// The wanted rows that were added since the last call, oldest first.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn next_rows(&mut self) -> Result<Vec<LogEntry>, OperatorError> {
        let (from, until) = (self.from, i64::MAX);
        let mut range = LogRange { from, until, newest_first: false, after: None };
        let mut new = Vec::new();
        loop {
            let page = self.source.page(&range).await?;
            let unseen = page.rows.into_iter().filter(|row| {
                row.id >= self.first && self.seen.insert(row.id.clone(), row.milliseconds).is_none()
            });
            new.extend(unseen.filter(|row| self.source.wants(row)));
            range.after = page.next;
            if range.after.is_none() {
                break;
            }
        }
        // By the clocks of those who write, because that of this machine may differ from them.
        let newest = self.seen.values().copied().max().unwrap_or_default();
        self.from = self.from.max(newest - LATE);
        self.seen.retain(|_, time| *time >= self.from);
        self.source.entries(new).await
    }
}

impl<'o> Source<'o> {
    async fn open(
        operator: &'o Operator,
        tenant: &TenantRow,
        query: LogQuery,
    ) -> Result<Self, OperatorError> {
        let key = tenant.key();
        let tokens = operator.store.tokens(&key, operator.clock.seconds()).await?;
        let labels = tokens.into_iter().filter_map(|token| Some((token.key_id, token.label?)));
        Ok(Self { operator, tenant: key, query, labels: labels.collect() })
    }

    fn store(&self) -> &Store {
        &self.operator.store
    }

    async fn page(&self, range: &LogRange) -> Result<LogPage, OperatorError> {
        let now = self.operator.clock.seconds();
        Ok(self.store().log(&self.tenant, range, PAGE, now).await?)
    }

    /// The time of the newest row, wanted or not, in milliseconds since 1970.
    async fn newest(&self) -> Result<Option<i64>, OperatorError> {
        let range = LogRange { from: 0, until: i64::MAX, newest_first: true, after: None };
        let page = self.store().log(&self.tenant, &range, 1, self.operator.clock.seconds()).await?;
        Ok(page.rows.first().map(|row| row.milliseconds))
    }

    fn wants(&self, row: &LogRow) -> bool {
        let LogQuery { who, operation, by, .. } = &self.query;
        let is_by = |by: &String| {
            row.actor == *by || self.labels.get(&row.actor).is_some_and(|label| label == by)
        };
        who.as_ref().is_none_or(|who| row.concerns(who))
            && operation.as_ref().is_none_or(|operation| row.operation == *operation)
            && by.as_ref().is_none_or(is_by)
    }

    /// The rows with names and labels.
    async fn entries(&self, rows: Vec<LogRow>) -> Result<Vec<LogEntry>, OperatorError> {
        let names = self.names(&rows).await?;
        let entry = |row: LogRow| {
            let id: Option<ResourceId> = row.subject_id.parse().ok();
            let name = id.and_then(|id| names.get(&id).cloned());
            let label = self.labels.get(&row.actor).cloned();
            LogEntry { row, name, label }
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    /// The names of the users and groups that the rows are about. Rows of an earlier release do not
    /// tell which of the two an id is of.
    async fn names(&self, rows: &[LogRow]) -> Result<BTreeMap<ResourceId, String>, OperatorError> {
        let ids = |kind: Kind| -> BTreeSet<ResourceId> {
            let subject = Subject::Resource(kind);
            let of_kind =
                rows.iter().filter(|row| row.subject.as_ref().is_none_or(|own| *own == subject));
            of_kind.filter_map(|row| row.subject_id.parse().ok()).collect()
        };
        self.operator.names(&self.tenant, ids(Kind::User), ids(Kind::Group)).await
    }
}
