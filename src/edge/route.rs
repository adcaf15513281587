//! Paths and methods (RFC 7644, 3.2, table 2).

use http::Method;
use percent_encoding::percent_decode_str;

/// Where every path begins.
pub const BASE_PATH: &str = "/scim/v2";

/// The endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Users,
    User(String),
    SearchUsers,
    Groups,
    Group(String),
    SearchGroups,
    /// `/.search` at the root: all resource types.
    Search,
    Me,
    ServiceProviderConfig,
    ResourceTypes,
    ResourceType(String),
    Schemas,
    Schema(String),
}

impl Route {
    /// The endpoint of a path that is still percent-encoded; `None` if there is none.
    ///
    /// Each segment is decoded once, after the path is split, and the decoded text is what is routed
    /// and acted on. Empty segments (`//`, a trailing `/`) do not count.
    pub(super) fn of(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(BASE_PATH).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        let segments: Option<Vec<String>> = rest.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let segments = segments?;
        let mut segments = segments.into_iter();
        let (endpoint, id) = (segments.next()?, segments.next());
        if segments.next().is_some() {
            return None;
        }
        Some(match (endpoint.to_ascii_lowercase().as_str(), id) {
            ("users", None) => Self::Users,
            (".search", None) => Self::Search,
            ("me", None) => Self::Me,
            ("users", Some(id)) if id == ".search" => Self::SearchUsers,
            ("users", Some(id)) => Self::User(id),
            ("groups", None) => Self::Groups,
            ("groups", Some(id)) if id == ".search" => Self::SearchGroups,
            ("groups", Some(id)) => Self::Group(id),
            ("serviceproviderconfig", None) => Self::ServiceProviderConfig,
            ("resourcetypes", None) => Self::ResourceTypes,
            ("resourcetypes", Some(id)) => Self::ResourceType(id),
            ("schemas", None) => Self::Schemas,
            ("schemas", Some(id)) => Self::Schema(id),
            _ => return None,
        })
    }

    /// The endpoint without its id, for logs: ids are kept out of them.
    pub(super) fn template(&self) -> &'static str {
        match self {
            Self::Users => "/Users",
            Self::User(_) => "/Users/{id}",
            Self::SearchUsers => "/Users/.search",
            Self::SearchGroups => "/Groups/.search",
            Self::Search => "/.search",
            Self::Me => "/Me",
            Self::Groups => "/Groups",
            Self::Group(_) => "/Groups/{id}",
            Self::ServiceProviderConfig => "/ServiceProviderConfig",
            Self::ResourceTypes => "/ResourceTypes",
            Self::ResourceType(_) => "/ResourceTypes/{id}",
            Self::Schemas => "/Schemas",
            Self::Schema(_) => "/Schemas/{id}",
        }
    }

    /// The methods the endpoint knows, as an `Allow` header lists them.
    pub(super) fn allow(&self) -> &'static str {
        match self {
            Self::Users | Self::Groups => "GET, POST",
            Self::SearchUsers | Self::SearchGroups | Self::Search => "POST",
            Self::User(_) | Self::Group(_) => "GET, PUT, PATCH, DELETE",
            Self::Me => "GET, POST, PUT, PATCH, DELETE",
            _ => "GET",
        }
    }

    /// Whether the endpoint knows `method`.
    pub(super) fn allows(&self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }
}

/// A path segment, decoded; `None` if it holds what no id or endpoint has and what another reader
/// might take for a separator or for something to decode once more.
fn decode(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    let odd = text.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | '%' | ';'));
    (!odd && text != "." && text != "..").then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_as_identity_providers_write_them() {
        for path in ["/scim/v2/Users", "/scim/v2/Users/", "/scim/v2//Users", "/scim/v2/users"] {
            assert_eq!(Route::of(path), Some(Route::Users), "{path}");
        }
        assert_eq!(Route::of("/scim/v2/Users/a%2Db"), Some(Route::User("a-b".into())));
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
        assert_eq!(Route::of(&format!("/scim/v2/Schemas/{urn}")), Some(Route::Schema(urn.into())));
        assert_eq!(
            Route::of(&format!("/scim/v2/Schemas/{}", urn.replace(':', "%3A"))),
            Some(Route::Schema(urn.into()))
        );
    }

    #[test]
    fn nothing_is_decoded_twice_or_walks_up() {
        for path in [
            "/",
            "/Users",
            "/scim/v2",
            "/scim/v2x/Users",
            "/scim/v2/Users/a/b",
            "/scim/v2/Nobody",
            "/scim/v2/Users/a%2Fb",
            "/scim/v2/Users/a%252Fb",
            "/scim/v2/%2e%2e/Users",
            "/scim/v2/../Users",
            "/scim/v2/Users/a%00",
            "/scim/v2/Users/%c0%af",
            "/scim/v2/Users/a%5Cb",
            "/scim/v2/Users/a;b",
        ] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }
}
