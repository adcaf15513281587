//! Where it is kept: one DynamoDB table, and nothing else.
//!
//! `docs/DATA_MODEL.md` shows the rows. Three rules hold for all of this room:
//!
//! * every write is one `TransactWriteItems` with a token of ours, so that a lost answer never
//!   becomes a false duplicate (see `transaction.rs`);
//! * every read after which an IdP may act is strongly consistent;
//! * a row whose expiry has passed is gone, however late DynamoDB removes it.

mod batch;
mod batch_get;
mod counters;
mod due;
mod guards;
mod item;
pub mod keys;
mod listed;
mod log;
mod lookup;
pub mod members;
mod memberships;
mod page;
mod put;
mod ranges;
mod refusal;
mod removal;
pub mod resources;
mod roster;
pub mod table;
pub mod tenants;
mod transaction;
mod unfinished;
pub mod writes;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

pub use batch::Batch;
pub use guards::{Bounds, BrakeRow, SeatsRow};
pub use keys::{Collection, Kind, TenantKey};
pub use listed::Listed;
pub use log::{Act, Operation};
pub use lookup::MatchBy;
pub use members::{Expect, MemberChange};
pub use memberships::{Note, Progress};
pub use page::{CALLS_OF_A_PAGE, MAX_PAGE_BYTES, Page, PageRoom, Portion, UNITS_OF_A_PAGE, Walk};
pub use ranges::KeyRange;
pub use refusal::{NameOwners, Outcome, OwnerState, Refusal};
pub use resources::{Names, Standing, State, Stored};
pub use roster::price_of_members;
pub use unfinished::{Cause, Unfinished};
pub use writes::{ResourceWrite, Takeover};

use item::Item;
use transaction::text;

use crate::budget::{self, OutOfBudget, QUERY_UNITS, ROW_UNITS};
use crate::sdk;

/// How many rows or resources are read at a time.
const CONCURRENCY: usize = 16;

/// The table, by the SDK's client.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: Arc<str>,
}

/// Why the store did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB is out of reach, throttles, or keeps cancelling for conflicts: the same request may
    /// succeed later. Whether a write took effect is not known.
    #[error("DynamoDB does not answer: {0}")]
    Unavailable(String),
    /// The table or a row is not as this version writes it: an operator must look.
    #[error("the table is not as expected: {0}")]
    Broken(String),
    /// The request would read more than one request may ([`budget`]).
    #[error("the request would read more than one request may")]
    Spent,
}

impl From<OutOfBudget> for StoreError {
    fn from(_: OutOfBudget) -> Self {
        Self::Spent
    }
}

impl StoreError {
    fn broken(what: impl Into<String>) -> Self {
        Self::Broken(what.into())
    }
}

/// How long a call of DynamoDB may take, with all its tries and the pauses between them.
const OPERATION: Duration = Duration::from_millis(6_000);

/// Client settings that the store relies on.
pub fn timeouts(config: Builder) -> Builder {
    config.timeout_config(sdk::timeouts(OPERATION))
}

