//! How the operator waits.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How the operator waits; a test has nothing to wait for.
#[derive(Clone)]
pub struct Pause(Arc<dyn Fn(Duration) -> Waiting + Send + Sync>);

/// The end of a pause.
type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Pause {
    /// Waits for as long as it is told.
    pub(super) fn system() -> Self {
        Self(Arc::new(|time| Box::pin(tokio::time::sleep(time))))
    }

    /// Calls this in place of waiting.
    pub fn driven(wait: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |time| {
            wait(time);
            Box::pin(std::future::ready(()))
        }))
    }

    pub(super) async fn wait(&self, time: Duration) {
        (self.0)(time).await;
    }
}

impl fmt::Debug for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pause")
    }
}
