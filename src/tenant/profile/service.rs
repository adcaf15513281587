//! Settings for the service itself: groups, tokens, the address, the log.

use serde::{Deserialize, Serialize};

/// Whether groups are served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Groups {
    /// If not, `GET /Groups` returns an empty list, and a write is answered with 403.
    pub enabled: bool,
    /// Whether a second group with the same displayName, ignoring case, is refused.
    pub unique_display_name: bool,
}

impl Default for Groups {
    fn default() -> Self {
        Self { enabled: true, unique_display_name: true }
    }
}

/// How tokens are minted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Token {
    /// Whether the operator can have a token shown again.
    pub reveal: Reveal,
    /// Days for which a token is valid, 1 to 3650.
    pub lifetime_days: u32,
    /// Days for which the earlier tokens stay valid after a rotation, 0 to 365.
    pub overlap_days: u32,
}

impl Default for Token {
    fn default() -> Self {
        Self { reveal: Reveal::default(), lifetime_days: 365, overlap_days: 7 }
    }
}

/// Whether a token can be shown again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reveal {
    /// It is shown once, when it is minted; only its digest is kept.
    #[default]
    Once,
    /// It is kept for `scimctl token show`, in a separate secret that the service cannot read.
    Again,
}

/// Where the tenant is served.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The base URL in the locations of resources, whose path is served; `None` means that of the
    /// deployment.
    pub base_url: Option<String>,
    /// The path under which the tenant is served at the deployment's host, if `base_url` is
    /// `None`.
    pub base_path: Option<String>,
    /// The only host at which the tenant's tokens are valid; `None` means any.
    pub host: Option<String>,
}

/// How long the log is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Audit {
    /// Days, 1 to 3650; `None` means the deployment's number, 365 by default.
    pub retention_days: Option<u32>,
}
