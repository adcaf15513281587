//! Paths and methods (RFC 7644, 3.2, table 2).

use http::Method;
use percent_encoding::percent_decode_str;

/// The path under which every tenant is served.
pub const BASE_PATH: &str = "/scim/v2";

/// The endpoints. The tenant knows the names of its resource types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// The resources of the type that is served under this name.
    Resources(String),
    /// One of them, by its id.
    Resource(String, String),
    /// `/.search` of one resource type.
    SearchIn(String),
    /// `/.search` at the root, for all resource types.
    Search,
    Bulk,
    Me,
    Discovery(Document),
}

/// The documents of discovery (RFC 7644, 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Document {
    ServiceProviderConfig,
    ResourceTypes,
    ResourceType(String),
    Schemas,
    Schema(String),
}

impl Route {
    /// The endpoint of a path that is still percent-encoded, under `/scim/v2` or the tenant's `own`
    /// base path; `None` if the path does not lead to an endpoint.
    ///
    /// Each segment is decoded once, after the path is split, and only the decoded text is used
    /// from then on. Empty segments (`//`, a trailing `/`) are ignored.
    pub(super) fn of(path: &str, own: Option<&str>) -> Option<Self> {
        let under = |base: &str| {
            path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        // One base path can begin with the other, so the longer match counts.
        let rest = own
            .and_then(under)
            .into_iter()
            .chain(under(BASE_PATH))
            .min_by_key(|rest| rest.len())?;
        let segments: Option<Vec<String>> =
            rest.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let segments = segments?;
        let mut segments = segments.into_iter();
        let (endpoint, id) = (segments.next()?, segments.next());
        if segments.next().is_some() {
            return None;
        }
        Some(match (endpoint.to_ascii_lowercase().as_str(), id) {
            (".search", None) => Self::Search,
            ("bulk", None) => Self::Bulk,
            ("me", None) => Self::Me,
            ("serviceproviderconfig", None) => Self::Discovery(Document::ServiceProviderConfig),
            ("resourcetypes", None) => Self::Discovery(Document::ResourceTypes),
            ("resourcetypes", Some(id)) => Self::Discovery(Document::ResourceType(id)),
            ("schemas", None) => Self::Discovery(Document::Schemas),
            ("schemas", Some(id)) => Self::Discovery(Document::Schema(id)),
            (".search" | "bulk" | "me" | "serviceproviderconfig", Some(_)) => return None,
            (_, None) => Self::Resources(endpoint),
            (_, Some(id)) if id == ".search" => Self::SearchIn(endpoint),
            (_, Some(id)) => Self::Resource(endpoint, id),
        })
    }

    /// The name under which the resource type of the route is served.
    pub(super) fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Resources(endpoint) | Self::Resource(endpoint, _) | Self::SearchIn(endpoint) => {
                Some(endpoint)
            }
            Self::Search | Self::Bulk | Self::Me | Self::Discovery(_) => None,
        }
    }

    /// The endpoint for logs, without ids and without names that only the client chose.
    pub(super) fn template(&self) -> String {
        let name = match self.endpoint().unwrap_or_default().to_ascii_lowercase().as_str() {
            "users" => "Users",
            "groups" => "Groups",
            _ => "{type}",
        };
        match self {
            Self::Resources(_) => format!("/{name}"),
            Self::Resource(..) => format!("/{name}/{{id}}"),
            Self::SearchIn(_) => format!("/{name}/.search"),
            Self::Search => "/.search".into(),
            Self::Bulk => "/Bulk".into(),
            Self::Me => "/Me".into(),
            Self::Discovery(Document::ServiceProviderConfig) => "/ServiceProviderConfig".into(),
            Self::Discovery(Document::ResourceTypes) => "/ResourceTypes".into(),
            Self::Discovery(Document::ResourceType(_)) => "/ResourceTypes/{id}".into(),
            Self::Discovery(Document::Schemas) => "/Schemas".into(),
            Self::Discovery(Document::Schema(_)) => "/Schemas/{id}".into(),
        }
    }

    /// The methods that the endpoint supports.
    pub(super) fn methods(&self) -> &'static [Method] {
        match self {
            Self::Resources(_) => &[Method::GET, Method::POST],
            Self::Resource(..) => &[Method::GET, Method::PUT, Method::PATCH, Method::DELETE],
            Self::SearchIn(_) | Self::Search | Self::Bulk => &[Method::POST],
            Self::Me => &[Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE],
            Self::Discovery(_) => &[Method::GET],
        }
    }

    /// The methods as an `Allow` header lists them.
    pub(super) fn allow(&self) -> String {
        self.methods().iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// A path segment, decoded; `None` if it contains characters that cannot be part of an id or
/// endpoint, and that another reader might treat as a separator or decode again.
fn decode(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    let odd = text.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | '%' | ';'));
    (!odd && text != "." && text != "..").then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_routed_as_identity_providers_write_them() {
        for path in ["/scim/v2/Users", "/scim/v2/Users/", "/scim/v2//Users", "/scim/v2/users"] {
            assert_eq!(Route::of(path, None).unwrap().template(), "/Users", "{path}");
        }
        assert_eq!(
            Route::of("/scim/v2/Users/a%2Db", None),
            Some(Route::Resource("Users".into(), "a-b".into()))
        );
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
        assert_eq!(
            Route::of(&format!("/scim/v2/Schemas/{urn}"), None),
            Some(Route::Discovery(Document::Schema(urn.into())))
        );
        assert_eq!(
            Route::of(&format!("/scim/v2/Schemas/{}", urn.replace(':', "%3A")), None),
            Some(Route::Discovery(Document::Schema(urn.into())))
        );
    }

    #[test]
    fn a_tenant_can_have_its_own_base_path() {
        let own = Some("/api/scim/2.0");
        assert_eq!(Route::of("/api/scim/2.0/Users", own), Some(Route::Resources("Users".into())));
        assert_eq!(Route::of("/scim/v2/Users", own), Some(Route::Resources("Users".into())));
        for path in ["/api/scim/2.0x/Users", "/api/scim/Users", "/api/scim/2.0"] {
            assert_eq!(Route::of(path, own), None, "{path}");
        }
        assert_eq!(Route::of("/api/scim/2.0/Users", None), None);
        assert_eq!(
            Route::of("/scim/v2/Users", Some("/scim")),
            Some(Route::Resources("Users".into()))
        );
        assert_eq!(Route::of("/scim/Users", Some("/scim")), Some(Route::Resources("Users".into())));
    }

    #[test]
    fn paths_that_decode_twice_or_walk_up_lead_nowhere() {
        for path in [
            "/",
            "/Users",
            "/scim/v2",
            "/scim/v2x/Users",
            "/scim/v2/Users/a/b",
            "/scim/v2/Users/a%2Fb",
            "/scim/v2/Users/a%252Fb",
            "/scim/v2/%2e%2e/Users",
            "/scim/v2/../Users",
            "/scim/v2/Users/a%00",
            "/scim/v2/Users/%c0%af",
            "/scim/v2/Users/a%5Cb",
            "/scim/v2/Users/a;b",
        ] {
            assert_eq!(Route::of(path, None), None, "{path}");
        }
    }
}
