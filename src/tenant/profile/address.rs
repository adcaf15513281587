//! Where a tenant is served: as its profile says, or otherwise as the deployment says.

use std::borrow::Cow;

use super::service::Address;

impl Address {
    /// The path under which the tenant is served, if it has its own.
    pub fn path(&self) -> Option<&str> {
        match &self.base_url {
            Some(url) => url.get(origin(url).len()..).filter(|path| !path.is_empty()),
            None => self.base_path.as_deref(),
        }
    }

    /// The tenant's base URL; `deployment` is that of the deployment.
    pub fn url<'a>(&'a self, deployment: &'a str) -> Cow<'a, str> {
        match (&self.base_url, &self.base_path) {
            (Some(url), _) => Cow::Borrowed(url),
            (None, Some(path)) => Cow::Owned(format!("{}{path}", origin(deployment))),
            (None, None) => Cow::Borrowed(deployment),
        }
    }
}

/// The scheme and host of a base URL; empty if it is only a path.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let path =
        url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |slash| host + slash);
    url.get(..path).unwrap_or_default()
}
