//! The rows of a group's members. Each member has its own row and membership row, so a change of
//! one member touches no other.

use scim_core::members::MemberType;
use scim_core::{Member, ResourceId};

use super::identity::{self, about};
use super::kind::RowKind;
use super::membership;
use super::resource::{self, LIVE};
use super::role::{Role, Transaction};
use super::trace::traced;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key, flag, number, text};
use crate::store::engine::transaction::Condition;
use crate::store::model::audit::Audit;
use crate::store::model::change::MemberChange;
use crate::store::model::collection::{Collection, Kind};
use crate::store::model::tenant_key::TenantKey;

/// U, G, or [`NAMED`].
pub(crate) const TYPE: &str = "mt";
/// The display as the client wrote it.
const DISPLAY: &str = "n";

/// The kind of a member that does not name a resource, which the strict profile allows.
const NAMED: &str = "?";

/// The letter of a kind.
pub(crate) fn letter(kind: &Kind) -> &'static str {
    if *kind == Kind::Group { "G" } else { "U" }
}

/// A member from its row.
pub(crate) fn read(row: &Item) -> Result<Member, StoreError> {
    let value = identity::id(row, row.s())?;
    Ok(Member { value, kind: kind(row), display: row.text(DISPLAY).map(str::to_owned) })
}

/// The type of the member in its row or in that of its membership; `None` if it does not name a
/// resource.
pub(crate) fn kind(row: &Item) -> Option<MemberType> {
    match row.text(TYPE) {
        Some("G") => Some(MemberType::Group),
        Some(NAMED) => None,
        _ => Some(MemberType::User),
    }
}

/// The row's key.
fn key(tenant: &TenantKey, group: &ResourceId, member: &ResourceId) -> Key {
    Key::new(tenant.members(group), tenant.id_key(member))
}

/// Adds the rows of these changes of members.
pub(crate) fn change(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    group: &ResourceId,
    changes: &[MemberChange],
    audit: &Audit,
) -> Result<(), StoreError> {
    let group = Group { tenant, id: group, audit };
    for (index, change) in changes.iter().enumerate() {
        match change {
            MemberChange::Add(member) => {
                let kind = Kind::from(member.kind.unwrap_or(MemberType::User));
                group.add(transaction, index, member, letter(&kind))?;
                let home = Collection { tenant: tenant.clone(), kind };
                require_live(transaction, &home, (index, &member.value), audit.now)?;
            }
            MemberChange::AddUnknown(member) => group.add(transaction, index, member, NAMED)?,
            MemberChange::Remove(id) => remove(transaction, tenant, group.id, id, Some(index))?,
        }
    }
    Ok(())
}

/// The group whose members change.
struct Group<'a> {
    tenant: &'a TenantKey,
    id: &'a ResourceId,
    audit: &'a Audit,
}

impl Group<'_> {
    /// Adds both rows of a member, which must not exist yet.
    fn add(
        &self,
        transaction: &mut Transaction,
        index: usize,
        member: &Member,
        letter: &str,
    ) -> Result<(), StoreError> {
        let row = RowKind::Member
            .row(key(self.tenant, self.id, &member.value))
            .text(TYPE, letter)
            .text_if(DISPLAY, member.display.as_deref());
        let row = about(row, &member.value);
        transaction.put(Role::Member(index), row, Some(Condition::absent()))?;
        let row = membership::row(self.tenant, &member.value, self.id).text(TYPE, letter);
        transaction.put(Role::Other, traced(row, self.audit), None)
    }
}

/// Requires the new member to be visible, and records on its row that it has memberships. This
/// costs the same as a check, and a deletion reads it there.
fn require_live(
    transaction: &mut Transaction,
    home: &Collection,
    (index, id): (usize, &ResourceId),
    now: i64,
) -> Result<(), StoreError> {
    let lives = "st = :live AND (attribute_not_exists(x) OR x > :now)";
    let values = [(":live", text(LIVE)), (":now", number(now)), (":grouped", flag(true))];
    let row = resource::key(home, id);
    transaction.update(Role::NewMember(index), row, "SET g = :grouped", values, lives)
}

/// Adds the removal of both rows of a member. If the index of a change is given, the member must
/// exist.
pub(crate) fn remove(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    group: &ResourceId,
    member: &ResourceId,
    index: Option<usize>,
) -> Result<(), StoreError> {
    let (role, condition) = match index {
        Some(index) => (Role::Member(index), Some(Condition::exists())),
        None => (Role::Other, None),
    };
    transaction.delete(role, key(tenant, group, member), condition)?;
    transaction.delete(Role::Other, membership::key(tenant, member, group), None)
}
