//! What a server does beside answering requests.

use std::sync::Arc;
use std::time::Duration;

use scim_lambda::Service;
use scim_local::changes::Changes;
use scim_local::engine::Engine;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::feed::{KINDS, Source};
use super::tail::Tail;
use super::webhook::{self, Target};
use crate::output::counted;

/// How often expired rows are removed. DynamoDB takes days.
const SWEEP: Duration = Duration::from_secs(60);
/// How often it is asked whether anybody still wants the changes.
const REST: Duration = Duration::from_secs(30);
/// How often refusals are written that wait for the next request of their tenants.
const FLUSH: Duration = Duration::from_secs(1);

/// The tasks.
pub(super) struct Background {
    sweeper: JoinHandle<()>,
    delivery: Option<JoinHandle<()>>,
    tail: Arc<Tail>,
    rest: JoinHandle<()>,
    service: Arc<Service>,
    flusher: JoinHandle<()>,
}

/// The changes of an engine's table. They are kept for a webhook, and for nobody without one.
///
/// # Errors
/// If the table cannot be read or written.
pub(super) fn changes(engine: &Engine, has_webhook: bool) -> anyhow::Result<Changes> {
    let changes = Changes::of(engine)?;
    if has_webhook {
        changes.keep(KINDS)?;
        return Ok(changes);
    }
    match changes.forget()? {
        0 => {}
        waiting => eprintln!(
            "scimctl: {} that were kept for a webhook or events tail are forgotten, because this \
             server runs without --webhook; once it runs with it, events resync shows the product \
             what they led to",
            counted(waiting, "change")
        ),
    }
    Ok(changes)
}

impl Background {
    /// Begins all work. The delivery ends when `stopped` changes.
    pub(super) fn start(
        source: Source,
        engine: Engine,
        target: Option<Target>,
        stopped: watch::Receiver<()>,
    ) -> Self {
        let tail = Arc::new(Tail::new(source.clone(), target.is_some(), stopped.clone()));
        let (resting, service) = (tail.clone(), source.service.clone());
        let flushed = service.clone();
        Self {
            sweeper: tokio::spawn(sweep(engine)),
            delivery: target.map(|target| tokio::spawn(webhook::deliver(target, source, stopped))),
            tail,
            rest: tokio::spawn(async move {
                let mut every = tokio::time::interval(REST);
                loop {
                    every.tick().await;
                    resting.rest(false).await;
                }
            }),
            service,
            flusher: tokio::spawn(async move {
                let mut every = tokio::time::interval(FLUSH);
                loop {
                    every.tick().await;
                    flushed.flush_refusals().await;
                }
            }),
        }
    }

    /// What answers `scimctl events tail`.
    pub(super) fn tail(&self) -> Arc<Tail> {
        self.tail.clone()
    }

    /// Ends all work, after `stopped` has changed.
    pub(super) async fn end(self, within: Duration) {
        self.sweeper.abort();
        self.rest.abort();
        self.flusher.abort();
        if let Some(delivery) = self.delivery {
            let _ = tokio::time::timeout(within, delivery).await;
        }
        self.service.flush_refusals().await;
        self.tail.rest(true).await;
    }
}

/// Removes expired rows at regular intervals.
async fn sweep(engine: Engine) {
    let mut every = tokio::time::interval(SWEEP);
    loop {
        every.tick().await;
        let engine = engine.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || engine.sweep()).await {
            eprintln!("scimctl: expired rows could not be removed: {error:#}");
        }
    }
}
