//! Settings of the service itself: groups, tokens, the address, the log.

use serde::{Deserialize, Serialize};

/// Whether groups are served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Groups {
    /// If not, `GET /Groups` answers with an empty list, and a write with 403.
    pub enabled: bool,
    /// Whether a second group with the same displayName, in any case, is refused.
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
    /// Days for which a token is good, 1 to 3650.
    pub lifetime_days: u32,
    /// Days for which the tokens before a rotation stay good, 0 to 365.
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
    /// It is kept in a secret of its own that the service cannot read, for `scimctl token show`.
    Again,
}

/// Where the tenant is served.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The base URL in the locations of resources, whose path is served; `None` is that of the
    /// deployment.
    pub base_url: Option<String>,
    /// The path under which the tenant is served at the deployment's host, if `base_url` is
    /// `None`.
    pub base_path: Option<String>,
    /// The only host at which the tenant's tokens are good; `None` is any.
    pub host: Option<String>,
}

/// How long the log is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Audit {
    /// Days, 1 to 3650; `None` is the deployment's number, 365 by default.
    pub retention_days: Option<u32>,
}
