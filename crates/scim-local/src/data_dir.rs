//! A data directory: which process holds it, and where that process can be reached.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::private;

/// How long to wait for a process that is starting or about to finish.
const RETRY_FOR: Duration = Duration::from_secs(5);
/// The prefix of the names of files with event tokens. A tenant's code follows it.
const EVENT_TOKEN: &str = "event-token";

/// A directory that this process holds until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Whether this process created the directory.
    created: bool,
    _lock: File,
}

/// Where a running `serve` can be reached on this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Served {
    /// The SCIM base URL.
    pub base_url: String,
    /// The engine's DynamoDB endpoint.
    pub dynamodb: String,
    /// The Secrets Manager endpoint.
    pub secrets_manager: String,
    /// The access key id that both endpoints require.
    pub access_key_id: String,
}

/// An opened directory.
#[derive(Debug)]
pub enum Opened {
    /// This process holds it.
    Ours(DataDir),
    /// A running `serve` holds it.
    Served(Served),
}

impl DataDir {
    /// Opens a directory, creating it if it does not exist.
    ///
    /// # Errors
    /// If it cannot be created, or is held by a process that cannot be reached.
    pub async fn open(path: &Path) -> anyhow::Result<Opened> {
        let created = !path.exists();
        private::directory(path).with_context(|| {
            format!("the data directory {} cannot be made private", path.display())
        })?;
        let begun = tokio::time::Instant::now();
        loop {
            // Opened on each try, because the process that held it may have removed it.
            let lock = private::create(&path.join("lock"))
                .context("the data directory cannot be locked")?;
            match lock.try_lock() {
                Ok(()) => {
                    let directory = Self { path: path.to_owned(), created, _lock: lock };
                    // A process that left its announcement behind has been killed.
                    directory.withdraw();
                    return Ok(Opened::Ours(directory));
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).context("the data directory cannot be locked");
                }
                Err(TryLockError::WouldBlock) => {}
            }
            if let Ok(text) = fs::read(path.join("serve.json"))
                && let Ok(served) = serde_json::from_slice(&text)
            {
                return Ok(Opened::Served(served));
            }
            if begun.elapsed() > RETRY_FOR {
                bail!(
                    "another scimctl is using {}; try again when it has finished",
                    path.display()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Announces to other processes where this one can be reached.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn announce(&self, served: &Served) -> anyhow::Result<()> {
        let new = self.path.join("serve.json.new");
        let text = serde_json::to_vec(served)?;
        let written = private::create(&new).and_then(|mut file| file.write_all(&text));
        let written = written.and_then(|()| fs::rename(new, self.path.join("serve.json")));
        written.context("the data directory cannot be written")
    }

    /// Removes the announcement.
    pub fn withdraw(&self) {
        let _ = fs::remove_file(self.path.join("serve.json"));
    }

    /// Removes a directory that was used only for the announcement, unless it existed before.
    pub fn remove(self) {
        self.withdraw();
        if self.created {
            let tokens =
                fs::read_dir(&self.path).into_iter().flatten().flatten().map(|entry| entry.path());
            let tokens =
                tokens.filter(|path| path.file_stem().is_some_and(|stem| stem == EVENT_TOKEN));
            for file in tokens.chain([self.path.join("lock")]) {
                let _ = fs::remove_file(file);
            }
            // This removes the directory only if it is empty.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// The token that `scimctl event` keeps for a tenant's events, by the tenant's code.
pub fn event_token(directory: &Path, tenant: &str) -> Option<String> {
    fs::read_to_string(event_token_file(directory, tenant)).ok()
}

/// Keeps the token of a tenant's events, by the tenant's code.
///
/// # Errors
/// If the file cannot be written.
pub fn keep_event_token(directory: &Path, tenant: &str, token: &str) -> anyhow::Result<()> {
    let written = private::create(&event_token_file(directory, tenant))
        .and_then(|mut file| writeln!(file, "{token}"));
    written.context("the data directory cannot be written")
}

fn event_token_file(directory: &Path, tenant: &str) -> PathBuf {
    directory.join(format!("{EVENT_TOKEN}.{tenant}"))
}
