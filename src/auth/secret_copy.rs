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
    /// How many lookups have begun.
    lookups: u64,
    snapshot: Snapshot,
}

/// What was read last, and what went wrong since.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    /// The records, with the lookup that read them.
    pub(super) records: Option<(Lookup, Arc<SharedRecords>)>,
    /// When the last lookup failed, if it did, in milliseconds since 1970.
    pub(super) failed: Option<i64>,
}

/// A lookup that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup {
    /// The first lookup of a secret has number 1.
    pub(super) number: u64,
    /// When it began, in milliseconds since 1970.
    pub(super) began: i64,
}

impl SecretCopy {
    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many lookups have begun. A lookup that begins later finds a token that arrives now.
    pub(super) fn lookups(&self) -> u64 {
        self.cached().lookups
    }

    /// What is known now.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.cached().snapshot.clone()
    }

    /// Begins a lookup.
    pub(super) fn begin_lookup(&self, now: i64) -> Lookup {
        let mut cached = self.cached();
        cached.lookups += 1;
        Lookup { number: cached.lookups, began: now }
    }

    /// Stores the records that a lookup has read.
    pub(super) fn take(&self, lookup: Lookup, records: SharedRecords) {
        let records = Some((lookup, Arc::new(records)));
        self.cached().snapshot = Snapshot { records, failed: None };
    }

    /// Records that a lookup has failed.
    pub(super) fn note_failure(&self, now: i64) {
        self.cached().snapshot.failed = Some(now);
    }
}
