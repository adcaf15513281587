//! The row that records that a resource is a member of a group. The product hears of a membership
//! by this row, and not by the member's, which is read with the whole group and stays small.

use scim_core::ResourceId;

use super::identity::{self, about};
use super::kind::RowKind;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key, PARTITION, Row};
use crate::store::model::tenant_key::{TenantKey, is_made};

/// The id of the member, if it came from elsewhere; otherwise it is in the row's key.
const MEMBER: &str = "mi";

/// The row's key.
pub(crate) fn key(tenant: &TenantKey, member: &ResourceId, group: &ResourceId) -> Key {
    Key::new(tenant.memberships(member), tenant.id_key(group))
}

/// The row, without the type of the member.
pub(crate) fn row(tenant: &TenantKey, member: &ResourceId, group: &ResourceId) -> Row {
    let row = about(RowKind::Membership.row(key(tenant, member, group)), group);
    if is_made(&member.folded()) { row } else { row.text(MEMBER, member.as_str()) }
}

/// The group that the row names.
pub(crate) fn group(row: &Item) -> Result<ResourceId, StoreError> {
    identity::id(row, row.s())
}

/// The member that the row names.
pub(crate) fn member(row: &Item) -> Result<ResourceId, StoreError> {
    let in_key = row.need(PARTITION)?.rsplit('#').next().unwrap_or_default();
    let id = row.text(MEMBER).unwrap_or(in_key);
    id.parse().map_err(|()| StoreError::broken("a membership names no member"))
}
