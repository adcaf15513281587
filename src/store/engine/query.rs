//! Reads of one row and of the rows of one partition, all strongly consistent.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::client::Store;
use super::error::{StoreError, unavailable};
use super::item::{Item, Key, SORT, text};
use super::ranges::{FIRST, KeyRange, LAST};
use crate::budget::{self, QUERY_UNITS, ROW_UNITS};

/// Which rows of a partition a query reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyCondition<'a> {
    /// In this partition, the rows whose sort keys begin with this text.
    BeginsWith(&'a str, &'a str),
    /// In this partition, the rows between two sort keys, inclusive.
    Between(&'a str, &'a str, &'a str),
}

impl<'a> KeyCondition<'a> {
    /// All rows of a partition whose sort keys are ids.
    pub(crate) fn ids(p: &'a str) -> Self {
        Self::Between(p, FIRST, LAST)
    }

    /// The rows of a partition in a range of sort keys.
    pub(crate) fn range(p: &'a str, range: &'a KeyRange) -> Self {
        Self::Between(p, &range.from, &range.to)
    }
}

/// A query of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowQuery<'a> {
    pub(crate) keys: KeyCondition<'a>,
    /// The sort key after which it begins.
    pub(crate) after: Option<&'a str>,
    /// Whether it goes from the last row to the first.
    pub(crate) backwards: bool,
    /// Maximum number of rows of one call.
    pub(crate) limit: Option<usize>,
    /// The attributes to return; by default, all of them. The number does not change the cost, but
    /// each attribute takes time to parse.
    pub(crate) only: Option<&'a str>,
    /// Maximum number of read units of one call, if that is known.
    pub(crate) units: Option<usize>,
}

impl<'a> RowQuery<'a> {
    /// All of these rows, from the first one on.
    pub(crate) fn new(keys: KeyCondition<'a>) -> Self {
        Self { keys, after: None, backwards: false, limit: None, only: None, units: None }
    }

    /// At most `count` rows of members or memberships, which are small.
    pub(crate) fn small(keys: KeyCondition<'a>, count: usize) -> Self {
        Self { units: Some(budget::units_of_small_rows(count)), ..Self::new(keys) }
    }

    fn max_units(&self) -> u32 {
        let known = self.units.and_then(|units| u32::try_from(units).ok());
        let rows = self.limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(u32::MAX);
        rows.saturating_mul(ROW_UNITS).min(known.unwrap_or(QUERY_UNITS))
    }
}

/// The rows of one call.
#[derive(Debug)]
pub(crate) struct QueryPage {
    pub(crate) rows: Vec<Item>,
    /// The sort key after which to continue; `None` at the end.
    pub(crate) next: Option<String>,
}

/// The first rows of a query.
#[derive(Debug)]
pub(crate) struct FirstRows {
    pub(crate) rows: Vec<Item>,
    /// Whether these are the only rows.
    pub(crate) complete: bool,
}

impl Store {
    /// One row by its key. One call.
    pub(in crate::store) async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        let reserved = budget::reserve(ROW_UNITS)?;
        let answer = self
            .client
            .get_item()
            .table_name(&*self.table)
            .set_key(Some(key.into_map()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        // The SDK's futures are large. Boxing them keeps the futures above them small.
        let answer = Box::pin(answer).await.map_err(unavailable)?;
        reserved.took(answer.consumed_capacity().and_then(|used| used.capacity_units()));
        answer.item.map(Item::read).transpose()
    }

    /// Some rows of a partition in the order of their sort keys. One call.
    pub(in crate::store) async fn query(
        &self,
        query: RowQuery<'_>,
    ) -> Result<QueryPage, StoreError> {
        let (condition, p, from, to) = match query.keys {
            KeyCondition::BeginsWith(p, prefix) => {
                ("p = :p AND begins_with(s, :s)", p, prefix, None)
            }
            KeyCondition::Between(p, from, to) => {
                ("p = :p AND s BETWEEN :s AND :t", p, from, Some(to))
            }
        };
        let key = |s: &str| Key::new(p, s).into_map();
        let call = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression(condition)
            .expression_attribute_values(":p", text(p))
            .expression_attribute_values(":s", text(from))
            .set_exclusive_start_key(query.after.map(key))
            .set_projection_expression(query.only.map(str::to_owned))
            .consistent_read(true)
            .scan_index_forward(!query.backwards)
            .set_limit(query.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let call =
            to.into_iter().fold(call, |call, to| call.expression_attribute_values(":t", text(to)));
        let reserved = budget::reserve(query.max_units())?;
        let answer = Box::pin(call.send()).await.map_err(unavailable)?;
        reserved.took(answer.consumed_capacity().and_then(|used| used.capacity_units()));
        let last = answer.last_evaluated_key;
        let next = last.and_then(|key| key.get(SORT).and_then(|s| s.as_s().ok()).cloned());
        let rows = answer.items.unwrap_or_default().into_iter().map(Item::read);
        Ok(QueryPage { rows: rows.collect::<Result<_, _>>()?, next })
    }

    /// The first rows, at most `max`.
    pub(in crate::store) async fn query_first(
        &self,
        query: RowQuery<'_>,
        max: usize,
    ) -> Result<FirstRows, StoreError> {
        let limit = |read: usize| (max < usize::MAX).then(|| max - read);
        let QueryPage { mut rows, mut next } =
            self.query(RowQuery { limit: limit(0), ..query }).await?;
        while let Some(after) = next.as_deref().filter(|_| rows.len() < max) {
            let query = RowQuery { after: Some(after), limit: limit(rows.len()), ..query };
            let more = self.query(query).await?;
            rows.extend(more.rows);
            next = more.next;
        }
        Ok(FirstRows { rows, complete: next.is_none() })
    }

    /// All rows of a partition whose sort keys begin with `prefix`.
    pub(in crate::store) async fn query_all(
        &self,
        p: &str,
        prefix: &str,
    ) -> Result<Vec<Item>, StoreError> {
        let query = RowQuery::new(KeyCondition::BeginsWith(p, prefix));
        Ok(self.query_first(query, usize::MAX).await?.rows)
    }
}
