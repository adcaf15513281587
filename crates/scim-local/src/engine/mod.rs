//! The embedded DynamoDB engine.

mod digest;
mod operations;
mod tokens;
mod transaction;
mod turns;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use dynoxide::Database;
use dynoxide::storage_backend::Clock;
use http::StatusCode;
use serde_json::json;
use tokio::sync::watch;

use tokens::Tokens;
use turns::Turns;

const UNKNOWN_OPERATION: &str =
    r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;

/// A database that speaks DynamoDB's JSON protocol. Clones share it.
#[derive(Clone)]
pub struct Engine {
    database: Database,
    shared: Arc<Shared>,
}

/// What the clones of an engine share, in addition to its database.
struct Shared {
    /// Where SQLite finds the database, if a second connection can open it.
    path: Option<String>,
    tokens: Tokens,
    turns: Turns,
    /// The table whose rows a sweep is to mark when it removes them, for [`crate::changes`].
    marked_table: Mutex<Option<&'static str>>,
    written: watch::Sender<()>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

/// While this guard lives, the engine writes fast, and a crash may lose what it wrote.
pub struct Loading(Database);

impl Drop for Loading {
    fn drop(&mut self) {
        if let Err(error) = self.0.disable_bulk_loading() {
            eprintln!("the engine cannot return to durable writes: {error}");
        }
    }
}

impl Engine {
    fn new(database: Database, path: Option<String>) -> Self {
        let shared = Shared {
            path,
            tokens: Tokens::default(),
            turns: Turns::default(),
            marked_table: Mutex::default(),
            written: watch::Sender::new(()),
        };
        Self { database, shared: Arc::new(shared) }
    }

    /// A database in a file. The file is created if it does not exist.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a database.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let path = file.to_str().context("the data directory's path is not UTF-8")?;
        let database = Database::new(path).with_context(|| format!("{path} cannot be opened"))?;
        Ok(Self::new(database, Some(path.to_owned())))
    }

    /// A database in memory.
    ///
    /// # Errors
    /// If the engine cannot start.
    pub fn memory() -> anyhow::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // A name lets a second connection of this process reach the same memory.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = format!("file:scim-{number}?mode=memory&cache=shared");
        Ok(Self::new(Database::new(&path)?, Some(path)))
    }

    /// A database in memory whose TTL follows `clock`. [`crate::changes`] cannot read it.
    ///
    /// # Errors
    /// If the engine cannot start.
    pub fn memory_with_clock(clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Ok(Self::new(Database::memory_with_clock(clock)?, None))
    }

    /// Removes rows whose TTL has passed, as DynamoDB does within days. Returns their number.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn sweep(&self) -> anyhow::Result<usize> {
        let _sweeping = self.shared.turns.sweep();
        let marked = *self.marked_table();
        if let Some(table) = marked {
            self.switch_stream(table, true)?;
        }
        let swept = self.database.sweep_ttl();
        if let Some(table) = marked {
            self.switch_stream(table, false)?;
        }
        self.shared.written.send_replace(());
        Ok(swept?)
    }

    /// Switches the engine's own stream off, which is on only during a sweep.
    ///
    /// # Errors
    /// If the table does not exist or cannot be written.
    pub(crate) fn end_stream(&self, table: &str) -> anyhow::Result<()> {
        let _no_sweep = self.shared.turns.sweep();
        self.switch_stream(table, false)
    }

    /// Switches the engine's own stream, which knows which rows expired.
    fn switch_stream(&self, table: &str, on: bool) -> anyhow::Result<()> {
        let stream = json!({ "StreamEnabled": on, "StreamViewType": on.then_some("KEYS_ONLY") });
        let update = json!({ "TableName": table, "StreamSpecification": stream });
        match operations::call(&self.database, "UpdateTable", &update.to_string()) {
            Some(Err(error)) => {
                anyhow::bail!("the engine's stream cannot be switched: {}", error.to_json())
            }
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Writes fast until the guard is dropped: a crash may lose what was written.
    ///
    /// # Errors
    /// If the engine refuses.
    pub fn loading(&self) -> anyhow::Result<Loading> {
        self.database.enable_bulk_loading()?;
        Ok(Loading(self.database.clone()))
    }

    /// Answers one request by its operation and JSON body.
    pub fn call(&self, operation: &str, body: &str) -> (StatusCode, String) {
        let turn = self.shared.turns.call();
        let answered = match operation {
            "TransactWriteItems" => {
                Some(transaction::call(&self.database, &self.shared.tokens, body))
            }
            _ => operations::call(&self.database, operation, body),
        };
        drop(turn);
        match answered {
            None => (StatusCode::BAD_REQUEST, UNKNOWN_OPERATION.to_owned()),
            Some(Ok(json)) => {
                if !operations::only_reads(operation) {
                    self.shared.written.send_replace(());
                }
                (StatusCode::OK, json)
            }
            Some(Err(error)) => {
                let status = StatusCode::from_u16(error.status_code())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, error.to_json())
            }
        }
    }

    /// Answers one request by its `X-Amz-Target` and JSON body.
    pub fn answer(&self, target: &str, body: &str) -> (StatusCode, String) {
        self.call(operations::of_target(target).unwrap_or_default(), body)
    }

    /// Where SQLite finds the database.
    pub(crate) fn path(&self) -> Option<&str> {
        self.shared.path.as_deref()
    }

    /// The table whose rows a sweep is to mark when it removes them.
    pub(crate) fn marked_table(&self) -> MutexGuard<'_, Option<&'static str>> {
        self.shared.marked_table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does some short work while the engine does nothing.
    pub(crate) fn pause<T>(&self, work: impl FnOnce() -> T) -> T {
        let _turn = self.shared.turns.pause();
        work()
    }

    /// Changes whenever something may have been written.
    pub(crate) fn written(&self) -> watch::Receiver<()> {
        self.shared.written.subscribe()
    }
}
