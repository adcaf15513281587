//! `scimctl events tail`: prints the events of a running `serve` as they happen.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use clap::Args;
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use scim_local::data_dir::{DataDir, Opened, Served};
use serde_json::{Value, json};

use super::line;
use crate::http_client::HttpClient;
use crate::output::Format;
use crate::place::Place;
use crate::serve::{Answer, Question, TAIL_TARGET};

/// Longer than the server waits for events.
const WITHIN: Duration = Duration::from_secs(40);
/// More than a hundred events of the largest size, and than the past that an answer may hold.
const MAX_ANSWER: usize = 16 * 1_024 * 1_024;

/// Print the events of a running serve as they happen
#[derive(Debug, Args)]
pub(crate) struct TailOptions {
    /// Print the newest events of the past first, as far as they are kept: all of the last
    /// thousand changes with serve --webhook, and otherwise those since the first tail
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u64).range(..=1_000))]
    last: u64,
}

pub(super) async fn run(
    place: &Place,
    options: &TailOptions,
    format: Format,
) -> anyhow::Result<()> {
    let served = served(place).await?;
    let tail = Tail::new(&served)?;
    tokio::select! {
        ended = tail.print(options.last, format) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// The server of a place.
async fn served(place: &Place) -> anyhow::Result<Served> {
    let Ok(path) = place.data() else {
        bail!(
            "events tail shows the events of scimctl serve; those of a stack are on its event bus, and a rule with a log group as its target shows them \
             (docs/INTEGRATION.md)"
        );
    };
    match DataDir::open(path).await? {
        Opened::Served(served) => Ok(served),
        Opened::Ours(directory) => {
            directory.remove();
            bail!(
                "no server runs on {data}; start one in another terminal with scimctl --data \
                 {data} serve",
                data = path.display()
            )
        }
    }
}

/// A running server that is asked for events.
struct Tail {
    client: HttpClient,
    url: Uri,
    authorization: String,
}

impl Tail {
    fn new(served: &Served) -> anyhow::Result<Self> {
        let url: Uri = served.dynamodb.parse()?;
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/20261130/local/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=0",
            served.access_key_id
        );
        Ok(Self { client: HttpClient::new(&url)?, url, authorization })
    }

    /// Prints events until nobody reads them.
    async fn print(&self, last: u64, format: Format) -> anyhow::Result<()> {
        let mut question = Question { after: None, last: usize::try_from(last)? };
        if format == Format::Text {
            eprintln!("Events are shown as they happen. Ctrl-C ends this.");
        }
        loop {
            let Answer { after, missed, has_gap, events } = self.ask(&question).await?;
            if has_gap {
                eprintln!(
                    "scimctl: nobody asked for events for over a minute; those of that time are \
                     not shown"
                );
            }
            if missed > 0 {
                eprintln!("scimctl: {missed} changes came too fast; their events are not shown");
            }
            if !print(&events, format)? {
                return Ok(());
            }
            question.after = Some(after);
        }
    }

    async fn ask(&self, question: &Question) -> anyhow::Result<Answer> {
        let request = Request::post(&self.url)
            .header("x-amz-target", TAIL_TARGET)
            .header("authorization", &self.authorization)
            .body(Full::new(Bytes::from(json!(question).to_string())))?;
        let (status, body) = self
            .client
            .send(request, MAX_ANSWER, WITHIN)
            .await
            .map_err(|why| anyhow::anyhow!("the server does not answer ({why})"))?;
        let body = body.context("the server's answer was cut off or is too long")?;
        if status != StatusCode::OK {
            bail!("the server cannot tell its events: {}", String::from_utf8_lossy(&body));
        }
        serde_json::from_slice(&body).context("the server is of another version")
    }
}

/// Prints events; `false` if nobody reads them.
fn print(events: &[Value], format: Format) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    for event in events {
        let written = match format {
            Format::Json => writeln!(out, "{event}"),
            Format::Text => writeln!(out, "{}", line::of(event)),
        };
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(false),
            written => written.context("the events cannot be written")?,
        }
    }
    Ok(true)
}
