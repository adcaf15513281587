//! The part of AWS Secrets Manager that the service and its tool use, in the SDK's own wire format:
//! secrets with versions and their stages, the quota of versions, deletion and restoration. The
//! contract tests run the same calls against an independent emulator.

mod operations;
mod secret;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use http::StatusCode;
use serde_json::{Value, json};

use crate::private;
use secret::{Refusal, Secrets};

/// Secrets in a file that only its owner can read, or in memory. Clones share them.
#[derive(Clone)]
pub struct Vault {
    file: Option<PathBuf>,
    secrets: Arc<Mutex<Secrets>>,
    /// Seconds since 1970.
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vault").field(&self.file).finish()
    }
}

impl Vault {
    /// Opens the secrets in a file, which need not exist yet.
    ///
    /// # Errors
    /// If the file cannot be read or does not hold secrets.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let secrets = match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{} is not a secrets file", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", file.display()));
            }
        };
        let secrets = Arc::new(Mutex::new(secrets));
        Ok(Self { file: Some(file.to_owned()), secrets, ..Self::memory() })
    }

    /// Secrets in memory, lost when the process ends.
    pub fn memory() -> Self {
        Self::memory_with_clock(seconds)
    }

    /// Secrets in memory whose dates follow a clock, in seconds since 1970.
    pub fn memory_with_clock(clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self { file: None, secrets: Arc::default(), clock: Arc::new(clock) }
    }

    /// Answers one request by its operation and JSON body.
    pub fn call(&self, operation: &str, body: &str) -> (StatusCode, String) {
        let request: Value = serde_json::from_str(body).unwrap_or_default();
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock)();
        let answer = match operations::read(&secrets, operation, &request, now) {
            Some(answer) => answer,
            None => {
                let mut changed = secrets.clone();
                operations::write(&mut changed, operation, &request, now).and_then(|answer| {
                    self.save(&changed)?;
                    *secrets = changed;
                    Ok(answer)
                })
            }
        };
        let refused = |kind, message| json!({ "__type": kind, "Message": message }).to_string();
        match answer {
            Ok(answer) => (StatusCode::OK, answer.to_string()),
            Err((kind @ "InternalServiceError", message)) => {
                (StatusCode::INTERNAL_SERVER_ERROR, refused(kind, message))
            }
            Err((kind, message)) => (StatusCode::BAD_REQUEST, refused(kind, message)),
        }
    }

    /// Writes a new file and moves it into place, so that a crash loses nothing.
    fn save(&self, secrets: &Secrets) -> Result<(), Refusal> {
        let Some(file) = &self.file else { return Ok(()) };
        let write = || -> std::io::Result<()> {
            let temporary = file.with_extension("new");
            let mut new = private::create(&temporary)?;
            new.write_all(&serde_json::to_vec_pretty(secrets)?)?;
            new.sync_all()?;
            fs::rename(temporary, file)
        };
        write().map_err(|_| ("InternalServiceError", "The secrets file cannot be written."))
    }
}

/// Seconds since 1970, by the system's clock.
fn seconds() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs().try_into().unwrap_or(i64::MAX)
}
