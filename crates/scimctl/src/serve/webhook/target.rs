//! Where events are posted, and one try to post one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use bytes::Bytes;
use http::{HeaderName, Request, StatusCode, Uri, header};
use http_body_util::Full;
use serde_json::Value;

use super::secret::Secret;
use crate::http_client::HttpClient;

/// How long an endpoint may take to answer.
const WITHIN: Duration = Duration::from_secs(10);
/// How much of an answer is read, in bytes. Its text is not used.
const MAX_ANSWER: usize = 64 * 1_024;
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const USER_AGENT: &str = concat!("scimctl/", env!("CARGO_PKG_VERSION"));

/// An endpoint.
#[derive(Debug)]
pub(crate) struct Target {
    url: Uri,
    secret: Secret,
    client: HttpClient,
}

/// The URL of an endpoint.
///
/// # Errors
/// If nothing can be posted there. Says what to type.
pub(crate) fn parse_url(text: &str) -> anyhow::Result<Uri> {
    let url = text.parse::<Uri>().ok().filter(|url| {
        matches!(url.scheme_str(), Some("http" | "https"))
            && url.host().is_some_and(|host| !host.is_empty())
    });
    let Some((url, authority)) =
        url.and_then(|url| Some((url.clone(), url.into_parts().authority?)))
    else {
        bail!(
            "--webhook {text:?} is not a URL to which events can be posted; type http or https, a \
             host and a path, such as --webhook http://localhost:3000/events"
        )
    };
    if let Some((_, server)) = authority.as_str().rsplit_once('@') {
        bail!(
            "--webhook cannot send a name and a password; the events are signed instead. Type \
             {server} without what is before it"
        )
    }
    let after_host = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    if !after_host.is_empty() && authority.port_u16().is_none() {
        bail!("--webhook {text:?} names a port that does not exist; ports are 1 to 65535")
    }
    Ok(url)
}

impl Target {
    /// An endpoint whose events are signed with a secret.
    ///
    /// # Errors
    /// If the URL is https and this machine has no certificates of authorities.
    pub(crate) fn new(url: Uri, secret: Secret) -> anyhow::Result<Self> {
        let client = HttpClient::new(&url)?;
        Ok(Self { url, secret, client })
    }

    /// The URL.
    pub(crate) fn url(&self) -> &Uri {
        &self.url
    }

    /// The secret, for the receiver.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Posts an event once.
    ///
    /// # Errors
    /// A few words for people that say why it was not taken.
    pub(super) async fn post(&self, event: &Value) -> Result<(), String> {
        let request = self.request(event).map_err(|error| error.to_string())?;
        let (status, _) = self.client.send(request, MAX_ANSWER, WITHIN).await?;
        if status.is_success() {
            return Ok(());
        }
        Err(refusal(status))
    }

    fn request(&self, event: &Value) -> anyhow::Result<Request<Full<Bytes>>> {
        let body = event.to_string();
        let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let signature = self.secret.sign(id, now, body.as_bytes())?;
        let request = Request::post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .header(ID, id)
            .header(TIMESTAMP, now)
            .header(SIGNATURE, signature);
        Ok(request.body(Full::from(body))?)
    }
}

fn refusal(status: StatusCode) -> String {
    let code = status.as_u16();
    if status.is_redirection() {
        return format!("it answered {code}, and redirects are not followed");
    }
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            format!("it answered {code}; does it have the secret that serve prints?")
        }
        _ => format!("it answered {code}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_url_needs_a_scheme_and_a_host() {
        for good in ["http://localhost:3000/events", "https://example.com", "http://[::1]/?a=b"] {
            assert!(parse_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "localhost:3000",
            "/events",
            "ftp://example.com/",
            "http://",
            "http:///x",
            "http://exa mple.com",
            "https//example.com",
        ] {
            let said = parse_url(bad).unwrap_err().to_string();
            assert!(said.contains("such as --webhook http://localhost:3000/events"), "{said}");
        }
        let said = |text| parse_url(text).unwrap_err().to_string();
        assert!(said("http://u:p@example.com/").contains("Type example.com without"));
        for bad in ["http://localhost:99999/x", "http://localhost:/x", "http://[::1]:70000/"] {
            assert!(said(bad).contains("ports are 1 to 65535"), "{bad}");
        }
    }
}
