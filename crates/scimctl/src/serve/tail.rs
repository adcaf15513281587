//! What `scimctl events tail` asks a running server for: the events as they happen.
//!
//! Without a webhook the changes are kept only while somebody asks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use http::StatusCode;
use scim_local::changes::Position;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use super::feed::{Events, Feed, KINDS, Source};

/// The operation, at the endpoint that requires the key.
pub(crate) const TAIL_TARGET: &str = "ScimLocal.TailEvents";
/// How long an answer waits for events. Then it is empty, and the client asks again.
const WAIT: Duration = Duration::from_secs(20);
/// How long changes are kept after the last question.
const KEEP_FOR: Duration = Duration::from_secs(60);
/// How many changes are looked at for events of the past.
const PAST: u32 = 1_000;
/// How many bytes of past events an answer may hold.
const MAX_PAST_BYTES: usize = 8 * 1_024 * 1_024;

/// A question.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The place of the last answer; in the first question nothing.
    pub(crate) after: Option<String>,
    /// How many events of the past the first answer is to hold.
    #[serde(default)]
    pub(crate) last: usize,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The place to name in the next question.
    pub(crate) after: String,
    /// How many changes came too fast for this client, and are gone.
    pub(crate) missed: u64,
    /// Whether changes were not kept for a while, because nobody asked.
    #[serde(default)]
    pub(crate) has_gap: bool,
    pub(crate) events: Vec<Value>,
}

/// Answers the questions.
#[derive(Debug)]
pub(super) struct Tail {
    source: Source,
    /// Whether the changes are kept for a webhook.
    has_webhook: bool,
    /// When somebody last asked. It is held while changes are kept or forgotten.
    asked: Mutex<Option<Instant>>,
    stopped: watch::Receiver<()>,
}

impl Tail {
    /// Answers until `stopped` changes.
    pub(super) fn new(source: Source, has_webhook: bool, stopped: watch::Receiver<()>) -> Self {
        Self { source, has_webhook, asked: Mutex::default(), stopped }
    }

    /// Answers a question.
    pub(super) async fn answer(&self, body: &str) -> (StatusCode, String) {
        let Ok(question) = serde_json::from_str(body) else {
            let message = "The question cannot be read; use the scimctl of the server's version.";
            let message = json!({ "__type": "SerializationException", "message": message });
            return (StatusCode::BAD_REQUEST, message.to_string());
        };
        match self.events(question).await {
            Ok(answer) => (StatusCode::OK, json!(answer).to_string()),
            Err(error) => {
                let message =
                    json!({ "__type": "InternalServerError", "message": format!("{error:#}") });
                (StatusCode::INTERNAL_SERVER_ERROR, message.to_string())
            }
        }
    }

    async fn events(&self, question: Question) -> anyhow::Result<Answer> {
        let has_gap = self.keep().await?;
        let Some(after) = question.after else { return self.past(question.last).await };
        let after = Position::of_sequence_number(&after);
        let after = after.ok_or_else(|| anyhow::anyhow!("after is not a place"))?;
        let from = self.source.blocking(|changes| changes.oldest()).await?.max(after);
        let mut stopped = self.stopped.clone();
        let mut feed = Feed::new(self.source.clone(), from);
        let found = tokio::select! {
            found = feed.next_within(WAIT) => found,
            _ = stopped.changed() => None,
        };
        let Events { events, end } = found.unwrap_or(Events { events: Vec::new(), end: from });
        if !self.has_webhook {
            self.source.blocking(move |changes| changes.deliver(end)).await?;
        }
        Ok(Answer { after: end.sequence_number(), missed: from.since(after), has_gap, events })
    }

    /// The newest events, and where those begin that are to come.
    async fn past(&self, last: usize) -> anyhow::Result<Answer> {
        let (oldest, newest) =
            self.source.blocking(|changes| Ok((changes.oldest()?, changes.newest()?))).await?;
        let mut position = if last == 0 { newest } else { newest.back(PAST).max(oldest) };
        let mut past = Past::default();
        while position < newest {
            let Events { events, end } = self.source.after(position).await?;
            if end == position {
                break;
            }
            events.into_iter().for_each(|event| past.push(event, last));
            position = end;
        }
        let events = past.into_events();
        Ok(Answer { after: position.sequence_number(), missed: 0, has_gap: false, events })
    }

    /// Sees to it that changes are kept. Returns whether they were not kept until now.
    async fn keep(&self) -> anyhow::Result<bool> {
        if self.has_webhook {
            return Ok(false);
        }
        let mut asked = self.asked.lock().await;
        *asked = Some(Instant::now());
        self.source
            .blocking(|changes| {
                let were_kept = changes.are_kept()?;
                if !were_kept {
                    changes.keep(KINDS)?;
                }
                Ok(!were_kept)
            })
            .await
    }

    /// Keeps no more changes if no webhook needs them and nobody has asked for some time, or
    /// if this is the end.
    pub(super) async fn rest(&self, is_end: bool) {
        if self.has_webhook {
            return;
        }
        let mut asked = self.asked.lock().await;
        if !asked.is_some_and(|asked| is_end || asked.elapsed() > KEEP_FOR + WAIT) {
            return;
        }
        *asked = None;
        if let Err(error) = self.source.blocking(|changes| changes.forget()).await {
            eprintln!("scimctl: {error:#}");
        }
    }
}

/// The newest events of the past, as many as were asked for and fit into an answer.
#[derive(Default)]
struct Past {
    events: VecDeque<(usize, Value)>,
    bytes: usize,
}

impl Past {
    fn push(&mut self, event: Value, max: usize) {
        let bytes = event.to_string().len();
        self.bytes += bytes;
        self.events.push_back((bytes, event));
        while self.events.len() > max || self.bytes > MAX_PAST_BYTES {
            let Some((bytes, _)) = self.events.pop_front() else { return };
            self.bytes -= bytes;
        }
    }

    fn into_events(self) -> Vec<Value> {
        self.events.into_iter().map(|(_, event)| event).collect()
    }
}
