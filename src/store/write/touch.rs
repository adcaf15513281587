//! Touching rows for a resync: the stream then tells the product what they hold.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::Item;
use crate::store::engine::transaction::{Transaction, TransactionResult};
use crate::store::read::touchable::Touchable;
use crate::store::rows::{resource, trace};

/// How many rows one transaction touches: few, since a write of the identity provider that meets it
/// waits for it.
const ROWS: usize = 20;
/// How many transactions run in parallel.
const CONCURRENCY: usize = 4;

impl Store {
    /// Touches these rows for a resync, and returns how many of them there still were; the product
    /// hears of exactly those. A row that changed since it was read is touched as it is now. One
    /// that is gone, or has expired by `now`, stays away. Versions, times and actors stay as they
    /// are. One call for 20 rows, and one more for each row that changes meanwhile.
    pub async fn touch(
        &self,
        rows: Vec<Touchable>,
        resync: &str,
        now: i64,
    ) -> Result<u64, StoreError> {
        let mut rows = rows.into_iter().peekable();
        let mut parts = Vec::new();
        while rows.peek().is_some() {
            parts.push(rows.by_ref().take(ROWS).collect::<Vec<_>>());
        }
        let each = stream::iter(parts)
            .map(|part| async move { self.touch_together(part, resync, now).await });
        each.buffer_unordered(CONCURRENCY)
            .try_fold(0, async |touched, more| Ok(touched + more))
            .await
    }

    /// Touches the rows of one transaction.
    async fn touch_together(
        &self,
        mut rows: Vec<Touchable>,
        resync: &str,
        now: i64,
    ) -> Result<u64, StoreError> {
        while !rows.is_empty() {
            let mut transaction = Transaction::on(self);
            for (index, row) in rows.iter().enumerate() {
                trace::touch(&mut transaction, index, (&row.key, row.version), resync, now)?;
            }
            match transaction.commit(self).await? {
                TransactionResult::Committed => return Ok(rows.len() as u64),
                TransactionResult::Refused(refused) => rows = still_there(rows, &refused, now)?,
            }
        }
        Ok(0)
    }
}

/// The rows without those that are gone, and with the present versions of the others.
fn still_there(
    mut rows: Vec<Touchable>,
    refused: &[(usize, Option<Item>)],
    now: i64,
) -> Result<Vec<Touchable>, StoreError> {
    let mut gone = BTreeSet::new();
    for (index, row) in refused {
        match row.as_ref().filter(|row| !row.is_expired(now)) {
            None => {
                gone.insert(*index);
            }
            Some(row) => {
                if let Some(seen) = rows.get_mut(*index).and_then(|seen| seen.version.as_mut()) {
                    *seen = resource::version(row)?;
                }
            }
        }
    }
    let kept = rows.into_iter().enumerate().filter(|(index, _)| !gone.contains(index));
    Ok(kept.map(|(_, row)| row).collect())
}
