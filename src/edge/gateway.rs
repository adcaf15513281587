//! From Lambda events to requests and back.
//!
//! HTTP APIs (payload 2.0), REST APIs (payload 1.0) and Function URLs describe a request in three
//! different ways. `lambda_http` reads them, but panics on a query, body or `Host` that HTTP could
//! not carry, and does not say which of them has decoded the path. So the event is cleaned first:
//! anything that a request cannot hold becomes a SCIM 400, and every path is percent-encoded
//! exactly once.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, Request, Response, header};
use lambda_http::lambda_runtime::LambdaEvent;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Body, RequestExt, Service as _, service_fn};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use scim_core::Error;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::line::ColdStart;
use super::request::{Deadline, TIMEOUT};
use super::request_id::Ids;
use super::route::BASE_PATH;
use super::service::Service;
use super::{line, response, watch};
use crate::reason::Reason;

/// The characters that a path can contain unencoded, in addition to letters and digits.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');
/// Like [`PATH`], for a path whose percent signs already belong to encoded characters.
const ENCODED_PATH: &AsciiSet = &PATH.remove(b'%');
/// How long before the function's deadline a request is given up, so that the client still gets an
/// answer.
const MARGIN: Duration = Duration::from_millis(1_500);

/// Answers one event of an HTTP API, a REST API or a Function URL, or turns the records of the
/// table's stream, which an EventBridge Pipe sends as an array, into events for the product, or
/// looks at all tenants because the schedule says so.
///
/// # Errors
/// If the event is not one of these, because something else invoked the function. Also if the table
/// does not answer for records of the stream: the Pipe sends them again.
pub async fn handle(
    service: &Service,
    event: LambdaEvent<Value>,
) -> Result<Value, lambda_http::Error> {
    let handled = Box::pin(handled(service, event)).await;
    // Without this line, the log would not say why the invocation failed.
    handled.inspect_err(|error| tracing::error!(%error, "invocation failed"))
}

async fn handled(
    service: &Service,
    event: LambdaEvent<Value>,
) -> Result<Value, lambda_http::Error> {
    let LambdaEvent { payload: mut event, context } = event;
    let cold_start = service.begin();
    if let Value::Array(records) = event {
        return Ok(Value::Array(service.events(records).await?));
    }
    // `cargo lambda watch` sends a deadline in 1970, which must be ignored.
    let left = context
        .deadline()
        .duration_since(SystemTime::now())
        .map_or(TIMEOUT, |left| left.saturating_sub(MARGIN));
    if watch::is_due(&event) {
        return Ok(service.watch(Instant::now() + left).await);
    }
    let payload_1 = is_payload_1(&event);
    let ids = &Ids::of(&event, &context.request_id);
    let host = match clean(&mut event, payload_1) {
        Ok(host) => host,
        Err(error) => return Ok(refusal(&error, ids, payload_1)),
    };
    // `LambdaRequest` can only be read from text.
    let payload: LambdaRequest = match serde_json::from_str(&event.to_string()) {
        Ok(payload) => payload,
        Err(error) if event.get("requestContext").is_none() => return Err(error.into()),
        Err(_) => {
            let error = malformed("The request cannot be read; check its method and headers.");
            return Ok(refusal(&error, ids, payload_1));
        }
    };
    let answer = Adapter::from(service_fn(|request: lambda_http::Request| {
        answer(service, request, ids, host.as_ref(), (left, cold_start))
    }))
    .call(LambdaEvent { payload, context })
    .await?;
    Ok(serde_json::to_value(answer)?)
}

async fn answer(
    service: &Service,
    request: lambda_http::Request,
    ids: &Ids,
    host: Option<&HeaderValue>,
    (left, cold_start): (Duration, ColdStart),
) -> Result<Response<Body>, lambda_http::Error> {
    let path = request.raw_http_path().to_owned();
    let uri = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let (mut parts, body) = request.into_parts();
    parts.uri = uri.parse()?;
    parts.extensions.clear();
    if let Some(host) = host {
        parts.headers.insert(header::HOST, host.clone());
    }
    parts.extensions.insert(ids.request.clone());
    if let Some(invocation) = &ids.invocation {
        parts.extensions.insert(invocation.clone());
    }
    parts.extensions.insert(Deadline(Instant::now() + left));
    parts.extensions.insert(cold_start);
    let response = service.call(Request::from_parts(parts, Bytes::from(body.to_vec()))).await;
    Ok(response.map(|body| match String::from_utf8(body.into()) {
        Ok(text) if text.is_empty() => Body::Empty,
        Ok(text) => Body::Text(text),
        Err(error) => Body::Binary(error.into_bytes()),
    }))
}

/// Whether an event has the payload format 1.0. Its `version` says so. The event of a REST API has
/// no version, but an `httpMethod`. That alone is not enough: `cargo lambda watch` also has it in
/// payloads of version 2.0.
fn is_payload_1(event: &Value) -> bool {
    match event.get("version").and_then(Value::as_str) {
        Some(version) => version == "1.0",
        None => event.get("httpMethod").is_some(),
    }
}

