//! Request bodies, read with limits on their size and time. A client that never stops sending, or
//! stops in the middle, must not hold its connection forever.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use scim_local::BODY_TIMEOUT;
use tokio::time::timeout;

/// How long the rest of an unwanted body is read, and how many bytes of it, so that a client that
/// is still sending gets to read the answer.
const DISCARD_FOR: Duration = Duration::from_secs(1);
const MAX_DISCARDED_BYTES: usize = 64 * 1_024;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    Broken,
}

impl Unread {
    /// The status of the answer.
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
    match timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Ok(Err(_)) => Err(Unread::Broken),
        Err(_) => Err(Unread::TooSlow),
    }
}

/// Discards the rest of a body whose request has been answered.
pub(super) async fn discard(body: &mut Incoming) {
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > MAX_DISCARDED_BYTES {
                break;
            }
        }
    };
    let _ = timeout(DISCARD_FOR, read).await;
}
