//! The events of a running server, in their order, made from the changes of its table by the code
//! that makes them in AWS.

use std::sync::Arc;
use std::time::Duration;

use scim_lambda::Service;
use scim_local::changes::{Batch, Changes, Position};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::pause::Pause;

/// The kinds of rows that make events, by the letters of docs/DATA_MODEL.md. The filters of the
/// Pipe in template.yaml name them too.
pub(super) const KINDS: &str = "BGRSTUYZ";
/// How many changes are read at once.
const BATCH: u32 = 100;
/// How many changes the service makes events of at once, as many as the Pipe in template.yaml sends
/// it: the size of an answer is limited, so that of an event depends on their number.
const TOGETHER: usize = 10;

/// A reader of the events after a place.
#[derive(Debug)]
pub(super) struct Feed {
    source: Source,
    written: watch::Receiver<()>,
    position: Position,
}

/// Where events come from. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) changes: Changes,
    pub(super) service: Arc<Service>,
}

/// Some events in their order, maybe none.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) events: Vec<Value>,
    /// The place after the changes that they were made from.
    pub(super) end: Position,
}

impl Source {
    /// Works on the changes, which blocks, on a thread for that.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Changes) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let changes = self.changes.clone();
        spawn_blocking(move || work(&changes)).await?
    }

    /// The events of the next changes after a place.
    ///
    /// # Errors
    /// If the changes cannot be read, or the service cannot answer at the moment.
    pub(super) async fn after(&self, position: Position) -> anyhow::Result<Events> {
        let Batch { records: mut rest, end } =
            self.blocking(move |changes| changes.after(position, BATCH)).await?;
        let mut all = Vec::new();
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(TOGETHER));
            let events = self.service.events(rest).await;
            all.extend(events.map_err(|error| anyhow::anyhow!(error.detail))?);
            rest = later;
        }
        Ok(Events { events: all, end })
    }
}

impl Feed {
    /// A reader of the events after a place.
    pub(super) fn new(source: Source, position: Position) -> Self {
        let written = source.changes.written();
        Self { source, written, position }
    }

    /// The next events. Waits until there are changes, and tries again if they cannot be read.
    pub(super) async fn next(&mut self) -> Events {
        let (mut pause, mut has_failed) = (Pause::default(), false);
        loop {
            self.written.mark_unchanged();
            match self.source.after(self.position).await {
                Ok(events) if events.end > self.position => {
                    self.position = events.end;
                    return events;
                }
                Ok(_) => drop(self.written.changed().await),
                Err(error) => {
                    if !has_failed {
                        has_failed = true;
                        eprintln!("scimctl: events cannot be made at the moment: {error:#}");
                    }
                    sleep(pause.next()).await;
                }
            }
        }
    }

    /// Like [`Feed::next`]; `None` if nothing has happened for some time.
    pub(super) async fn next_within(&mut self, time: Duration) -> Option<Events> {
        tokio::time::timeout(time, self.next()).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_those_that_the_filters_of_the_pipe_let_through() {
        let template =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"));
        let template = template.unwrap();
        let kinds =
            template.lines().filter(|line| line.contains("- { Pattern: ")).flat_map(|line| {
                let lists = line.split(r#""k": {"S": ["#).skip(1);
                let lists = lists.filter_map(|rest| rest.split(']').next());
                lists.flat_map(str::chars).filter(char::is_ascii_uppercase).collect::<Vec<_>>()
            });
        let kinds: std::collections::BTreeSet<char> = kinds.collect();
        assert_eq!(kinds.into_iter().collect::<String>(), KINDS);
    }
}
