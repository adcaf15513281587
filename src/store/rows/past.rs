//! Memberships that ended because a user was deleted, kept as long as the user: one row for those
//! that ended in one transaction.

use scim_core::ResourceId;

use super::identity::about;
use super::ids;
use super::kind::RowKind;
use super::log::{GROUPS, unique_id};
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Item, Key};
use crate::store::model::audit::Audit;
use crate::store::model::departure::{PastMemberships, SoftDeletion};
use crate::store::model::tenant_key::TenantKey;

/// The prefix of the sort keys of the memberships that ended by the deletion which made this
/// version of the user.
pub(crate) fn prefix(tenant: &TenantKey, user: &ResourceId, version: u64) -> String {
    format!("{}{version}#", prefix_of_all(tenant, user))
}

/// The prefix of the sort keys of all kept memberships of a user.
pub(crate) fn prefix_of_all(tenant: &TenantKey, user: &ResourceId) -> String {
    format!("{}#", tenant.id_key(user))
}

/// The version that the deletion made which a row of a user belongs to.
pub(crate) fn version(tenant: &TenantKey, user: &ResourceId, row: &Item) -> Option<u64> {
    let rest = row.s().strip_prefix(&prefix_of_all(tenant, user))?;
    rest.split_once('#')?.0.parse().ok()
}

/// Adds the row of memberships that end.
pub(crate) fn keep(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    (user, groups): (&ResourceId, &[ResourceId]),
    deletion: SoftDeletion,
    audit: &Audit,
) -> Result<(), StoreError> {
    let prefix = prefix(tenant, user, deletion.version);
    let key = Key::new(tenant.past(), format!("{prefix}{}", unique_id(audit.milliseconds)));
    let row = about(RowKind::Past.row(key), user).number(EXPIRES, deletion.expires);
    transaction.put(Role::Other, ids::put(row, GROUPS, groups), None)
}

/// Adds the removal of a row.
pub(crate) fn forget(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    past: &PastMemberships,
) -> Result<(), StoreError> {
    transaction.delete(Role::Other, Key::new(tenant.past(), &past.key), None)
}

/// The memberships that a row keeps.
pub(crate) fn read(row: &Item) -> PastMemberships {
    let groups = ids::read(row, GROUPS).unwrap_or_default();
    PastMemberships { key: row.s().to_owned(), groups }
}
