//! The settings of a profile, section by section.

use scim_core::Schema;
use scim_core::schema::registry::Overlay;
use serde::{Deserialize, Serialize};

/// What becomes of users who are deleted or made inactive.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deprovision {
    /// What DELETE of a user does. It is 404 for the identity provider afterwards, whatever is
    /// kept.
    pub on_delete: OnDelete,
    /// What `active` false does.
    pub on_inactive: OnInactive,
    /// Days for which a deleted user, or one suspended with expiry, is kept: 1 to 3650; without a
    /// number, as the deployment says (90).
    pub retention_days: Option<u32>,
}

/// What DELETE of a user does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// The user can come back until the retention ends, then it is erased.
    #[default]
    SoftDelete,
    /// The user is inactive and kept without end.
    Deactivate,
    /// The user is erased at once.
    HardDelete,
    /// 400: the identity provider must set `active` to false.
    Refuse,
}

/// What `active` false does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInactive {
    /// The user stays, inactive.
    #[default]
    Suspend,
    /// The user stays, inactive, and is erased when the retention ends, unless it is active again.
    SuspendWithExpiry,
}

/// What a POST of a user may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Create {
    /// What `active` false does in it.
    pub inactive: InactiveCreate,
    /// What becomes of one for somebody the product had before, who was imported.
    pub existing: Existing,
    /// By what that somebody is known, the best first.
    pub link_on: Vec<LinkOn>,
    /// What becomes of one for a person who was deleted and is still kept.
    pub deleted: Deleted,
}

impl Default for Create {
    fn default() -> Self {
        Self {
            inactive: InactiveCreate::default(),
            existing: Existing::default(),
            link_on: vec![LinkOn::ExternalId, LinkOn::UserName, LinkOn::Email],
            deleted: Deleted::default(),
        }
    }
}

/// What `active` false does in a POST.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InactiveCreate {
    /// The user is created inactive.
    #[default]
    Accept,
    /// 400.
    Refuse,
    /// The user is created active.
    IgnoreActive,
}

/// What becomes of a POST for somebody the product had before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Existing {
    /// 409.
    #[default]
    Conflict,
    /// The user is adopted, with its id and data.
    Link,
}

/// By what an imported user is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkOn {
    /// Its externalId.
    ExternalId,
    /// Its userName.
    UserName,
    /// An e-mail address that the import file marked as verified.
    Email,
}

/// What becomes of a POST for a person who was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    /// That user comes back, with its id and data.
    #[default]
    Restore,
    /// A new user is made.
    New,
}

/// How many users may be active.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seats {
    /// Most active users; without a number there is no limit.
    pub limit: Option<u32>,
    /// What becomes of a POST when they are reached. Nobody is activated beyond them in any case.
    pub when_full: WhenFull,
}

/// What becomes of a POST when no seat is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// 403.
    #[default]
    Refuse,
    /// The user is created inactive.
    CreateInactive,
}

/// Which attributes there are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttributePolicy {
    /// Paths of attributes that each user must have, beside `userName`.
    pub required: Vec<String>,
    /// Paths of the attributes that a user may have, beside `userName`, `externalId` and `active`;
    /// all if there are none.
    pub kept: Vec<String>,
    /// What becomes of other attributes in POST and PUT.
    pub unknown: Unknowns,
    /// What becomes of a PATCH operation whose path names no attribute.
    pub unknown_patch_path: Refused,
    /// Further attributes in schemas that are there, or other definitions of theirs.
    pub overlay: Vec<Overlay>,
    /// Further schemas of users.
    pub extensions: Vec<Schema>,
    /// Where e-mail addresses come from.
    pub email: Email,
    /// Whether two users may not have the same externalId.
    pub unique_external_id: bool,
    /// Whether answers show the groups of a user unasked.
    pub groups: ShownGroups,
}

/// When an answer shows the groups of a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownGroups {
    /// When the request names them.
    #[default]
    Request,
    /// Unless the request excludes them.
    Default,
}

/// Whether what no schema defines is left out or refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknowns {
    /// It is left out silently.
    #[default]
    Ignore,
    /// 400.
    Refuse,
}

/// As [`Unknowns`], refused by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// It is left out silently.
    Ignore,
    /// 400.
    #[default]
    Refuse,
}

/// Where the e-mail addresses of a user come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Email {
    /// From `emails`.
    #[default]
    AsSent,
    /// The userName is the one address, whatever `emails` says.
    FromUserName,
}

/// When too many users are deactivated at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brake {
    /// Most users that may be deactivated or deleted in the window; without a number, any.
    pub deactivations: Option<u32>,
    /// The same in percent of the users who are active when the window begins, 1 to 100; at least
    /// one user.
    pub share: Option<u32>,
    /// Minutes of the window, 1 to 10,080: it begins with the first deactivation after the last
    /// one's end.
    pub window_minutes: u32,
    /// What a deactivation beyond that answers, until the operator lifts the brake.
    pub answer: BrakeAnswer,
}

impl Brake {
    /// Whether there is one.
    pub fn is_set(&self) -> bool {
        self.deactivations.is_some() || self.share.is_some()
    }
}

impl Deprovision {
    /// Whether users may expire while they are visible.
    pub fn is_expiring(&self) -> bool {
        self.on_inactive == OnInactive::SuspendWithExpiry
    }
}

impl Default for Brake {
    fn default() -> Self {
        Self {
            deactivations: None,
            share: None,
            window_minutes: 60,
            answer: BrakeAnswer::default(),
        }
    }
}

/// What a deactivation answers while the brake is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrakeAnswer {
    /// 429: the identity provider tries again.
    #[default]
    TooManyRequests,
    /// 403: it reports an error.
    Forbidden,
}

/// Whether there are groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Groups {
    /// If not, `GET /Groups` answers with none of them and writes with 403.
    pub enabled: bool,
    /// Whether two groups may not have the same displayName, in any case.
    pub unique_display_name: bool,
}

impl Default for Groups {
    fn default() -> Self {
        Self { enabled: true, unique_display_name: true }
    }
}

/// What the identity provider may do at all; else 403.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operations {
    /// POST of a user.
    pub create: Switch,
    /// PUT and PATCH of a user, but for `active`.
    pub update: Switch,
    /// Making a user inactive.
    pub deactivate: Switch,
    /// DELETE of a user.
    pub delete: Switch,
}

/// On or off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Switch {
    #[default]
    On,
    Off,
}

impl Switch {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        self == Self::On
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
    /// The base URL for the locations of resources and the path they are served under; without one,
    /// that of the deployment.
    pub base_url: Option<String>,
    /// The path under which the tenant is served at the deployment's host, where `base_url` names
    /// no URL.
    pub base_path: Option<String>,
    /// The only host under which the tenant's tokens are good; without one, any.
    pub host: Option<String>,
}

/// How long the log is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Audit {
    /// Days, 1 to 3650; without a number, as the deployment says (365).
    pub retention_days: Option<u32>,
}
