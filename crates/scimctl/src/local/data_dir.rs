//! A data directory: who holds it, and where its holder can be reached.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use scim_lambda::store::TenantCode;
use serde::{Deserialize, Serialize};

use super::access_key::AccessKey;
use super::private;

/// How long to wait for a holder that is starting or about to finish.
const RETRY_FOR: Duration = Duration::from_secs(5);
/// What the files with tokens of events are called, before a tenant's code.
const EVENT_TOKEN: &str = "event-token";

/// A directory that this process holds until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Whether there was no such directory before.
    made: bool,
    _lock: File,
}

/// Where a running `serve` can be reached, on loopback.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Served {
    /// The SCIM base URL.
    pub base_url: String,
    /// The engine's DynamoDB endpoint.
    pub dynamodb: String,
    /// The Secrets Manager endpoint.
    pub secrets_manager: String,
    /// The access key id that both endpoints want to see.
    pub access_key_id: String,
}

/// An opened directory.
#[derive(Debug)]
pub enum Opened {
    /// Nobody else holds it.
    Ours(DataDir),
    /// `serve` holds it.
    Served(Served),
}

impl DataDir {
    /// Opens a directory, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made, or is held by a process that cannot be reached.
    pub async fn open(path: &Path) -> anyhow::Result<Opened> {
        let made = !path.exists();
        private::directory(path).with_context(|| {
            format!("the data directory {} cannot be made your own", path.display())
        })?;
        let begun = tokio::time::Instant::now();
        loop {
            // Opened each time: whoever held it may have removed it.
            let lock = private::create(&path.join("lock"))
                .context("the data directory cannot be locked")?;
            match lock.try_lock() {
                Ok(()) => {
                    let directory = Self { path: path.to_owned(), made, _lock: lock };
                    // Whoever announced itself and is gone was killed.
                    directory.undo_create();
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
                    "another scimctl is working on {}; try again when it is done",
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

    /// The access key id of the directory, which its endpoints want to see; it stays the same.
    ///
    /// # Errors
    /// If its file cannot be read or written.
    pub fn access_key(&self) -> anyhow::Result<AccessKey> {
        AccessKey::open(&self.path.join("access-key"))
    }

    /// Tells other processes where this one can be reached.
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

    /// Takes the announcement back.
    pub fn undo_create(&self) {
        let _ = fs::remove_file(self.path.join("serve.json"));
    }

    /// Removes a directory that nothing was to be kept in, if it was not there before.
    pub fn remove(self) {
        self.undo_create();
        if self.made {
            let tokens =
                fs::read_dir(&self.path).into_iter().flatten().flatten().map(|entry| entry.path());
            let tokens =
                tokens.filter(|path| path.file_stem().is_some_and(|stem| stem == EVENT_TOKEN));
            for file in tokens.chain([self.path.join("lock")]) {
                let _ = fs::remove_file(file);
            }
            // Only an empty one goes.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// The token that `scimctl event` puts into a tenant's events, if there is one.
pub(crate) fn event_token(directory: &Path, tenant: &TenantCode) -> Option<String> {
    fs::read_to_string(event_token_file(directory, tenant)).ok()
}

/// Keeps that token.
pub(crate) fn keep_event_token(
    directory: &Path,
    tenant: &TenantCode,
    token: &str,
) -> anyhow::Result<()> {
    let written = private::create(&event_token_file(directory, tenant))
        .and_then(|mut file| writeln!(file, "{token}"));
    written.context("the data directory cannot be written")
}

fn event_token_file(directory: &Path, tenant: &TenantCode) -> PathBuf {
    directory.join(format!("{EVENT_TOKEN}.{tenant}"))
}
