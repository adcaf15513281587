//! The ring of refusals: what waits in memory, and when it is written.
//!
//! A tenant's refusals are written at most once a second by an instance. The first one goes with its
//! own request; those within the next second wait for the first request of the tenant after it.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::timeout;
use uuid::{NoContext, Timestamp, Uuid};

use crate::budget::{self, Limits};
use crate::clock::Clock;
use crate::reason::Reason;
use crate::store::{MAX_ENTRIES, RefusalBatch, RefusedRequest, Store, TenantCode, TenantKey};
use crate::tenant::cache::Cache;

/// Maximum number of tenants whose refusals wait.
const MAX_TENANTS: usize = 1_000;
/// The time between two writes of a tenant, in milliseconds.
const PAUSE: i64 = 1_000;
/// An hour, in seconds.
const HOUR: i64 = 60 * 60;
/// How long after a failed try the next one replaces its row, in milliseconds.
const MAX_DELAY_OF_A_TRY: i64 = 30 * 1_000;
/// How long a write may delay an answer.
const MAX_DELAY: Duration = Duration::from_millis(300);
/// After how many writes the oldest rows are removed.
const WRITES_PER_TRIM: u64 = 50;

/// The refusals of all tenants that wait to be written.
#[derive(Debug)]
pub(super) struct Refusals {
    store: Store,
    clock: Clock,
    tenants: Mutex<Cache<TenantCode, Waiting>>,
}

/// What waits of one tenant.
#[derive(Debug)]
struct Waiting {
    tenant: TenantKey,
    entries: Vec<RefusedRequest>,
    more: u64,
    /// Attributes that were left out of messages.
    dropped: Vec<RefusedRequest>,
    /// The hour in which such attributes were last written without a refusal, in hours since 1970.
    told: Option<i64>,
    /// The key of the row that a failed try may have written, and when, in milliseconds. The next
    /// try replaces that row, unless that was long ago.
    id: Option<(String, i64)>,
    /// When the last try began, in milliseconds.
    tried: Option<i64>,
    writes: u64,
}

impl Waiting {
    /// Nothing waits yet. The instances of a tenant remove rows at different times.
    fn new(tenant: &TenantKey) -> Self {
        let [.., random] = *Uuid::now_v7().as_bytes();
        Self {
            tenant: tenant.clone(),
            entries: Vec::new(),
            more: 0,
            dropped: Vec::new(),
            told: None,
            id: None,
            tried: None,
            writes: u64::from(random) % WRITES_PER_TRIM,
        }
    }

    fn add(&mut self, entry: RefusedRequest) {
        if let Some(entry) = join(&mut self.entries, entry) {
            self.more = self.more.saturating_add(entry.count);
        }
    }

    /// Adds an attribute that was left out of a message. Beyond a number of them the others are
    /// forgotten.
    fn drop_attribute(&mut self, entry: RefusedRequest) {
        join(&mut self.dropped, entry);
    }

    /// Takes what waits, if it may be written now. What was only dropped waits for a refusal or for
    /// the first request of the next hour.
    fn take(&mut self, now: OffsetDateTime) -> Option<RefusalBatch> {
        let milliseconds = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).ok()?;
        let hour = now.unix_timestamp().div_euclid(HOUR);
        // A clock that ran back does not stop the writes.
        let is_early = self.tried.is_some_and(|tried| (milliseconds - tried).abs() < PAUSE);
        let is_told = self.entries.is_empty() && self.told == Some(hour);
        let waiting = self.entries.iter().chain(&self.dropped);
        let first = waiting.map(|entry| entry.first).min()?;
        if is_early || is_told {
            return None;
        }
        self.tried = Some(milliseconds);
        self.told = Some(hour);
        let failed = self.id.take();
        let failed = failed.filter(|(_, tried)| milliseconds - tried < MAX_DELAY_OF_A_TRY);
        let id = match failed {
            Some((id, _)) => id,
            // Instances that have only left attributes out share one row an hour.
            None if self.entries.is_empty() => id_of_hour(hour),
            None => new_id(now),
        };
        let (mut entries, more) = (mem::take(&mut self.entries), mem::take(&mut self.more));
        let room = MAX_ENTRIES.saturating_sub(entries.len()).min(self.dropped.len());
        entries.extend(self.dropped.drain(..room));
        Some(RefusalBatch { id, at: first, entries, more })
    }

    /// Puts back what could not be written.
    fn put_back(&mut self, batch: RefusalBatch) {
        let is_dropped = |entry: &RefusedRequest| entry.code == Reason::AttributeDropped.code();
        let (dropped, entries) = batch.entries.into_iter().partition(is_dropped);
        let later: Vec<_> = mem::replace(&mut self.entries, entries);
        let later_dropped: Vec<_> = mem::replace(&mut self.dropped, dropped);
        self.more = self.more.saturating_add(batch.more);
        self.id = self.tried.map(|tried| (batch.id, tried));
        later.into_iter().for_each(|entry| self.add(entry));
        later_dropped.into_iter().for_each(|entry| self.drop_attribute(entry));
    }
}

