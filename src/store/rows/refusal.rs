//! The row of the refusals of one moment. The rows of a tenant are a ring: the oldest are removed.

use super::kind::RowKind;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Item, Key, signed};
use crate::store::model::refused::RefusalBatch;
use crate::store::model::tenant_key::TenantKey;

/// When the first of them happened, in seconds since 1970.
const TIME: &str = "at";
/// The refusals, as JSON.
const ENTRIES: &str = "en";
/// How many more requests were refused, of which there is no entry.
const MORE: &str = "more";

/// How long the row is kept, in seconds: 30 days.
const KEPT: i64 = 30 * 24 * 60 * 60;

/// Adds the row. A row that an earlier try has written is replaced: it has the same refusals.
pub(crate) fn add(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    batch: &RefusalBatch,
) -> Result<(), StoreError> {
    let entries = serde_json::to_string(&batch.entries)
        .map_err(|_| StoreError::broken("a refusal cannot be written"))?;
    let row = RowKind::Refusals
        .row(Key::new(tenant.refusals(), &batch.id))
        .number(TIME, batch.at)
        .text(ENTRIES, &entries)
        .number(EXPIRES, batch.at.saturating_add(KEPT));
    let more = (batch.more > 0).then(|| signed(batch.more));
    transaction.put(Role::Other, row.number_if(MORE, more), None)
}

/// Adds the removal of a row.
pub(crate) fn remove(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    id: &str,
) -> Result<(), StoreError> {
    transaction.delete(Role::Other, Key::new(tenant.refusals(), id), None)
}

/// The refusals of a row.
pub(crate) fn read(row: &Item) -> Result<RefusalBatch, StoreError> {
    let entries = serde_json::from_str(row.need(ENTRIES)?)
        .map_err(|_| StoreError::broken("the entries of a refusal are not readable"))?;
    let more = row.number(MORE).unwrap_or_default().unsigned_abs();
    Ok(RefusalBatch { id: row.s().to_owned(), at: row.need_number(TIME)?, entries, more })
}
