//! The audit log: one row for each change, in its transaction.

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use super::identity::ID;
use super::kind::RowKind;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Key, signed};
use crate::store::model::audit::Audit;
use crate::store::model::change::MemberChange;
use crate::store::model::tenant_key::TenantKey;

/// What was done.
const OPERATION: &str = "op";
/// The version that the change made.
const VERSION: &str = "v";
/// When, in seconds since 1970.
const TIME: &str = "at";
/// Token id.
const ACTOR: &str = "ac";
/// Request id.
const REQUEST: &str = "rq";
/// Changed attributes as `name=digest`, including `members.add` and `members.remove`.
const CHANGES: &str = "ch";

/// A changed attribute and the digest of its new value.
pub(crate) type Changed = (String, String);

/// Adds the log row: the names of changed attributes and a keyed digest of each new value, never a
/// value; the version, unless the resource's own row is not written. Its key is time-ordered.
pub(crate) fn add(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    audit: &Audit,
    (id, version): (&ResourceId, Option<u64>),
    changes: &[Changed],
) -> Result<(), StoreError> {
    let row = RowKind::Log
        .row(Key::new(tenant.log(), uuid::Uuid::now_v7()))
        .text(OPERATION, audit.operation.as_str())
        .text(ID, id.as_str())
        .number(TIME, audit.now)
        .text(ACTOR, &audit.actor)
        .text(REQUEST, &audit.request_id)
        .texts(CHANGES, changes.iter().map(|(name, digest)| format!("{name}={digest}")))
        .number(EXPIRES, audit.log_expires)
        .number_if(VERSION, version.map(signed));
    transaction.put(Role::Other, row, None)
}

/// The changed attributes.
pub(crate) fn changes(tenant: &TenantKey, before: &Attributes, after: &Attributes) -> Vec<Changed> {
    let digest = |name: &str| {
        let value = match name.rsplit_once(':') {
            Some((urn, name)) => after.get(urn).and_then(|extension| extension.get(name)),
            None => after.get(name),
        };
        value.map(|value| tenant.log_digest(&value.to_string())).unwrap_or_default()
    };
    before.changed(after).into_iter().map(|name| (name.clone(), digest(&name))).collect()
}

/// The members that are added and removed.
pub(crate) fn member_changes(tenant: &TenantKey, changes: &[MemberChange]) -> Vec<Changed> {
    let name = |change: &MemberChange| match change {
        MemberChange::Add(_) | MemberChange::AddUnknown(_) => "members.add",
        MemberChange::Remove(_) => "members.remove",
    };
    let digest = |change: &MemberChange| tenant.log_digest(&change.member().folded());
    changes.iter().map(|change| (name(change).to_owned(), digest(change))).collect()
}

/// The groups that a member leaves.
pub(crate) fn groups_left(tenant: &TenantKey, groups: &[ResourceId]) -> Vec<Changed> {
    let digest = |group: &ResourceId| tenant.log_digest(&group.folded());
    groups.iter().map(|group| ("groups.remove".to_owned(), digest(group))).collect()
}
