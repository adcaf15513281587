//! The resource that a row is about.

use scim_core::ResourceId;

use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Row};
use crate::store::model::tenant_key::is_made;

/// The id of the resource that the row is about; of a name's row, the id of its owner. It is absent
/// where the row's key has the id itself.
pub(crate) const ID: &str = "i";

/// Adds the id, unless it is in the row's key.
pub(crate) fn about(row: Row, id: &ResourceId) -> Row {
    if is_made(&id.folded()) { row } else { row.text(ID, id.as_str()) }
}

/// The id of the resource that a row is about; `in_key` is the part of the row's key that stands
/// for it.
pub(crate) fn id(row: &Item, in_key: &str) -> Result<ResourceId, StoreError> {
    let id = row.text(ID).unwrap_or(in_key);
    id.parse().map_err(|()| StoreError::broken("a row names no resource"))
}
