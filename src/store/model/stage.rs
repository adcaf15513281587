//! Whether a resource is visible, deleted or imported, and active.

use scim_core::Resource;
use scim_core::resource::Attributes;
use serde_json::Value;

/// The state of a resource, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Visible to the identity provider, active or not.
    Live,
    /// Deleted by the identity provider: 404, kept until the row expires.
    Deleted,
    /// Imported: known to the product, not to the identity provider yet.
    Unmanaged,
}

/// The facts that determine a user's state in `docs/LIFE.md`.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Visible, deleted, or not provisioned yet.
    pub state: Stage,
    /// When the row may be removed, in seconds since 1970.
    pub expires: Option<i64>,
    /// Whether the user is active.
    pub active: bool,
}

/// Whether a user counts as active. A user without a value for `active` does not: losing a value
/// must not let anyone in.
pub fn is_active(attributes: &Attributes) -> bool {
    attributes.get("active") == Some(&Value::Bool(true))
}

/// 1 for an active user, 0 for all others.
pub(crate) fn activity(resource: &Resource) -> i64 {
    i64::from(is_active(&resource.attributes))
}
