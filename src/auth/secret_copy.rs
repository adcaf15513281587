//! What one instance of the function has read from one secret. All tenants of the secret share it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::shared_records::SharedRecords;

/// The copy of a secret.
#[derive(Debug, Default)]
pub(super) struct SecretCopy {
    cached: Mutex<Cached>,
    /// Held during a lookup, so that at most one of this secret is in flight. A token that can be
    /// judged without a lookup does not wait for it.
    pub(super) lookup: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Cached {
    snapshot: Snapshot,
    /// When a token was judged by the copy last, in milliseconds since 1970.
    used: i64,
}

/// What was read last, and what went wrong since.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    /// The records, with the lookup that read them.
    pub(super) records: Option<(Lookup, Arc<SharedRecords>)>,
    /// When that lookup ended, in milliseconds since 1970.
    pub(super) ended: i64,
    /// When the last lookup failed, if it did, in milliseconds since 1970.
    pub(super) failed: Option<i64>,
}

/// A lookup that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup {
    /// A lookup that begins later has a greater number, whichever secret it reads.
    pub(super) number: u64,
    /// When it began, in milliseconds since 1970.
    pub(super) began: i64,
}

impl SecretCopy {
    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known now.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.cached().snapshot.clone()
    }

    /// Records that the copy is used.
    pub(super) fn note_use(&self, now: i64) {
        self.cached().used = now;
    }

    /// When it was used last, in milliseconds since 1970.
    pub(super) fn used(&self) -> i64 {
        self.cached().used
    }

    /// Stores the records that a lookup has read, which ends now.
    pub(super) fn take(&self, lookup: Lookup, records: SharedRecords, now: i64) {
        let records = Some((lookup, Arc::new(records)));
        self.cached().snapshot = Snapshot { records, ended: now, failed: None };
    }

    /// Records that a lookup has failed.
    pub(super) fn note_failure(&self, now: i64) {
        self.cached().snapshot.failed = Some(now);
    }
}
