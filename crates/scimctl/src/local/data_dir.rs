//! A data directory: who holds it, and where its holder can be reached.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// How long to wait for a holder that is starting or about to finish.
const PATIENCE: Duration = Duration::from_secs(5);

/// A directory that this process holds until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
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
        if !path.exists() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            // Only its owner may read it: there are people's data in it.
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(path).with_context(|| format!("the data directory {} cannot be made", path.display()))?;
        }
        let lock = File::create(path.join("lock")).context("the data directory cannot be locked")?;
        let begun = tokio::time::Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    let directory = Self { path: path.to_owned(), _lock: lock };
                    // Whoever announced itself and is gone was killed.
                    directory.withdraw();
                    return Ok(Opened::Ours(directory));
                }
                Err(TryLockError::Error(error)) => return Err(error).context("the data directory cannot be locked"),
                Err(TryLockError::WouldBlock) => {}
            }
            if let Ok(text) = fs::read(path.join("serve.json"))
                && let Ok(served) = serde_json::from_slice(&text)
            {
                return Ok(Opened::Served(served));
            }
            if begun.elapsed() > PATIENCE {
                bail!("another scimctl is working on {}; try again when it is done", path.display());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells other processes where this one can be reached.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn announce(&self, served: &Served) -> anyhow::Result<()> {
        let new = self.path.join("serve.json.new");
        fs::write(&new, serde_json::to_vec(served)?)?;
        fs::rename(new, self.path.join("serve.json")).context("the data directory cannot be written")
    }

    /// Takes the announcement back.
    pub fn withdraw(&self) {
        let _ = fs::remove_file(self.path.join("serve.json"));
    }
}
