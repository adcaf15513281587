//! Settings for users: how they are created, deactivated and deleted, and how many at once.

use serde::{Deserialize, Serialize};

use super::switch::Switch;

/// What happens to users who are deleted or made inactive.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deprovision {
    /// What DELETE of a user does. Afterwards the identity provider gets 404 for the user, whatever
    /// is kept.
    pub on_delete: OnDelete,
    /// What `active` false does.
    pub on_inactive: OnInactive,
    /// Days for which a deleted user, or one suspended with expiry, is kept, 1 to 3650; `None`
    /// means the deployment's number, 90 by default.
    pub retention_days: Option<u32>,
}

impl Deprovision {
    /// Whether users can expire while they are visible.
    pub fn is_expiring(&self) -> bool {
        self.on_inactive == OnInactive::SuspendWithExpiry
    }
}

/// What DELETE of a user does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// The user can come back until the retention ends, and is then erased.
    #[default]
    SoftDelete,
    /// The user is inactive and kept indefinitely.
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
    /// The user stays, inactive, and is erased when the retention ends, unless the user is active
    /// again before that.
    SuspendWithExpiry,
}

/// What a POST of a user does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Create {
    /// What `active` false does in it.
    pub inactive: InactiveCreate,
    /// What happens to a POST for an imported user.
    pub existing: Existing,
    /// What identifies an imported user, the most reliable first.
    pub link_on: Vec<LinkOn>,
    /// What happens to a POST for a deleted user who is still kept.
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

/// What happens to a POST for an imported user: an existing user of the product that SCIM does not
/// manage yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Existing {
    /// 409.
    #[default]
    Conflict,
    /// The user is adopted, with its id and data.
    Link,
}

/// What identifies an imported user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkOn {
    /// Its externalId.
    ExternalId,
    /// Its userName.
    UserName,
    /// An email address that the import file marked as verified.
    Email,
}

/// What happens to a POST for a deleted user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    /// The user comes back, with its id and data.
    #[default]
    Restore,
    /// A new user is created.
    New,
}

/// How many users can be active.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seats {
    /// Maximum number of active users; `None` means no limit.
    pub limit: Option<u32>,
    /// What happens to a POST when no seat is left. No user is ever activated beyond the limit.
    pub when_full: WhenFull,
}

/// What happens to a POST when no seat is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// 403.
    #[default]
    Refuse,
    /// The user is created inactive.
    CreateInactive,
}

/// When too many users are deactivated at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brake {
    /// Maximum number of users that can be deactivated or deleted in the window; `None` means any
    /// number.
    pub deactivations: Option<u32>,
    /// The same as a percentage of the users who are active when the window begins, 1 to 100; at
    /// least one user.
    pub share: Option<u32>,
    /// Which of the two numbers is the maximum if both are set.
    pub maximum: BrakeMaximum,
    /// Minutes of a window, 1 to 10,080. A window begins with the first deactivation after the end
    /// of the last one.
    pub window_minutes: u32,
    /// The answer to a deactivation beyond that, until the operator lifts the brake.
    pub answer: BrakeAnswer,
}

impl Brake {
    /// Whether there is a brake.
    pub fn is_set(&self) -> bool {
        self.deactivations.is_some() || self.share.is_some()
    }
}

impl Default for Brake {
    fn default() -> Self {
        Self {
            deactivations: None,
            share: None,
            maximum: BrakeMaximum::default(),
            window_minutes: 60,
            answer: BrakeAnswer::default(),
        }
    }
}

/// Which of the two numbers of a brake is the maximum if both are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrakeMaximum {
    /// The smaller one.
    #[default]
    Smaller,
    /// The larger one: the share for many users, and the number for a few.
    Larger,
}

/// The answer to a deactivation while the brake is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrakeAnswer {
    /// 429: the identity provider tries again.
    #[default]
    TooManyRequests,
    /// 403: it reports an error.
    Forbidden,
}

/// The operations that the identity provider may use. All others are answered with 403.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operations {
    /// POST of a user.
    pub create: Switch,
    /// PUT and PATCH of a user, except for `active`.
    pub update: Switch,
    /// Making a user inactive.
    pub deactivate: Switch,
    /// DELETE of a user.
    pub delete: Switch,
}
