//! HTTP on this machine: the SCIM service, and the endpoints of DynamoDB and Secrets Manager.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use scim_core::{Error, ErrorKind};
use scim_lambda::Service;
use scim_lambda::edge::{MAX_BODY_BYTES, RequestLine, too_large};
use scim_local::BODY_TIMEOUT;
use scim_local::engine::Engine;
use scim_local::request_line::Encoded;
use scim_local::secrets::Vault;
use serde_json::json;
use tokio::net::TcpListener;

use super::body::{self, Unread};
use super::door::Door;
use super::lines::RequestLog;
use super::tail::{TAIL_TARGET, Tail};

/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest request in bytes that DynamoDB accepts.
const MAX_DYNAMODB_BYTES: usize = 16 * 1_024 * 1_024;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const CRC32: HeaderName = HeaderName::from_static("x-amz-crc32");

/// Serves SCIM until `stop` is ready. Requests in progress are finished.
pub(super) async fn scim(
    listener: TcpListener,
    service: Arc<Service>,
    log: RequestLog,
    stop: impl Future<Output = ()>,
) {
    serve(listener, stop, move |request| {
        let service = service.clone();
        async move {
            let path = request.uri().path().to_owned();
            let response = answer(&service, request).await;
            if let Some(line) = response.extensions().get::<RequestLine>() {
                log.print(&path, line);
            }
            response
        }
    })
    .await;
}

/// The service's answer. The service reads the body once it knows the token. The rest of the body
/// is discarded.
async fn answer(service: &Service, request: Request<Incoming>) -> Response<Bytes> {
    let (head, mut incoming) = request.into_parts();
    let body = async { body::read(&mut incoming, MAX_BODY_BYTES).await.map_err(scim_error) };
    let response = service.receive(head, body).await;
    body::discard(&mut incoming).await;
    response
}

fn scim_error(unread: Unread) -> Error {
    match unread {
        Unread::TooLarge => too_large(),
        Unread::TooSlow => Error::new(
            ErrorKind::RequestTimeout,
            format!(
                "The body was not complete after {} seconds; send all of it.",
                BODY_TIMEOUT.as_secs()
            ),
        ),
        Unread::Broken => Error::new(
            ErrorKind::BadRequest,
            "The body ended early; send all of \
                                                             it.",
        ),
    }
}

/// Serves the DynamoDB endpoint, at which `scimctl events tail` asks too, until `stop` is ready.
pub(super) async fn dynamodb(
    listener: TcpListener,
    door: Door,
    (engine, tail): (Engine, Arc<Tail>),
    stop: impl Future<Output = ()>,
) {
    let call = move |target: String, body: Bytes| {
        let (engine, tail) = (engine.clone(), tail.clone());
        async move {
            let body = std::str::from_utf8(&body).unwrap_or_default();
            match target.as_str() {
                TAIL_TARGET => tail.answer(body).await,
                target => engine.answer(target, body),
            }
        }
    };
    aws(listener, door, MAX_DYNAMODB_BYTES, call, stop).await;
}

/// Serves the Secrets Manager endpoint until `stop` is ready.
pub(super) async fn secrets(
    listener: TcpListener,
    door: Door,
    vault: Vault,
    stop: impl Future<Output = ()>,
) {
    let call = move |target: String, body: Bytes| {
        let operation = target.strip_prefix("secretsmanager.").unwrap_or_default();
        std::future::ready(vault.call(operation, std::str::from_utf8(&body).unwrap_or_default()))
    };
    aws(listener, door, MAX_BODY_BYTES, call, stop).await;
}

/// Serves an endpoint of AWS's JSON protocol: `call` answers a request by its target and body.
async fn aws<C, A>(
    listener: TcpListener,
    door: Door,
    limit: usize,
    call: C,
    stop: impl Future<Output = ()>,
) where
    C: Fn(String, Bytes) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = (StatusCode, String)> + Send + 'static,
{
    serve(listener, stop, move |request| {
        let (door, call) = (door.clone(), call.clone());
        async move {
            let (head, mut incoming) = request.into_parts();
            let (status, json) = match door.check(&head) {
                Ok(()) => match body::read(&mut incoming, limit).await {
                    Ok(body) => call(target(&head).to_owned(), body).await,
                    Err(unread) => {
                        let message = match unread {
                            Unread::TooLarge => "The body is too large.",
                            Unread::TooSlow | Unread::Broken => "The body is incomplete.",
                        };
                        (unread.status(), exception("SerializationException", message))
                    }
                },
                Err(refusal) => (refusal.status, exception(refusal.kind, refusal.message)),
            };
            body::discard(&mut incoming).await;
            aws_response(&head, status, json)
        }
    })
    .await;
}

/// The operation that a request names, prefixed with the name of the service.
fn target(head: &Parts) -> &str {
    head.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default()
}

fn exception(kind: &str, message: &str) -> String {
    json!({ "__type": kind, "message": message }).to_string()
}

/// An answer as AWS sends it: in the media type of the request, with an id and a checksum, and
/// without CORS headers.
fn aws_response(head: &Parts, status: StatusCode, json: String) -> Response<Bytes> {
    let plain = HeaderValue::from_static("application/json");
    let requested = head
        .headers
        .get(header::CONTENT_TYPE)
        .filter(|requested| requested.as_bytes().starts_with(b"application/x-amz"));
    let id = uuid::Uuid::now_v7().simple().to_string();
    let checksum = crc32fast::hash(json.as_bytes());
    let mut response = Response::new(Bytes::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, requested.cloned().unwrap_or(plain));
    headers.extend(HeaderValue::try_from(id).map(|id| (REQUEST_ID, id)));
    headers.insert(CRC32, checksum.into());
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

async fn serve<F, A>(listener: TcpListener, stop: impl Future<Output = ()>, answer: F)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Bytes>> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of file descriptors, or the client is gone: try again shortly.
                Err(_) => { tokio::time::sleep(Duration::from_millis(20)).await; continue }
            },
            () = &mut stop => break,
        };
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer(request);
            async move { Ok::<_, Infallible>(answer.await.map(Full::new)) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(Encoded::new(stream)), service);
        let connection = graceful.watch(connection);
        // An error on one connection does not affect the server.
        tokio::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    graceful.shutdown().await;
}
