//! Settings for messages: how they are read and answered where identity providers differ.

use serde::{Deserialize, Serialize};

use super::switch::Switch;

/// How closely messages must follow the RFCs, and where identity providers differ.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DialectPolicy {
    /// The identity provider whose dialect was set.
    pub idp: Option<String>,
    /// Whether filters and operations may deviate from the RFCs.
    pub messages: Messages,
    /// Whether a PATCH `replace` creates a value that its filter does not find.
    pub replace_without_match: NoMatch,
    /// How the token appears in the Authorization header.
    pub header: Header,
    /// What a PATCH of a group answers.
    pub group_patch: GroupPatch,
    /// What a PUT of a group without `members` does to them.
    pub put_members: PutMembers,
}

/// Whether messages may deviate from the RFCs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Messages {
    /// The forms that identity providers send are accepted.
    #[default]
    Tolerant,
    /// Only messages to the letter of the RFCs are accepted.
    Strict,
}

/// What a PATCH `replace` whose filter finds nothing does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoMatch {
    /// It creates the value that the filter describes.
    #[default]
    Create,
    /// 400 `noTarget`.
    Refuse,
}

/// How the token appears in the Authorization header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// After the word Bearer.
    #[default]
    Bearer,
    /// After the word Bearer, or alone.
    Verbatim,
}

/// What a PATCH of a group answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupPatch {
    /// 200 with the group, 204 if it has over 100 members.
    #[default]
    Resource,
    /// 204, unless the request names attributes.
    NoContent,
}

/// What a PUT of a group without `members` does to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PutMembers {
    /// All of them are removed.
    #[default]
    Clear,
    /// They stay.
    Keep,
}

/// What `/ServiceProviderConfig` says, for clients that would refuse the whole document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Discovery {
    /// Whether it has `pagination` (RFC 9865).
    pub pagination: Switch,
    /// Whether it says that entity tags are supported. They work either way.
    pub etag: Switch,
}
