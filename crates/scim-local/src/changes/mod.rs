//! The changes of the table's rows, in the form of DynamoDB's stream.
//!
//! The engine can keep a stream itself, but looks at all of its records at each write, never
//! removes one, and keeps all kinds of rows. So triggers in its database keep the changes, and only
//! those of the kinds that somebody reads, in the transactions that make them. A change costs the
//! same however many are kept (decision 7). A second connection reads and removes them, while the
//! engine does nothing.

mod record;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;
use tokio::sync::watch;

use crate::TABLE;
use crate::engine::Engine;
use record::Row;

/// How long a statement waits for another process that has the file open.
const BUSY: Duration = Duration::from_secs(5);

/// How many of the newest changes are kept although they were delivered, for a late reader.
const KEPT: i64 = 1_000;

/// A place among the changes: all up to and including one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(i64);

/// Some changes in their order.
#[derive(Debug)]
pub struct Batch {
    /// Records in the form in which Lambda gets them from a stream.
    pub records: Vec<Value>,
    /// The place of the last change that was read. A change that left its row as it was has no
    /// record, as in DynamoDB, so this may be further than the last record.
    pub end: Position,
}

/// The changes of an engine's table. Clones share them.
#[derive(Debug, Clone)]
pub struct Changes {
    engine: Engine,
    connection: Arc<Mutex<Connection>>,
}

impl Changes {
    /// The changes of the table of an engine. They are kept once [`Changes::keep`] was called, now
    /// or by an earlier process.
    ///
    /// # Errors
    /// If the engine's clock is driven, since no one else reaches its memory, or the file cannot be
    /// opened.
    pub fn of(engine: &Engine) -> anyhow::Result<Self> {
        let path = engine.path().context("this engine cannot be read by others")?;
        let connection = Connection::open(path).context("the changes cannot be read")?;
        connection.busy_timeout(BUSY)?;
        // A crash may bring changes back that were removed. They are then delivered twice.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let changes = Self { engine: engine.clone(), connection: Arc::new(Mutex::new(connection)) };
        *changes.engine.marked_table() = changes.are_kept()?.then_some(TABLE);
        Ok(changes)
    }

    /// Keeps all changes of rows from now on whose `k` is one of these letters, until
    /// [`Changes::forget`] is called.
    ///
    /// # Errors
    /// If the table does not exist or cannot be written.
    pub fn keep(&self, kinds: &str) -> anyhow::Result<()> {
        anyhow::ensure!(kinds.bytes().all(|kind| kind.is_ascii_uppercase()), "{kinds}");
        let sql = include_str!("keep.sql").replace("TABLE\"", &format!("{TABLE}\""));
        let sql = sql.replace("'TABLE'", &format!("'{TABLE}'")).replace("KINDS", kinds);
        let kept = self.alone(|connection| {
            let transaction = connection.transaction()?;
            transaction.execute_batch(&sql)?;
            transaction.commit()?;
            *self.engine.marked_table() = Some(TABLE);
            Ok(())
        });
        kept.context("the table's changes cannot be kept")
    }

