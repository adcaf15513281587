//! Where a tenant is served: by its profile, and by the deployment for what that leaves open.

use std::borrow::Cow;

use super::{Address, Profile};

impl Profile {
    /// This profile, a preset, for a tenant that has another one: where a tenant is served is no
    /// matter of presets, but for the path that a product documents.
    #[must_use]
    pub fn at_address_of(self, before: &Self) -> Self {
        let address = Address { base_path: self.address.base_path, ..before.address.clone() };
        Self { address, ..self }
    }
}

impl Address {
    /// The path under which the tenant is served, if it has one of its own.
    pub fn path(&self) -> Option<&str> {
        match &self.base_url {
            Some(url) => url.get(origin(url).len()..).filter(|path| !path.is_empty()),
            None => self.base_path.as_deref(),
        }
    }

    /// The tenant's base URL in a deployment whose own is `deployment`.
    pub fn url<'a>(&'a self, deployment: &'a str) -> Cow<'a, str> {
        match (&self.base_url, &self.base_path) {
            (Some(url), _) => Cow::Borrowed(url),
            (None, Some(path)) => Cow::Owned(format!("{}{path}", origin(deployment))),
            (None, None) => Cow::Borrowed(deployment),
        }
    }
}

/// What stands before the path of a base URL: scheme and host, or nothing if it is a path alone.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let path =
        url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |slash| host + slash);
    url.get(..path).unwrap_or_default()
}