/// Cleans an event, and returns the host that it was sent to.
///
/// # Errors
/// 400 if it cannot be made into a request.
fn clean(event: &mut Value, payload_1: bool) -> Result<Option<HeaderValue>, Error> {
    let Some(event) = event.as_object_mut() else { return Ok(None) };
    let host = take_host(event)?;
    decode_body(event)?;
    if payload_1 {
        clear_repeated_headers(event);
    } else {
        // With this field, `lambda_http` would read the event as payload 1.0.
        event.remove("httpMethod");
        check_query(event)?;
    }
    encode_path(event, payload_1)?;
    if let Some(context) = event.get_mut("requestContext").and_then(Value::as_object_mut) {
        // With neither Host nor domain nor stage, lambda_http leaves the path alone.
        context.remove("domainName");
        context.remove("stage");
    }
    Ok(host)
}

/// Clears `headers`, which repeats only the last value of each of the `multiValueHeaders`. Two
/// Authorization headers must be seen as two.
fn clear_repeated_headers(event: &mut Map<String, Value>) {
    let all = event.get("multiValueHeaders").and_then(Value::as_object);
    if all.is_some_and(|headers| !headers.is_empty()) {
        event.insert("headers".into(), json!({}));
    }
}

fn check_query(event: &Map<String, Value>) -> Result<(), Error> {
    let query = event.get("rawQueryString").and_then(Value::as_str).unwrap_or_default();
    if query.contains('#') || format!("/?{query}").parse::<PathAndQuery>().is_err() {
        return Err(malformed(
            "The query contains characters that must be percent-encoded, such as spaces and \
             quotes.",
        ));
    }
    Ok(())
}

/// Removes the stage from the path, and percent-encodes it if the gateway has decoded it.
fn encode_path(event: &mut Map<String, Value>, payload_1: bool) -> Result<(), Error> {
    let field = if payload_1 { "path" } else { "rawPath" };
    let path = event.get(field).and_then(Value::as_str).unwrap_or("/");
    if !path.starts_with('/') {
        return Err(malformed("The path must begin with a slash."));
    }
    let context =
        |name: &str| event.get("requestContext").and_then(|context| context.get(name)?.as_str());
    let path = match context("stage").filter(|stage| *stage != "$default") {
        Some(stage) => without_stage(path, stage),
        None => path,
    };
    // Only HTTP APIs decode the path: "rawPath" of a Function URL and "path" of a REST API are as
    // sent.
    let function_url = context("domainName").is_some_and(|domain| domain.contains(".lambda-url."));
    let set = if payload_1 || function_url { ENCODED_PATH } else { PATH };
    let path = utf8_percent_encode(path, set).to_string();
    event.insert(field.into(), path.into());
    Ok(())
}

/// The path after the stage. A stage can have the name of the base path, so the stage is removed
/// only if the base path follows it.
fn without_stage<'p>(path: &'p str, stage: &str) -> &'p str {
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    rest.filter(|rest| rest.starts_with(BASE_PATH)).unwrap_or(path)
}

/// Removes `Host` and the forwarded scheme, because `lambda_http` would make a URI of them. Returns
/// the host, unless several are named.
fn take_host(event: &mut Map<String, Value>) -> Result<Option<HeaderValue>, Error> {
    let mut hosts = BTreeSet::new();
    for field in ["headers", "multiValueHeaders"] {
        let Some(headers) = event.get_mut(field).and_then(Value::as_object_mut) else { continue };
        let named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        let values = named.flat_map(|(_, value)| {
            value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
        });
        for host in values {
            let host = host.as_str().filter(|host| host.parse::<Authority>().is_ok());
            hosts.insert(
                host.ok_or_else(|| malformed("The Host header is not a host name."))?.to_owned(),
            );
        }
        headers.retain(|name, _| {
            !name.eq_ignore_ascii_case("host") && !name.eq_ignore_ascii_case("x-forwarded-proto")
        });
    }
    let only = if hosts.len() == 1 { hosts.pop_first() } else { None };
    Ok(only.and_then(|host| HeaderValue::from_str(&host).ok()))
}

/// Replaces a base64 body with the text that it encodes.
fn decode_body(event: &mut Map<String, Value>) -> Result<(), Error> {
    if event.get("isBase64Encoded") != Some(&Value::Bool(true)) {
        return Ok(());
    }
    let body = event.get("body").and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD
        .decode(body)
        .map_err(|_| malformed("The body is not in base64, although the gateway says so."))?;
    let text =
        String::from_utf8(bytes).map_err(|_| malformed("The body is not in UTF-8; send JSON."))?;
    event.insert("body".into(), text.into());
    event.insert("isBase64Encoded".into(), false.into());
    Ok(())
}

fn malformed(detail: &str) -> Error {
    Reason::MalformedRequest.with(detail)
}

/// An error in the form that the gateway expects, with the fields that `lambda_http` puts in an
/// answer. `cargo lambda watch` cannot read an answer without `cookies`, which payload 1.0 does not
/// have.
fn refusal(error: &Error, ids: &Ids, payload_1: bool) -> Value {
    line::log_unread(ids, error);
    let response = ids.request.stamp(response::error(error));
    let headers: Map<String, Value> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().into()))
        .collect();
    let mut refusal = json!({
        "statusCode": response.status().as_u16(),
        "headers": headers,
        "multiValueHeaders": {},
        "body": String::from_utf8_lossy(response.body()),
        "isBase64Encoded": false,
    });
    if let (false, Some(fields)) = (payload_1, refusal.as_object_mut()) {
        fields.insert("cookies".into(), json!([]));
    }
    refusal
}
