//! The row that records that a resource is a member of a group.

use scim_core::ResourceId;

use super::identity;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key};
use crate::store::model::tenant_key::TenantKey;

/// The row's key.
pub(crate) fn key(tenant: &TenantKey, member: &ResourceId, group: &ResourceId) -> Key {
    Key::new(tenant.memberships(member), tenant.id_key(group))
}

/// The group that the row names.
pub(crate) fn group(row: &Item) -> Result<ResourceId, StoreError> {
    identity::id(row, row.s())
}
