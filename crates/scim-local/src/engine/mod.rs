//! The embedded DynamoDB engine.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use dynoxide::Database;
use dynoxide::storage_backend::Clock;
use http::StatusCode;

mod digest;
mod operations;
mod tokens;
mod transaction;

use tokens::Tokens;

const UNKNOWN_OPERATION: &str =
    r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;

/// A database that speaks DynamoDB's JSON protocol. Clones share it.
#[derive(Clone)]
pub struct Engine {
    database: Database,
    tokens: Arc<Tokens>,
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
    fn new(database: Database) -> Self {
        Self { database, tokens: Arc::default() }
    }

    /// A database in a file. The file is created if it does not exist.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a database.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let path = file.to_str().context("the data directory's path is not UTF-8")?;
        Ok(Self::new(Database::new(path).with_context(|| format!("{path} cannot be opened"))?))
    }

    /// A database in memory.
    ///
    /// # Errors
    /// If the engine cannot start.
    pub fn memory() -> anyhow::Result<Self> {
        Ok(Self::new(Database::memory()?))
    }

    /// A database in memory whose TTL follows `clock`.
    ///
    /// # Errors
    /// If the engine cannot start.
    pub fn memory_with_clock(clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Ok(Self::new(Database::memory_with_clock(clock)?))
    }

    /// Removes rows whose TTL has passed, as DynamoDB does within days. Returns their number.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn sweep(&self) -> anyhow::Result<usize> {
        Ok(self.database.sweep_ttl()?)
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
        let answered = match operation {
            "TransactWriteItems" => Some(transaction::call(&self.database, &self.tokens, body)),
            _ => operations::call(&self.database, operation, body),
        };
        match answered {
            None => (StatusCode::BAD_REQUEST, UNKNOWN_OPERATION.to_owned()),
            Some(Ok(json)) => (StatusCode::OK, json),
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
}
