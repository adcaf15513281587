//! Settings for the attributes of users.

use scim_core::Schema;
use scim_core::schema::registry::Overlay;
use serde::{Deserialize, Serialize};

/// Which attributes a user has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttributePolicy {
    /// Paths of the attributes that each user must have in addition to `userName`.
    pub required: Vec<String>,
    /// Paths of the attributes that a user can have in addition to `userName`, `externalId` and
    /// `active`; if empty, a user can have all.
    pub kept: Vec<String>,
    /// What happens to other attributes in POST and PUT.
    pub unknown: UnknownAttributes,
    /// What happens to a PATCH operation whose path names no attribute.
    pub unknown_patch_path: UnknownPaths,
    /// Further attributes in existing schemas, or other definitions of their attributes.
    pub overlay: Vec<Overlay>,
    /// Further schemas of users.
    pub extensions: Vec<Schema>,
    /// Where email addresses come from.
    pub email: Email,
    /// Whether a second user with the same externalId is refused.
    pub unique_external_id: bool,
    /// When answers show the groups of a user.
    pub groups: ShownGroups,
}

/// When an answer shows the groups of a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownGroups {
    /// When the request names them.
    #[default]
    Request,
    /// By default, unless the request excludes them.
    Default,
}

/// What happens to attributes that no schema defines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownAttributes {
    /// They are left out silently.
    #[default]
    Ignore,
    /// 400.
    Refuse,
}

/// What happens to PATCH operations whose paths name no attribute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPaths {
    /// They are left out silently.
    Ignore,
    /// 400.
    #[default]
    Refuse,
}

/// Where the email addresses of a user come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Email {
    /// From `emails`.
    #[default]
    AsSent,
    /// The userName is the only address, whatever `emails` says.
    FromUserName,
}
