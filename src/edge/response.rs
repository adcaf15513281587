//! From results to bytes: the only place where an error becomes an answer.

use crate::reason::Reason;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use scim_core::message::ErrorMessage;
use scim_core::{Error, ErrorKind, Version};
use serde::Serialize;

/// The seconds that a client should wait after a 503.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// The seconds that a client should wait after a 429, because an operator must act first.
const RETRY_LATER: HeaderValue = HeaderValue::from_static("3600");
const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"scim\"");

/// An answer with a body of SCIM JSON.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    let bytes = match serde_json::to_vec(body) {
        Ok(bytes) => bytes,
        Err(_) => return error(&Error::internal("The answer could not be written.")),
    };
    let mut response = Response::new(Bytes::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, SCIM_JSON);
    response
}

/// 204.
pub(super) fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// 304: the client has the newest version. The answer has the headers "that would have been sent in
/// a 200 (OK) response", "Content-Location" among them (RFC 7232, 4.1).
pub(super) fn not_modified(version: Version, location: &str) -> Response<Bytes> {
    let mut response = no_content();
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let response = with(response, header::ETAG, &version.to_string());
    with(response, header::CONTENT_LOCATION, location)
}

/// An error as RFC 7644 section 3.12 writes it. It is also an extension of the answer, for the log.
pub(super) fn error(error: &Error) -> Response<Bytes> {
    let (status, _) = error.kind.wire();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(&ErrorMessage::from(error)).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, SCIM_JSON);
    match error.kind {
        ErrorKind::Unauthorized => drop(headers.insert(header::WWW_AUTHENTICATE, CHALLENGE)),
        ErrorKind::Unavailable => drop(headers.insert(header::RETRY_AFTER, RETRY_AFTER)),
        ErrorKind::TooManyRequests => drop(headers.insert(header::RETRY_AFTER, RETRY_LATER)),
        _ => {}
    }
    response.extensions_mut().insert(error.clone());
    response
}

/// 405 with the methods that the endpoint supports.
pub(super) fn method_not_allowed(allow: &str) -> Response<Bytes> {
    let detail = format!("This endpoint supports only {allow}.");
    let response = error(&Reason::MethodNotAllowed.with(detail));
    with(response, header::ALLOW, allow)
}

/// Adds a header. A value that HTTP cannot represent is left out, but all values come from this
/// service.
pub(super) fn with<B>(
    mut response: Response<B>,
    name: header::HeaderName,
    value: &str,
) -> Response<B> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
