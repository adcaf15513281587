//! What a service logs, as a test reads it.

use std::io;
use std::sync::{Arc, Mutex};

use scim_lambda::telemetry::{JsonLines, Metrics};
use serde_json::Value;
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::fmt::MakeWriter;

/// The bytes that were logged.
#[derive(Debug, Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

/// The lines that this thread logs while it lives, as JSON.
pub struct Log {
    buffer: Buffer,
    _guard: tracing::dispatcher::DefaultGuard,
    /// While there is only one subscriber, `tracing` asks the one of the thread that comes by first
    /// whether it listens, and remembers the answer for all threads.
    _second: Dispatch,
}

impl Log {
    pub fn begin() -> Self {
        Self::with(Metrics::default())
    }

    /// The lines with metrics.
    pub fn with(metrics: Metrics) -> Self {
        let second = Dispatch::new(NoSubscriber::new());
        let buffer = Buffer::default();
        let subscriber = tracing_subscriber::fmt()
            .event_format(JsonLines::new(metrics))
            .with_writer(buffer.clone())
            .finish();
        Self { buffer, _guard: tracing::subscriber::set_default(subscriber), _second: second }
    }

    /// The lines of requests since the last call.
    pub fn requests(&self) -> Vec<Value> {
        self.lines("request")
    }

    /// The lines with a message since the last call. The others are forgotten.
    pub fn lines(&self, message: &str) -> Vec<Value> {
        let mut lines = self.all();
        lines.retain(|line| line["message"] == message);
        lines
    }

    /// The lines of errors since the last call. The others are forgotten.
    pub fn errors(&self) -> Vec<Value> {
        let mut lines = self.all();
        lines.retain(|line| line["level"] == "ERROR");
        lines
    }

    fn all(&self) -> Vec<Value> {
        let text = String::from_utf8(std::mem::take(&mut *self.buffer.0.lock().unwrap())).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Buffer {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