impl Store {
    /// A store over `table`. The client should be built with [`timeouts`].
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.into() }
    }

    /// One row by its key, strongly consistent.
    async fn get(&self, p: &str, s: &str) -> Result<Option<Item>, StoreError> {
        let reserved = budget::reserve(ROW_UNITS)?;
        let answer = self
            .client
            .get_item()
            .table_name(&*self.table)
            .key("p", AttributeValue::S(p.to_owned()))
            .key("s", AttributeValue::S(s.to_owned()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        // The SDK's futures are large; boxed, they do not make every future above them large too.
        let answer = Box::pin(answer).await;
        let answer = answer.map_err(transaction::unavailable)?;
        reserved.took(answer.consumed_capacity().and_then(|used| used.capacity_units()));
        Ok(answer.item.map(Item))
    }

    /// One page of a partition's rows in key order, strongly consistent; with the sort key after
    /// which to go on.
    async fn query(&self, query: Query<'_>) -> Result<(Vec<Item>, Option<String>), StoreError> {
        let (condition, p, from, to) = match query.rows {
            Rows::Beginning(p, prefix) => ("p = :p AND begins_with(s, :s)", p, prefix, None),
            Rows::Between(p, from, to) => ("p = :p AND s BETWEEN :s AND :t", p, from, Some(to)),
        };
        let key = |s: &str| {
            [("p", p), ("s", s)].map(|(name, value)| (name.to_owned(), text(value))).into()
        };
        let sent = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression(condition)
            .expression_attribute_values(":p", text(p))
            .expression_attribute_values(":s", text(from))
            .set_exclusive_start_key(query.after.map(key))
            .set_projection_expression(query.only.map(str::to_owned))
            .consistent_read(true)
            .set_limit(query.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let sent =
            to.into_iter().fold(sent, |sent, to| sent.expression_attribute_values(":t", text(to)));
        let reserved = budget::reserve(query.most_units())?;
        let answer = Box::pin(sent.send()).await;
        let answer = answer.map_err(transaction::unavailable)?;
        reserved.took(answer.consumed_capacity().and_then(|used| used.capacity_units()));
        let last = answer
            .last_evaluated_key
            .and_then(|key| key.get("s").and_then(|s| s.as_s().ok()).cloned());
        Ok((answer.items.unwrap_or_default().into_iter().map(Item).collect(), last))
    }

    /// The first rows, at most `most`, and whether they are all.
    async fn query_some(
        &self,
        query: Query<'_>,
        most: usize,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let limit = |read: usize| (most < usize::MAX).then(|| most - read);
        let (mut items, mut last) = self.query(Query { limit: limit(0), ..query }).await?;
        while let Some(after) = last.as_deref().filter(|_| items.len() < most) {
            let query = Query { after: Some(after), limit: limit(items.len()), ..query };
            let (more, next) = self.query(query).await?;
            items.extend(more);
            last = next;
        }
        Ok((items, last.is_none()))
    }

    /// All rows of a partition that begin with a prefix.
    async fn query_all(&self, p: &str, prefix: &str) -> Result<Vec<Item>, StoreError> {
        Ok(self.query_some(Query::of(Rows::Beginning(p, prefix)), usize::MAX).await?.0)
    }
}

/// A query of one page.
#[derive(Debug, Clone, Copy)]
struct Query<'a> {
    rows: Rows<'a>,
    /// The sort key behind which it begins.
    after: Option<&'a str>,
    /// Most rows.
    limit: Option<usize>,
    /// The attributes that are returned, all unless this says: they take time to be understood. It
    /// costs the same.
    only: Option<&'a str>,
    /// The most read units that it may take, if that is known.
    units: Option<usize>,
}

impl<'a> Query<'a> {
    /// All rows from the first on.
    fn of(rows: Rows<'a>) -> Self {
        Self { rows, after: None, limit: None, only: None, units: None }
    }

    /// All rows of members or memberships, which are small, and `count` at most.
    fn small(rows: Rows<'a>, count: usize) -> Self {
        Self { units: Some(budget::units_of_small_rows(count)), ..Self::of(rows) }
    }

    /// The most read units that it may take.
    fn most_units(&self) -> u32 {
        let known = self.units.and_then(|units| u32::try_from(units).ok());
        let rows = self.limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(u32::MAX);
        rows.saturating_mul(ROW_UNITS).min(known.unwrap_or(QUERY_UNITS))
    }
}

/// Which rows of a partition a query reads: those that begin with a prefix, or those between two
/// sort keys.
#[derive(Debug, Clone, Copy)]
enum Rows<'a> {
    Beginning(&'a str, &'a str),
    Between(&'a str, &'a str, &'a str),
}

impl<'a> Rows<'a> {
    /// All rows of a partition whose sort keys are ids.
    fn ids(p: &'a str) -> Self {
        Self::Between(p, keys::FIRST, keys::LAST)
    }
}
