//! Requests that the tool itself sends: to a webhook, and to a running `serve`.

use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A client for one server, with TLS if its URL is https. It follows no redirects.
#[derive(Debug, Clone)]
pub(crate) enum HttpClient {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl HttpClient {
    /// A client for the server of a URL.
    ///
    /// # Errors
    /// If the URL is https and this machine has no certificates of authorities.
    pub(crate) fn new(url: &Uri) -> anyhow::Result<Self> {
        let builder = Client::builder(TokioExecutor::new());
        if url.scheme() != Some(&Scheme::HTTPS) {
            return Ok(Self::Plain(builder.build(HttpConnector::new())));
        }
        let connector = HttpsConnectorBuilder::new().with_native_roots()?.https_or_http();
        Ok(Self::Tls(builder.build(connector.enable_http1().build())))
    }

    /// Sends a request and reads the answer, whose body may have `limit` bytes, within a time.
    ///
    /// # Errors
    /// A few words for people that say why there is no answer. If only its body is too long or
    /// ends early, the body is `None`.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
        within: Duration,
    ) -> Result<(StatusCode, Option<Bytes>), String> {
        let exchange = async {
            let sent = match self {
                Self::Plain(client) => client.request(request).await,
                Self::Tls(client) => client.request(request).await,
            };
            let (head, body) = sent.map_err(|error| reason(&error))?.into_parts();
            // A body that was read lets the next request use the same connection.
            let body = Limited::new(body, limit).collect().await.ok();
            Ok((head.status, body.map(http_body_util::Collected::to_bytes)))
        };
        tokio::time::timeout(within, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("it did not answer within {} s", within.as_secs())))
    }
}

/// The innermost reason, such as `Connection refused`, in words for people.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    if text.contains("InvalidContentType") {
        return "it does not speak TLS; try http in place of https".to_owned();
    }
    if text.contains("UnknownIssuer") {
        return "no authority that this machine trusts has issued its certificate; SSL_CERT_FILE \
                can name one"
            .to_owned();
    }
    text
}
