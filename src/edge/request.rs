//! The parts of a request: its body, its query and its preconditions.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, header};
pub use scim_core::message::MAX_BODY_BYTES;
use scim_core::{Error, Query, json};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::directory::Precondition;
use crate::reason::Reason;

/// How long a request can take without a [`Deadline`]: the function's 25 s, less the time that the
/// answer needs.
pub const TIMEOUT: Duration = Duration::from_millis(23_500);

/// When a request is given up with a 503, so that its client still gets an answer; an extension of
/// the request.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

/// 413 for a body over [`MAX_BODY_BYTES`].
pub fn too_large() -> Error {
    let detail = format!(
        "The body is larger than {MAX_BODY_BYTES} bytes; send fewer attributes or operations."
    );
    Reason::TooLarge.with(detail)
}

/// The JSON object in a request's body.
///
/// # Errors
/// 413 over [`MAX_BODY_BYTES`]; 415 unless its `Content-Type` is JSON and it is not encoded;
/// `invalidSyntax` if [`json::parse`] refuses it.
pub(super) fn body(request: &Request<Bytes>) -> Result<Map<String, Value>, Error> {
    if request.body().len() > MAX_BODY_BYTES {
        return Err(too_large());
    }
    check_content_type(request.headers())?;
    if request.body().is_empty() {
        return Err(Error::invalid_syntax("The body is empty; send a JSON object."));
    }
    json::parse(request.body())
}

/// "Servers MUST accept requests and be able to return JSON-structured responses using UTF-8
/// encoding" (RFC 7644, 3.8). A body without `Content-Type` is treated as JSON.
fn check_content_type(headers: &HeaderMap) -> Result<(), Error> {
    let unsupported = |detail: &str| Err(Reason::NotJson.with(detail));
    let encoding =
        headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    if encoding.is_some_and(|encoding| encoding != b"identity") {
        return unsupported("The body must not be compressed; send it without Content-Encoding.");
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(first), None) = (types.next(), types.next()) else {
        return if headers.contains_key(header::CONTENT_TYPE) {
            unsupported("Send one Content-Type header: application/scim+json.")
        } else {
            Ok(())
        };
    };
    let text = first.to_str().unwrap_or_default().to_ascii_lowercase();
    let (media_type, parameters) = text.split_once(';').unwrap_or((&text, ""));
    let charset =
        parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("charset="));
    let utf8 = charset
        .is_none_or(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
    match media_type.trim() {
        "application/scim+json" | "application/json" if utf8 => Ok(()),
        "application/scim+json" | "application/json" => unsupported("The body must be in UTF-8."),
        _ => unsupported("The body must be JSON: send Content-Type: application/scim+json."),
    }
}

/// The condition in `If-Match` or `If-None-Match`. A value that cannot be read matches no version.
pub(super) fn precondition(request: &Request<Bytes>, name: header::HeaderName) -> Precondition {
    Precondition::read(
        request.headers().get_all(name).iter().map(|value| value.to_str().unwrap_or("?")),
    )
}

/// Whether a request has a filter, even if the rest of its query cannot be read.
pub(super) fn has_filter(request: &Request<Bytes>) -> bool {
    let text = request.uri().query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs.any(|(name, value)| name.eq_ignore_ascii_case("filter") && !value.trim().is_empty())
}

/// The query of a request, decoded once: `+` and `%20` are spaces.
///
/// # Errors
/// Those of [`Query::from_pairs`].
pub(super) fn query(request: &Request<Bytes>) -> Result<Query, Error> {
    let text = request.uri().query().unwrap_or_default();
    Query::from_pairs(form_urlencoded::parse(text.as_bytes()).into_owned())
}
