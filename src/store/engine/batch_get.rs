//! Many rows by their keys, several in one call: a call for each would take longer, and more of a
//! request's budget.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep};

use super::client::Store;
use super::error::{StoreError, unavailable};
use super::item::{Item, Key, PARTITION};
use super::pause::{RETRY_FOR, jitter};
use crate::budget::{self, ROW_UNITS};

/// Keys in one call: the rows of sixteen users of the largest size are about a megabyte, which
/// takes a few hundredths of a second to parse.
const KEYS_IN_A_CALL: usize = 16;
/// Keys in one call whose rows are small.
const SMALL_KEYS_IN_A_CALL: usize = 100;
/// Calls that run in parallel.
const CONCURRENCY: usize = 4;
/// The first upper bound of a pause before DynamoDB is asked again for rows that it left out; it
/// doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// How large rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Up to the size of the largest resource.
    Any,
    /// Below 4 KB.
    Small,
}

impl Size {
    fn keys_in_a_call(self) -> usize {
        match self {
            Self::Any => KEYS_IN_A_CALL,
            Self::Small => SMALL_KEYS_IN_A_CALL,
        }
    }

    fn max_units(self) -> u32 {
        match self {
            Self::Any => ROW_UNITS,
            Self::Small => 1,
        }
    }
}

impl Store {
    /// The rows with these keys that exist, by their keys, read with strong consistency. They have
    /// all of their attributes unless `only` names some, including those of the key, `k` and `f`.
    /// Makes one call for sixteen rows of any size, or for a hundred small ones.
    pub(in crate::store) async fn get_many(
        &self,
        keys: impl IntoIterator<Item = Key>,
        size: Size,
        only: Option<&str>,
    ) -> Result<BTreeMap<Key, Item>, StoreError> {
        let keys: BTreeSet<Key> = keys.into_iter().collect();
        if keys.len() == 1 {
            // One row costs the same, and its answer is simpler.
            let Some(key) = keys.into_iter().next() else { return Ok(BTreeMap::new()) };
            let row = self.get(key.clone()).await?;
            return Ok(row.map(|row| (key, row)).into_iter().collect());
        }
        let keys: Vec<Key> = keys.into_iter().collect();
        let calls: Vec<Vec<Key>> = keys.chunks(size.keys_in_a_call()).map(<[_]>::to_vec).collect();
        let calls = stream::iter(calls).map(|keys| self.get_batch(keys, size, only));
        let rows: Vec<Vec<Item>> = calls.buffer_unordered(CONCURRENCY).try_collect().await?;
        let keyed = rows
            .into_iter()
            .flatten()
            .filter_map(|row| Some((Key::new(row.text(PARTITION)?, row.s()), row)));
        Ok(keyed.collect())
    }

    async fn get_batch(
        &self,
        keys: Vec<Key>,
        size: Size,
        only: Option<&str>,
    ) -> Result<Vec<Item>, StoreError> {
        let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
        let mut wanted: Vec<HashMap<String, AttributeValue>> =
            keys.into_iter().map(Key::into_map).collect();
        let mut rows = Vec::with_capacity(wanted.len());
        loop {
            let (found, left_out) = self.get_some(wanted, size, only).await?;
            rows.extend(found);
            if left_out.is_empty() {
                return Ok(rows);
            }
            if begun.elapsed() > RETRY_FOR {
                let reason = "rows of a batch are repeatedly left out";
                return Err(StoreError::Throttled(reason.into()));
            }
            wanted = left_out;
            sleep(jitter(pause)).await;
            pause *= 2;
        }
    }

    /// Sends one call. Returns the rows that it found and the keys that DynamoDB left out.
    async fn get_some(
        &self,
        keys: Vec<HashMap<String, AttributeValue>>,
        size: Size,
        only: Option<&str>,
    ) -> Result<(Vec<Item>, Vec<HashMap<String, AttributeValue>>), StoreError> {
        let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let reserved = budget::reserve(count.saturating_mul(size.max_units()))?;
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
        let keys = keys.set_projection_expression(only.map(str::to_owned)).build()?;
        let call = self.client.batch_get_item().request_items(&*self.table, keys);
        let call = call.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut answer = Box::pin(call.send()).await.map_err(unavailable)?;
        let used = answer.consumed_capacity().iter().filter_map(|used| used.capacity_units());
        reserved.took(Some(used.sum()));
        let found = answer.responses.as_mut().and_then(|tables| tables.remove(&*self.table));
        let left = answer.unprocessed_keys.as_mut().and_then(|tables| tables.remove(&*self.table));
        let rows = found.unwrap_or_default().into_iter().map(Item::read);
        Ok((rows.collect::<Result<_, _>>()?, left.map(|left| left.keys).unwrap_or_default()))
    }
}