    /// Keeps no more changes, and forgets those that were not delivered. Returns their number.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub fn forget(&self) -> anyhow::Result<u64> {
        let forgotten = self.alone(|connection| {
            let transaction = connection.transaction()?;
            let waiting = if is_kept(&transaction)? { forget(&transaction)? } else { 0 };
            transaction.commit()?;
            *self.engine.marked_table() = None;
            Ok(waiting)
        });
        let forgotten = forgotten.context("the table's changes are still kept")?;
        // A process that ended during a sweep has left the stream on.
        self.engine.end_stream(TABLE)?;
        Ok(forgotten)
    }

    /// Whether changes are kept.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn are_kept(&self) -> anyhow::Result<bool> {
        Ok(self.alone(|connection| is_kept(connection))?)
    }

    /// Up to `limit` changes after a place. Of those that were delivered, only the newest thousand
    /// are still there.
    ///
    /// # Errors
    /// If the changes are not kept or cannot be read.
    pub fn after(&self, position: Position, limit: u32) -> anyhow::Result<Batch> {
        let rows = self.alone(|connection| Row::read(connection, position.0, limit))?;
        let end = rows.last().map_or(position, |row| Position(row.id));
        let records = rows.into_iter().filter_map(Row::into_record).collect();
        Ok(Batch { records, end })
    }

    /// The place up to which changes were delivered.
    ///
    /// # Errors
    /// If changes were never kept.
    pub fn delivered(&self) -> anyhow::Result<Position> {
        self.place("SELECT id FROM _scim_delivered")
    }

    /// The place before the oldest change that is still there.
    ///
    /// # Errors
    /// If changes were never kept.
    pub fn oldest(&self) -> anyhow::Result<Position> {
        self.place("SELECT min(id) - 1 FROM _scim_changes")
    }

    /// The place of the newest change.
    ///
    /// # Errors
    /// If changes were never kept.
    pub fn newest(&self) -> anyhow::Result<Position> {
        self.place("SELECT max(id) FROM _scim_changes")
    }

    /// How many changes are kept and not delivered.
    ///
    /// # Errors
    /// If changes were never kept.
    pub fn waiting(&self) -> anyhow::Result<u64> {
        Ok(self.alone(|connection| waiting(connection))?)
    }

    /// Remembers that the changes up to a place were delivered, and removes all of them but the
    /// newest thousand.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn deliver(&self, position: Position) -> anyhow::Result<()> {
        self.alone(|connection| {
            let transaction = connection.transaction()?;
            deliver(&transaction, position.0, KEPT)?;
            transaction.commit()
        })?;
        Ok(())
    }

    /// Changes whenever something may have been written.
    pub fn written(&self) -> watch::Receiver<()> {
        self.engine.written()
    }

    fn place(&self, sql: &str) -> anyhow::Result<Position> {
        let number = |connection: &mut Connection| {
            connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
        };
        Ok(Position(self.alone(number)?))
    }

    /// Works while the engine does nothing: a database in memory that two connections use at once
    /// refuses one of them, and one in a file makes it wait.
    fn alone<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut connection: MutexGuard<'_, _> =
            self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        self.engine.pause(|| work(&mut connection))
    }
}

fn is_kept(connection: &Connection) -> rusqlite::Result<bool> {
    let found = "SELECT 1 FROM sqlite_schema WHERE name = '_scim_written'";
    Ok(connection.query_row(found, [], |_| Ok(())).optional()?.is_some())
}

fn waiting(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM _scim_changes WHERE id > (SELECT id FROM _scim_delivered)";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Removes the changes up to one, except for the newest ones. `kept` is at least one, because the
/// next change is numbered after the newest.
fn deliver(connection: &Connection, id: i64, kept: i64) -> rusqlite::Result<()> {
    let moved = "UPDATE _scim_delivered SET id = ?1 WHERE id < ?1";
    connection.prepare_cached(moved)?.execute(params![id])?;
    let removed = "DELETE FROM _scim_changes WHERE id <= ?1 \
        AND id <= (SELECT max(id) FROM _scim_changes) - ?2";
    connection.prepare_cached(removed)?.execute(params![id, kept])?;
    Ok(())
}

/// Removes the triggers and all changes but the newest. Returns how many were not delivered.
fn forget(connection: &Connection) -> rusqlite::Result<u64> {
    let waiting = waiting(connection)?;
    let newest = "SELECT max(id) FROM _scim_changes";
    deliver(connection, connection.query_row(newest, [], |row| row.get(0))?, 1)?;
    connection.execute_batch(
        "DROP TRIGGER IF EXISTS _scim_written; DROP TRIGGER IF EXISTS _scim_removed; \
         DROP TRIGGER IF EXISTS _scim_expired;",
    )?;
    Ok(waiting)
}

impl Position {
    /// The place a number of changes earlier.
    #[must_use]
    pub fn back(self, changes: u32) -> Self {
        Self(self.0.saturating_sub(changes.into()))
    }

    /// How many changes are between an earlier place and this one.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default()
    }

    /// The sequence number of the last change.
    pub fn sequence_number(self) -> String {
        record::sequence_number(self.0)
    }

    /// The place of a record of this sequence number, which may have leading zeros.
    pub fn of_sequence_number(number: &str) -> Option<Self> {
        record::id_of(number).map(Self)
    }
}

#[cfg(test)]
mod tests;