/// Adds an entry to those of a row, or to the one that it is like. Returns it if the row is full.
fn join(entries: &mut Vec<RefusedRequest>, entry: RefusedRequest) -> Option<RefusedRequest> {
    if let Some(known) = entries.iter_mut().find(|known| known.is_like(&entry)) {
        known.absorb(entry);
    } else if entries.len() < MAX_ENTRIES {
        entries.push(entry);
    } else {
        return Some(entry);
    }
    None
}

/// The key of the row of attributes that were left out in an hour, in hours since 1970.
fn id_of_hour(hour: i64) -> String {
    let seconds = u64::try_from(hour.saturating_mul(HOUR)).unwrap_or_default();
    let id = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0)).to_string();
    // The time is in the first 48 bits; the others would differ between instances.
    format!("{}-7000-8000-000000000000", id.get(..13).unwrap_or_default())
}

/// A UUID of version 7 of the service's time, so that rows sort by it.
fn new_id(now: OffsetDateTime) -> String {
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.nanosecond())).to_string()
}

/// Refusals that are being written. If that is given up, they wait again.
struct Attempt<'r> {
    refusals: &'r Refusals,
    tenant: &'r TenantKey,
    batch: Option<RefusalBatch>,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(batch) = self.batch.take() {
            self.refusals.change(self.tenant, |waiting| waiting.put_back(batch));
        }
    }
}

impl Refusals {
    pub(super) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, tenants: Mutex::new(Cache::with_capacity(MAX_TENANTS)) }
    }

    /// Notes what was refused and which attributes were left out, and writes what waits if that may
    /// be done now. A failure is a warning in the log; the refusals then wait for a later request.
    pub(super) async fn note(
        &self,
        tenant: &TenantKey,
        entries: Vec<RefusedRequest>,
        dropped: Vec<RefusedRequest>,
    ) {
        let code = tenant.code();
        if !(entries.is_empty() && dropped.is_empty()) {
            self.change(tenant, |waiting| {
                entries.into_iter().for_each(|entry| waiting.add(entry));
                dropped.into_iter().for_each(|entry| waiting.drop_attribute(entry));
            });
        }
        let now = self.clock.now();
        let Some((batch, writes)) = self.take(code, now) else { return };
        let mut attempt = Attempt { refusals: self, tenant, batch: Some(batch) };
        let write = Box::pin(self.write(tenant, &mut attempt, writes));
        // What it takes is not the request's own work.
        let written = timeout(MAX_DELAY, budget::counted(Limits::REQUEST, write)).await;
        if written.is_err() {
            tracing::warn!(tenant = %code, "refusals could not be kept in time");
        }
    }

    /// Writes what waits of all tenants, as far as it may be written now.
    pub(super) async fn flush(&self) {
        let keys: Vec<TenantKey> =
            self.locked().values().map(|waiting| waiting.tenant.clone()).collect();
        for key in keys {
            self.note(&key, Vec::new(), Vec::new()).await;
        }
    }

    async fn write(&self, tenant: &TenantKey, attempt: &mut Attempt<'_>, writes: u64) {
        let Some(batch) = &attempt.batch else { return };
        let written = self.store.add_refusals(tenant, batch).await;
        if written.is_ok() {
            attempt.batch = None;
            self.change(tenant, |waiting| waiting.writes += 1);
        }
        let trimmed = match written {
            Ok(()) if writes.is_multiple_of(WRITES_PER_TRIM) => {
                self.store.trim_refusals(tenant).await
            }
            written => written,
        };
        if let Err(error) = trimmed {
            tracing::warn!(tenant = %tenant.code(), %error, "refusals could not be kept");
        }
    }

    /// What waits of a tenant, if it may be written now, and how often its refusals were written.
    fn take(&self, tenant: &TenantCode, now: OffsetDateTime) -> Option<(RefusalBatch, u64)> {
        let mut tenants = self.locked();
        let waiting = tenants.get_mut(tenant)?;
        waiting.take(now).map(|batch| (batch, waiting.writes))
    }

    fn change(&self, tenant: &TenantKey, change: impl FnOnce(&mut Waiting)) {
        let (mut tenants, code) = (self.locked(), tenant.code());
        if tenants.get(code).is_none() {
            tenants.insert(code.clone(), Waiting::new(tenant));
        }
        tenants.get_mut(code).map(change);
    }

    fn locked(&self) -> MutexGuard<'_, Cache<TenantCode, Waiting>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
