//! Turns of those that use one database: calls of the engine, sweeps, and short work beside the
//! engine.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Calls run beside each other and beside a sweep. Other work runs beside neither.
#[derive(Debug, Default)]
pub(super) struct Turns {
    sweeping: Mutex<()>,
    calling: RwLock<()>,
}

/// The engine does nothing while this lives.
#[derive(Debug)]
pub(super) struct Pause<'t> {
    _calling: RwLockWriteGuard<'t, ()>,
    _sweeping: MutexGuard<'t, ()>,
}

impl Turns {
    /// The turn of a call.
    pub(super) fn call(&self) -> RwLockReadGuard<'_, ()> {
        self.calling.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The turn of a sweep.
    pub(super) fn sweep(&self) -> MutexGuard<'_, ()> {
        self.sweeping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a sweep first, so that calls never wait for both.
    pub(super) fn pause(&self) -> Pause<'_> {
        let sweeping = self.sweep();
        let calling = self.calling.write().unwrap_or_else(PoisonError::into_inner);
        Pause { _calling: calling, _sweeping: sweeping }
    }
}
