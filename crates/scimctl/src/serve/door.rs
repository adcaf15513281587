//! The DynamoDB and the Secrets Manager endpoint answer the tools of this machine's user, and
//! refuse web pages in the user's browser.
//!
//! A page can send requests to loopback. If it sets a content type, the browser sends a preflight
//! first, which is refused. If it reaches this machine by a name of its own domain, that name is in
//! `Host`. No page knows the key.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};

use super::access_key::AccessKey;

/// The name of the host in Docker's containers. It is not a DNS name, so no one can point it
/// elsewhere.
const DOCKER_HOST: &str = "host.docker.internal";

/// The checks in front of an endpoint.
#[derive(Debug, Clone)]
pub(super) struct Door {
    key: AccessKey,
    listening: SocketAddr,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// AWS's name of the error.
    pub(super) kind: &'static str,
    pub(super) message: &'static str,
}

impl Door {
    /// The door of an endpoint that listens on an address and requires the key.
    pub(super) fn new(key: AccessKey, listening: SocketAddr) -> Self {
        Self { key, listening }
    }

    /// Checks a request's head before its body is read.
    ///
    /// # Errors
    /// If the request comes from a web page or without the key.
    pub(super) fn check(&self, head: &Parts) -> Result<(), Refusal> {
        let host = only(&head.headers, &header::HOST).filter(|host| self.is_ours(host));
        let host = host.ok_or_else(|| {
            forbidden("The Host header names neither this machine nor the address that is served.")
        })?;
        let origin = head.headers.contains_key(header::ORIGIN);
        if origin && only(&head.headers, &header::ORIGIN) != Some(&format!("http://{host}")) {
            return Err(forbidden("Web pages may not use this endpoint."));
        }
        if head.method != Method::POST {
            let message = "Send requests to AWS with POST.";
            return Err(Refusal {
                status: StatusCode::METHOD_NOT_ALLOWED,
                kind: "UnknownOperationException",
                message,
            });
        }
        let key =
            only(&head.headers, &header::AUTHORIZATION).and_then(access_key_id).unwrap_or_default();
        if !self.key.is(key) {
            return Err(Refusal {
                status: StatusCode::BAD_REQUEST,
                kind: "UnrecognizedClientException",
                message: "Set AWS_ACCESS_KEY_ID to the key that scimctl serve prints when it \
                    starts.",
            });
        }
        Ok(())
    }

    /// Whether a `Host` is loopback or the address that the endpoint listens on. An endpoint that
    /// listens on all addresses accepts each of them, but no name, because anyone can point a name
    /// at this machine.
    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        let listening = self.listening.ip().to_canonical();
        match name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .map(|ip| ip.to_canonical())
        {
            Ok(ip) => ip.is_loopback() || ip == listening || listening.is_unspecified(),
            Err(_) => {
                name.eq_ignore_ascii_case("localhost") || name.eq_ignore_ascii_case(DOCKER_HOST)
            }
        }
    }
}

fn forbidden(message: &'static str) -> Refusal {
    Refusal { status: StatusCode::FORBIDDEN, kind: "AccessDeniedException", message }
}

/// The value of a header that occurs exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}

/// `KEY` of
/// `AWS4-HMAC-SHA256 Credential=KEY/20261129/eu-west-1/dynamodb/aws4_request, SignedHeaders=..`.
fn access_key_id(authorization: &str) -> Option<&str> {
    let parameters = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?.split(',');
    let scope =
        parameters.map(str::trim).find_map(|parameter| parameter.strip_prefix("Credential="))?;
    scope.split('/').next()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use http::Request;

    use super::*;
    use crate::serve::kept::Kept as _;

    fn checked(listening: &str, headers: &[(&str, &str)], method: &str) -> Result<(), u16> {
        let door = Door::new(AccessKey::generate().unwrap(), listening.parse().unwrap());
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, value.replace("KEY", door.key.as_str()));
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        door.check(&head).map_err(|refusal| refusal.status.as_u16())
    }

    const SIGNED: (&str, &str) =
        ("authorization", "AWS4-HMAC-SHA256 Credential=KEY/20261129/eu-west-1/dynamodb/aws4");

    #[test]
    fn the_host_must_be_loopback_or_the_listening_address() {
        for (listening, host, let_in) in [
            ("127.0.0.1:8000", "localhost:8000", true),
            ("127.0.0.1:8000", "LOCALHOST", true),
            ("127.0.0.1:8000", "127.0.0.1:8000", true),
            ("127.0.0.1:8000", "127.8.0.1", true),
            ("127.0.0.1:8000", "[::1]:8000", true),
            ("127.0.0.1:8000", "host.docker.internal:8000", true),
            ("127.0.0.1:8000", "172.17.0.1:8000", false),
            ("172.17.0.1:8000", "172.17.0.1:8000", true),
            ("172.17.0.1:8000", "172.17.0.2:8000", false),
            ("0.0.0.0:8000", "192.168.1.7:8000", true),
            ("0.0.0.0:8000", "evil.example:8000", false),
            ("127.0.0.1:8000", "evil.example", false),
            ("127.0.0.1:8000", "localhost.evil.example", false),
            ("127.0.0.1:8000", "127.0.0.1.evil.example", false),
            ("127.0.0.1:8000", "", false),
        ] {
            let found = checked(listening, &[("host", host), SIGNED], "POST");
            assert_eq!(found, if let_in { Ok(()) } else { Err(403) }, "{listening} {host}");
        }
        assert_eq!(checked("127.0.0.1:8000", &[SIGNED], "POST"), Err(403), "no Host");
        let two = [("host", "localhost"), ("host", "localhost"), SIGNED];
        assert_eq!(checked("127.0.0.1:8000", &two, "POST"), Err(403));
    }

    #[test]
    fn a_page_of_another_origin_is_refused_even_with_the_key() {
        let with = |origin, method| {
            checked(
                "127.0.0.1:8000",
                &[("host", "localhost:8000"), ("origin", origin), SIGNED],
                method,
            )
        };
        for origin in
            ["https://evil.example", "null", "http://localhost", "http://localhost:3000", ""]
        {
            assert_eq!(with(origin, "POST"), Err(403), "{origin}");
            assert_eq!(with(origin, "OPTIONS"), Err(403), "{origin}");
        }
        assert_eq!(with("http://localhost:8000", "POST"), Ok(()));
        assert_eq!(with("http://localhost:8000", "OPTIONS"), Err(405));
    }

    #[test]
    fn only_the_key_of_the_directory_is_accepted() {
        let with = |authorization| {
            let headers = [("host", "localhost"), ("authorization", authorization)];
            checked("127.0.0.1:8000", &headers, "POST")
        };
        assert_eq!(
            with("AWS4-HMAC-SHA256 SignedHeaders=host, Credential=KEY/x, Signature=0"),
            Ok(())
        );
        for other in [
            "AWS4-HMAC-SHA256 Credential=local/x",
            "AWS4-HMAC-SHA256 Credential=/x",
            "Bearer KEY",
            "KEY",
            "",
        ] {
            assert_eq!(with(other), Err(400), "{other}");
        }
        assert_eq!(checked("127.0.0.1:8000", &[("host", "localhost")], "POST"), Err(400));
        let two = [("host", "localhost"), SIGNED, SIGNED];
        assert_eq!(checked("127.0.0.1:8000", &two, "POST"), Err(400));
    }
}
