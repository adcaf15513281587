//! Many rows by their keys, some in one call: a call each would take longer, and more of a
//! request's budget.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep};

use super::item::Item;
use super::transaction::{jitter, text, unavailable};
use super::{Store, StoreError};
use crate::budget::{self, ROW_UNITS};

/// Keys in one call: the rows of as many users of the largest size are about a megabyte, which is
/// understood in some hundredths of a second.
const KEYS_IN_A_CALL: usize = 16;
/// Keys in one call whose rows are small.
const SMALL_KEYS_IN_A_CALL: usize = 100;
/// Calls at a time.
const CONCURRENCY: usize = 4;
/// How long rows that DynamoDB leaves out are asked for again.
const RETRY_FOR: Duration = Duration::from_secs(4);
/// The first upper bound of a pause before they are, which doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The keys of a row.
pub(super) type Key = (String, String);

/// How large rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// Up to that of the largest resource.
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

    fn most_units(self) -> u32 {
        match self {
            Self::Any => ROW_UNITS,
            Self::Small => 1,
        }
    }
}

impl Store {
    /// The rows with these keys that are there, by their keys, strongly consistent; `only` these
    /// attributes of them, `p` and `s` among them, if it names some. One call for sixteen of any
    /// size, or for a hundred small ones.
    pub(super) async fn get_many(
        &self,
        keys: impl IntoIterator<Item = Key>,
        size: Size,
        only: Option<&str>,
    ) -> Result<BTreeMap<Key, Item>, StoreError> {
        let keys: BTreeSet<Key> = keys.into_iter().collect();
        if keys.len() == 1 {
            // What one row takes is the same, and its answer is simpler.
            let Some((p, s)) = keys.into_iter().next() else { return Ok(BTreeMap::new()) };
            let row = self.get(&p, &s).await?;
            return Ok(row.map(|row| ((p, s), row)).into_iter().collect());
        }
        let keys: Vec<Key> = keys.into_iter().collect();
        let calls: Vec<Vec<Key>> = keys.chunks(size.keys_in_a_call()).map(<[_]>::to_vec).collect();
        let calls = stream::iter(calls).map(|keys| self.get_batch(keys, size, only));
        let rows: Vec<Vec<Item>> = calls.buffer_unordered(CONCURRENCY).try_collect().await?;
        let keyed = rows
            .into_iter()
            .flatten()
            .filter_map(|row| Some(((row.text("p")?.to_owned(), row.s().to_owned()), row)));
        Ok(keyed.collect())
    }

    async fn get_batch(
        &self,
        keys: Vec<Key>,
        size: Size,
        only: Option<&str>,
    ) -> Result<Vec<Item>, StoreError> {
        let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
        let mut wanted: Vec<HashMap<String, AttributeValue>> = keys.into_iter().map(key).collect();
        let mut rows = Vec::with_capacity(wanted.len());
        loop {
            let count = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
            let reserved = budget::reserve(count.saturating_mul(size.most_units()))?;
            let asked = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true);
            let asked = asked.set_projection_expression(only.map(str::to_owned)).build();
            let asked = asked.map_err(|error| StoreError::broken(error.to_string()))?;
            let sent = self.client.batch_get_item().request_items(&*self.table, asked);
            let answer =
                Box::pin(sent.return_consumed_capacity(ReturnConsumedCapacity::Total).send()).await;
            let mut answer = answer.map_err(unavailable)?;
            reserved.took(Some(
                answer.consumed_capacity().iter().filter_map(|used| used.capacity_units()).sum(),
            ));
            let found = answer.responses.as_mut().and_then(|tables| tables.remove(&*self.table));
            rows.extend(found.unwrap_or_default().into_iter().map(Item));
            let left =
                answer.unprocessed_keys.as_mut().and_then(|tables| tables.remove(&*self.table));
            match left.map(|left| left.keys).filter(|keys| !keys.is_empty()) {
                None => return Ok(rows),
                Some(_) if begun.elapsed() > RETRY_FOR => {
                    return Err(StoreError::Unavailable(
                        "rows of a batch are left out again and again".into(),
                    ));
                }
                Some(keys) => wanted = keys,
            }
            sleep(jitter(pause)).await;
            pause *= 2;
        }
    }
}

fn key((p, s): Key) -> HashMap<String, AttributeValue> {
    HashMap::from([("p".to_owned(), text(p)), ("s".to_owned(), text(s))])
}
