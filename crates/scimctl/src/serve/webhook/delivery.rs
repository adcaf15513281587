//! Delivers events to a webhook in their order. Each is sent again until it is taken.

use scim_local::changes::Position;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

use super::target::Target;
use crate::output::counted;
use crate::serve::feed::{Events, Feed, Source};
use crate::serve::pause::Pause;

/// Delivers the events that were not delivered yet, until `stopped` changes.
pub(crate) async fn deliver(target: Target, source: Source, mut stopped: watch::Receiver<()>) {
    let begun = source.blocking(|changes| changes.delivered()).await;
    let position = match begun {
        Ok(position) => position,
        Err(error) => return eprintln!("scimctl: no events can be delivered: {error:#}"),
    };
    let mut delivery = Delivery { target, source: source.clone(), delivered: position };
    tokio::select! {
        () = delivery.run(Feed::new(source, position)) => {}
        _ = stopped.changed() => {}
    }
    // What was taken since the last batch ended is not sent again after a restart.
    delivery.remember().await;
}

struct Delivery {
    target: Target,
    source: Source,
    /// The place up to which the endpoint has taken everything.
    delivered: Position,
}

impl Delivery {
    async fn run(&mut self, mut feed: Feed) {
        loop {
            let Events { events, end } = feed.next().await;
            for event in events {
                self.post(&event).await;
            }
            self.delivered = end;
            self.remember().await;
        }
    }

    /// Posts an event until it is taken.
    async fn post(&mut self, event: &Value) {
        let mut pause = Pause::default();
        let mut reason: Option<String> = None;
        while let Err(why) = self.target.post(event).await {
            if reason.is_none() {
                self.remember().await;
            }
            if reason.as_ref() != Some(&why) {
                let url = self.target.url();
                eprintln!(
                    "scimctl: the webhook {url} does not take events: {why}. They wait, and are \
                     sent again until it does"
                );
                reason = Some(why);
            }
            sleep(pause.next()).await;
        }
        if reason.is_some() {
            let waiting = self.source.blocking(|changes| changes.waiting()).await;
            let waiting = waiting.unwrap_or_default();
            eprintln!(
                "scimctl: the webhook {} takes events again; {} waited",
                self.target.url(),
                counted(waiting, "change")
            );
        }
        self.delivered = place(event).unwrap_or(self.delivered);
    }

    /// Remembers in the data directory what was delivered.
    async fn remember(&self) {
        let delivered = self.delivered;
        let remembered = self.source.blocking(move |changes| changes.deliver(delivered)).await;
        if let Err(error) = remembered {
            eprintln!("scimctl: it cannot be remembered which events were delivered: {error:#}");
        }
    }
}

/// The place of the change that an event was made from.
fn place(event: &Value) -> Option<Position> {
    Position::of_sequence_number(event.get("seq")?.as_str()?)
}
