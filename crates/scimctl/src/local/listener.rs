//! HTTP on loopback: the SCIM service and the Secrets Manager endpoint.

use std::convert::Infallible;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use scim_lambda::Service;
use scim_lambda::edge::MAX_BODY_BYTES;
use scim_lambda::telemetry::Tally;
use tokio::net::TcpListener;

use super::request_line::Mended;
use super::secrets::Vault;

/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the line of each request goes.
#[derive(Debug, Clone, Copy)]
pub enum Requests {
    /// For a person at the terminal.
    ToStandardOutput,
    /// Where standard output is for JSON.
    ToStandardError,
}

/// Serves SCIM until `stop` is ready; requests that are under way are finished.
pub async fn scim(listener: TcpListener, service: Arc<Service>, log: Requests, stop: impl Future<Output = ()>) {
    serve(listener, stop, move |request| {
        let service = service.clone();
        async move {
            let began = Instant::now();
            let asked = format!("{} {}", request.method(), request.uri().path());
            let response = service.call(request).await;
            let calls = response.extensions().get::<Tally>().map_or(0, |tally| tally.calls);
            let status = response.status().as_u16();
            let milliseconds = began.elapsed().as_secs_f64() * 1_000.0;
            let line = format!("{asked}  {status}  {milliseconds:.1} ms  DynamoDB calls: {calls}");
            // Whoever read the lines may have gone; the request is answered all the same.
            let _ = match log {
                Requests::ToStandardOutput => writeln!(std::io::stdout(), "{line}"),
                Requests::ToStandardError => writeln!(std::io::stderr(), "{line}"),
            };
            response
        }
    })
    .await;
}

/// Serves the Secrets Manager endpoint until `stop` is ready.
pub async fn secrets(listener: TcpListener, vault: Vault, stop: impl Future<Output = ()>) {
    serve(listener, stop, move |request: Request<Bytes>| {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.strip_prefix("secretsmanager.")).unwrap_or_default();
        let (status, body) = vault.call(operation, std::str::from_utf8(request.body()).unwrap_or_default());
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        let json = http::HeaderValue::from_static("application/x-amz-json-1.1");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        std::future::ready(response)
    })
    .await;
}

async fn serve<F, A>(listener: TcpListener, stop: impl Future<Output = ()>, answer: F)
where
    F: Fn(Request<Bytes>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Bytes>> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of file descriptors, or the client was gone: wait for better times.
                Err(_) => { tokio::time::sleep(Duration::from_millis(20)).await; continue }
            },
            () = &mut stop => break,
        };
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer.clone();
            async move { Ok::<_, Infallible>(whole(request, answer).await.map(Full::new)) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(Mended::new(stream)), service);
        let connection = graceful.watch(connection);
        // What a client does to its own connection is no concern of the server.
        tokio::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Reads the body and answers. Of a body over the limit enough is kept for the service to refuse
/// it.
async fn whole<F, A>(request: Request<Incoming>, answer: F) -> Response<Bytes>
where
    F: Fn(Request<Bytes>) -> A,
    A: Future<Output = Response<Bytes>>,
{
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Bytes::from(vec![b' '; MAX_BODY_BYTES + 1]),
        Err(_) => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            return response;
        }
    };
    answer(Request::from_parts(parts, body)).await
}
