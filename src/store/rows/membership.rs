//! The row that records that a resource is a member of a group.

use scim_core::ResourceId;

use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Row};
use crate::store::model::tenant_key::TenantKey;

/// The row's key.
pub(crate) fn key(tenant: &TenantKey, member: &ResourceId, group: &ResourceId) -> Row {
    Row::new(&tenant.memberships(member), group.as_str())
}

/// The group that the row names.
pub(crate) fn group(row: &Item) -> Result<ResourceId, StoreError> {
    row.s().parse().map_err(|()| StoreError::broken("a membership's row has an invalid id"))
}
