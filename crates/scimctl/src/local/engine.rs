//! The embedded DynamoDB engine.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use dynoxide::storage_backend::Clock;
use dynoxide::{Database, DynoxideError, server};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;

/// A database that speaks DynamoDB's JSON protocol. Clones share it.
#[derive(Clone)]
pub struct Engine(Database);

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

/// While it lives, the engine writes fast and carelessly.
pub struct Loading(Database);

impl Drop for Loading {
    fn drop(&mut self) {
        if let Err(error) = self.0.disable_bulk_loading() {
            eprintln!("scimctl: the engine cannot go back to careful writes: {error}");
        }
    }
}

impl Engine {
    /// A database in a file, made if it is not there.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a database.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let path = file.to_str().context("the data directory's path is not UTF-8")?;
        Ok(Self(Database::new(path).with_context(|| format!("{path} cannot be opened"))?))
    }

    /// A database in memory.
    ///
    /// # Errors
    /// If the engine cannot start.
    pub fn memory() -> anyhow::Result<Self> {
        Ok(Self(Database::memory()?))
    }

    /// A database in memory whose TTL follows `clock`.
    ///
    /// # Errors
    /// If the engine cannot start.
    pub fn memory_with_clock(clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Ok(Self(Database::memory_with_clock(clock)?))
    }

    /// Removes rows whose TTL has passed, as DynamoDB does within days; returns how many.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn sweep(&self) -> anyhow::Result<usize> {
        Ok(self.0.sweep_ttl()?)
    }

    /// Writes fast and carelessly until the guard is dropped: a crash may lose what was written.
    ///
    /// # Errors
    /// If the engine refuses.
    pub fn loading(&self) -> anyhow::Result<Loading> {
        self.0.enable_bulk_loading()?;
        Ok(Loading(self.0.clone()))
    }

    /// Serves DynamoDB's endpoint until `stop` is ready.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
        if let Err(error) = server::serve_with_shutdown(listener, self.0, stop).await {
            eprintln!("scimctl: the DynamoDB endpoint stopped: {error}");
        }
    }

    /// Answers one request by its operation and JSON body: the operations that the store uses.
    pub(super) fn call(&self, operation: &str, body: &str) -> (StatusCode, String) {
        let db = &self.0;
        let answer = match operation {
            "GetItem" => answer(body, |request| db.get_item(request)),
            "BatchGetItem" => answer(body, |request| db.batch_get_item(request)),
            "Query" => answer(body, |request| db.query(request)),
            "TransactWriteItems" => answer(body, |request| db.transact_write_items(request)),
            "CreateTable" => answer(body, |request| db.create_table(request)),
            "UpdateTimeToLive" => answer(body, |request| db.update_time_to_live(request)),
            "DescribeTimeToLive" => answer(body, |request| db.describe_time_to_live(request)),
            "DescribeTable" => answer(body, |request| db.describe_table(request)),
            "PutItem" => answer(body, |request| db.put_item(request)),
            "DeleteItem" => answer(body, |request| db.delete_item(request)),
            "Scan" => answer(body, |request| db.scan(request)),
            _ => Err(DynoxideError::ValidationException(format!("{operation} is not offered in this process"))),
        };
        match answer {
            Ok(json) => (StatusCode::OK, json),
            Err(error) => {
                let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, error.to_json())
            }
        }
    }
}

fn answer<Q: DeserializeOwned, A: Serialize>(
    body: &str,
    act: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_str(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    let answer = act(request)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
