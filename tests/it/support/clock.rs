//! The clock that a test drives.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use scim_lambda::clock::Clock;
use time::OffsetDateTime;

/// Milliseconds since 1970, moved by hand.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000_000)))
    }

    pub fn advance(&self, seconds: i64) {
        self.advance_milliseconds(seconds * 1_000);
    }

    pub fn advance_milliseconds(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }

    pub fn milliseconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn seconds(&self) -> i64 {
        self.milliseconds() / 1_000
    }

    pub fn clock(&self) -> Clock {
        let milliseconds = self.0.clone();
        Clock::driven(move || {
            let now = i128::from(milliseconds.load(Ordering::SeqCst)) * 1_000_000;
            OffsetDateTime::from_unix_timestamp_nanos(now).unwrap()
        })
    }
}

impl dynoxide::storage_backend::Clock for TestClock {
    fn now_unix_secs(&self) -> u64 {
        self.seconds().try_into().unwrap()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.now_unix_secs() as f64
    }
}
