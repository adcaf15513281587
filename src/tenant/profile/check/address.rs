//! Addresses under which a tenant cannot be served.

use http::Uri;

use super::super::error::ProfileError;
use super::super::service::Address;

/// The endpoints, which follow a base URL.
const ENDPOINTS: [&str; 8] = [
    "Users",
    "Groups",
    "Me",
    "Bulk",
    "ServiceProviderConfig",
    "ResourceTypes",
    "Schemas",
    ".search",
];

/// Refuses an address under which a tenant cannot be served.
pub(super) fn check(address: &Address) -> Result<(), ProfileError> {
    let url = address.base_url.as_deref().map(check_base_url).transpose()?;
    if let Some(path) = &address.base_path {
        check_base_path(path)?;
    }
    if let Some(host) = &address.host {
        check_host(host, url.as_ref().and_then(Uri::host))?;
    }
    Ok(())
}

fn check_base_url(text: &str) -> Result<Uri, ProfileError> {
    let url: Uri = text.parse().map_err(|_| ProfileError::new("address.base_url is not a URL"))?;
    let local = matches!(url.host(), Some("127.0.0.1" | "localhost"));
    let secure = url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && local);
    let bare = !url.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if !(secure && bare && !text.contains(['?', '#']) && is_base_path(url.path())) {
        return Err(ProfileError::new(
            "address.base_url must be https://HOST/PATH, as in https://scim.example.com/scim/v2, \
            without a slash at its end",
        ));
    }
    check_end("address.base_url", url.path())?;
    Ok(url)
}

fn check_base_path(path: &str) -> Result<(), ProfileError> {
    if !is_base_path(path) {
        return Err(ProfileError::new(
            "address.base_path must be a path, as in /scim/v2, without a host and without a slash \
            at its end",
        ));
    }
    check_end("address.base_path", path)
}

fn check_host(host: &str, of_url: Option<&str>) -> Result<(), ProfileError> {
    let fits =
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    if !fits {
        return Err(ProfileError::new(
            "address.host must be the name of a host, without scheme and port",
        ));
    }
    if let Some(other) = of_url.filter(|other| !other.eq_ignore_ascii_case(host)) {
        return Err(ProfileError(format!(
            "address.host is {host}, but address.base_url is at {other}"
        )));
    }
    Ok(())
}

/// Whether a tenant can be served under a path that clients send exactly as it is written here.
fn is_base_path(path: &str) -> bool {
    let plain =
        path.parse::<http::uri::PathAndQuery>().is_ok() && !path.contains(['?', '#', '%', '\\']);
    let walks = path.contains("//") || path.contains("..");
    plain && !walks && path.len() > 1 && path.starts_with('/') && !path.ends_with('/')
}

fn check_end(setting: &str, path: &str) -> Result<(), ProfileError> {
    let last = path.rsplit('/').next().unwrap_or_default();
    if ENDPOINTS.iter().any(|endpoint| last.eq_ignore_ascii_case(endpoint)) {
        return Err(ProfileError(format!(
            "{setting} ends in /{last}, which the service appends itself; omit it"
        )));
    }
    Ok(())
}
