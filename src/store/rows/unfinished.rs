//! Unfinished work: one row for each deletion whose memberships still exist, and for each group
//! that is being created in parts.
//!
//! The row is written in the transaction of the deletion, or with the first part of the group, and
//! removed with the last of what it stands for. Whatever fails in between, the members of groups
//! are read without the resources that such rows name, and a later write of the tenant continues
//! the work. The rows follow the tenant's own, so a read of the tenant's row also shows whether
//! there are any.

use scim_core::ResourceId;

use super::identity::{self, about};
use super::kind::RowKind;
use super::member::letter;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key, signed, text};
use crate::store::engine::transaction::Condition;
use crate::store::model::collection::{Collection, Kind};
use crate::store::model::departure::SoftDeletion;
use crate::store::model::tenant_key::TenantKey;

/// The prefix of the sort keys.
pub(crate) const PREFIX: &str = "unfinished#";
/// Deletion or creation.
const CAUSE: &str = "why";
/// Since when, in seconds since 1970.
const SINCE: &str = "since";
/// The version that the soft deletion of a user made, whose memberships are kept.
const VERSION: &str = "v";
/// When the kept memberships expire, in seconds since 1970.
const KEPT_UNTIL: &str = "kept";

/// Why something is unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A user or group was deleted, and its memberships and members are to be removed.
    Deletion,
    /// A group is being created, or its creation failed: then its members' rows are to be removed.
    Creation,
}

impl Cause {
    /// The word in the row's `why`.
    fn as_str(self) -> &'static str {
        match self {
            Self::Deletion => "deletion",
            Self::Creation => "creation",
        }
    }
}

/// Unfinished work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// A user or a group.
    pub kind: Kind,
    /// Its id.
    pub id: ResourceId,
    /// Why.
    pub cause: Cause,
    /// Since when, in seconds since 1970.
    pub since: i64,
    /// The soft deletion of a user whose memberships are kept; `None` if they are not, or an earlier
    /// release deleted the user.
    pub deletion: Option<SoftDeletion>,
}

/// Work to be recorded as unfinished.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    /// Why it is unfinished.
    pub(crate) cause: Cause,
    /// The soft deletion of a user whose memberships are kept.
    pub(crate) deletion: Option<SoftDeletion>,
}

impl Unfinished {
    /// Unfinished work from its row.
    pub(crate) fn read(row: &Item) -> Result<Self, StoreError> {
        let wrong = || StoreError::broken("a row of unfinished work names no resource");
        let rest = row.s().strip_prefix(PREFIX).and_then(|rest| rest.split_once('#'));
        let (kind, in_key) = rest.ok_or_else(wrong)?;
        Ok(Self {
            kind: if kind == letter(&Kind::Group) { Kind::Group } else { Kind::User },
            id: identity::id(row, in_key)?,
            cause: match row.need(CAUSE)? {
                "creation" => Cause::Creation,
                _ => Cause::Deletion,
            },
            since: row.need_number(SINCE)?,
            deletion: deletion(row),
        })
    }
}

/// The soft deletion that a row names.
fn deletion(row: &Item) -> Option<SoftDeletion> {
    let (version, expires) = (row.number(VERSION)?, row.number(KEPT_UNTIL)?);
    Some(SoftDeletion { version: version.unsigned_abs(), expires })
}

/// The key of the row about this resource.
pub(crate) fn key(tenant: &TenantKey, kind: &Kind, id: &ResourceId) -> Key {
    let s = format!("{PREFIX}{}#{}", letter(kind), tenant.id_key(id));
    Key::new(tenant.own(), s)
}

/// Records that work is unfinished.
pub(crate) fn begin(
    transaction: &mut Transaction,
    collection: &Collection,
    id: &ResourceId,
    work: Work,
    now: i64,
) -> Result<(), StoreError> {
    let row = RowKind::Unfinished.row(key(&collection.tenant, &collection.kind, id));
    let row = row
        .text(CAUSE, work.cause.as_str())
        .number(SINCE, now)
        .number_if(VERSION, work.deletion.map(|deletion| signed(deletion.version)))
        .number_if(KEPT_UNTIL, work.deletion.map(|deletion| deletion.expires));
    transaction.set(Role::Other, about(row, id), &[VERSION, KEPT_UNTIL], None)
}

/// Records that work is finished, if it was unfinished at all.
pub(crate) fn end(
    transaction: &mut Transaction,
    collection: &Collection,
    id: &ResourceId,
) -> Result<(), StoreError> {
    transaction.delete(Role::Other, key(&collection.tenant, &collection.kind, id), None)
}

/// Records that work is finished, if nobody else has recorded it.
pub(crate) fn end_still(
    transaction: &mut Transaction,
    collection: &Collection,
    id: &ResourceId,
) -> Result<(), StoreError> {
    let key = key(&collection.tenant, &collection.kind, id);
    transaction.delete(Role::Other, key, Some(Condition::exists()))
}

/// Requires that work is still unfinished.
pub(crate) fn require(
    transaction: &mut Transaction,
    collection: &Collection,
    id: &ResourceId,
) -> Result<(), StoreError> {
    let key = key(&collection.tenant, &collection.kind, id);
    transaction.check(Role::Other, key, Condition::exists())
}

/// Records that a creation is finished, if no other request has given it up in the meantime.
pub(crate) fn end_creation(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    group: &ResourceId,
) -> Result<(), StoreError> {
    let still = Condition("why = :creation", vec![(":creation", text(Cause::Creation.as_str()))]);
    transaction.delete(Role::Creating, key(tenant, &Kind::Group, group), Some(still))
}

/// Records that a creation is given up: its members' rows are to be removed as those of a deleted
/// group.
pub(crate) fn abandon_creation(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    group: &ResourceId,
) -> Result<(), StoreError> {
    let values = [
        (":deletion", text(Cause::Deletion.as_str())),
        (":creation", text(Cause::Creation.as_str())),
    ];
    let (key, still) = (key(tenant, &Kind::Group, group), "why = :creation");
    transaction.update(Role::Other, key, "SET why = :deletion", values, still)
}
