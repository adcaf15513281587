//! Bodies of requests, read with a bound on their bytes and on their time: a client that sends
//! without end, or stops in the middle, must not hold its connection forever.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

/// How long a whole body may take, from the moment that somebody wants it.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// How long one is waited for that nobody wants, and how many bytes of it are thrown away, so that
/// a client that is still sending gets to read why.
const UNWANTED: Duration = Duration::from_secs(1);
const UNWANTED_BYTES: usize = 64 * 1_024;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    Broken,
}

impl Unread {
    /// The status of an answer that says so.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(body: &mut Incoming, limit: usize) -> Result<Bytes, Unread> {
    match timeout(TIMEOUT, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Ok(Err(_)) => Err(Unread::Broken),
        Err(_) => Err(Unread::TooSlow),
    }
}

/// Throws away what is left of a body after its answer was made.
pub(super) async fn discard(body: &mut Incoming) {
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > UNWANTED_BYTES {
                break;
            }
        }
    };
    let _ = timeout(UNWANTED, read).await;
}
