//! The audit log: one row for each change, in its transaction.

mod attributes;
mod entry;
mod keys;
mod read;

use super::identity::ID;
use super::ids;
use super::kind::RowKind;
use super::resource::DOCUMENT;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Key, Row, number, signed};
use crate::store::model::audit::Audit;
use crate::store::model::stage::Standing;
use crate::store::model::tenant_key::TenantCode;

use attributes::{ACTOR, ADDED, CHANGES, OPERATION, REMOVED, REQUEST, SUBJECT, TIME, VERSION, WAS};

pub(crate) use attributes::GROUPS;
pub(crate) use entry::Entry;
pub(crate) use keys::{bound, unique_id};
pub(crate) use read::read;

/// Adds a row of the log.
pub(crate) fn add(
    transaction: &mut Transaction,
    tenant: &TenantCode,
    audit: &Audit,
    entry: Entry<'_>,
) -> Result<(), StoreError> {
    add_with_id(transaction, tenant, audit, entry).map(drop)
}

/// Adds a row of the log, if there is an audit.
pub(crate) fn add_if(
    transaction: &mut Transaction,
    tenant: &TenantCode,
    audit: Option<&Audit>,
    entry: Entry<'_>,
) -> Result<(), StoreError> {
    audit.map_or(Ok(()), |audit| add(transaction, tenant, audit, entry))
}

/// Adds a row of the log and returns its id. The key is at the time of the audit: keys are in the
/// order of time, and those that one process makes in a millisecond are in the order in which it
/// makes them.
pub(crate) fn add_with_id(
    transaction: &mut Transaction,
    tenant: &TenantCode,
    audit: &Audit,
    entry: Entry<'_>,
) -> Result<String, StoreError> {
    let key = Key::new(tenant.log(), unique_id(audit.milliseconds));
    let id = key.s.clone();
    transaction.put(Role::Other, row(key, audit, entry), None)?;
    Ok(id)
}

/// A row of the log under this key.
fn row(key: Key, audit: &Audit, entry: Entry<'_>) -> Row {
    let row = RowKind::Log
        .row(key)
        .text(OPERATION, audit.operation.as_str())
        .text(SUBJECT, &entry.subject.mark())
        .text(ID, entry.id)
        .number(TIME, audit.now)
        .text(ACTOR, &audit.actor)
        .text(REQUEST, &audit.request_id)
        .texts(CHANGES, entry.changes())
        .number(EXPIRES, audit.log_expires)
        .number_if(VERSION, entry.version.map(signed))
        .text_if(WAS, entry.was.map(Standing::word).as_deref())
        .text_if(DOCUMENT, entry.document.as_deref());
    let row = ids::put(row, ADDED, entry.added);
    let row = ids::put(row, REMOVED, entry.removed);
    ids::put(row, GROUPS, entry.left)
}

/// Adds to the row of an export how many users it wrote.
pub(crate) fn set_count(
    transaction: &mut Transaction,
    key: Key,
    count: u64,
) -> Result<(), StoreError> {
    let values = [(":count", number(signed(count)))];
    transaction.update(Role::Other, key, "SET n = :count", values, "attribute_exists(p)")
}
