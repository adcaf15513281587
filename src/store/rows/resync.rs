//! The row of a resync: what it covers, how far it came, and what it touched.

use crate::store::engine::error::StoreError;
use crate::store::engine::item::Item;
use crate::store::model::resync::{Resync, ResyncCounts, ResyncScope};

/// What it covers, as JSON.
const SCOPE: &str = "sc";
/// When it began, in seconds since 1970.
const BEGUN: &str = "at";
/// Users that it has touched.
const USERS: &str = "nu";
/// Groups that it has touched.
const GROUPS: &str = "ng";
/// Memberships that it has touched.
const MEMBERS: &str = "nm";
/// Resources of other types that it has touched.
const RESOURCES: &str = "nr";
/// Where it continues after an interruption.
const POSITION: &str = "pos";
/// When it finished, in seconds since 1970.
const FINISHED: &str = "done";

/// A resync from its row.
pub(crate) fn read(row: &Item) -> Result<Resync, StoreError> {
    let scope: ResyncScope = serde_json::from_str(row.need(SCOPE)?)
        .map_err(|_| StoreError::broken("the scope of a resync is not readable"))?;
    let count = |name: &str| Ok::<_, StoreError>(row.need_number(name)?.unsigned_abs());
    Ok(Resync {
        id: row.s().to_owned(),
        scope,
        begun: row.need_number(BEGUN)?,
        counts: ResyncCounts {
            users: count(USERS)?,
            groups: count(GROUPS)?,
            members: count(MEMBERS)?,
            resources: count(RESOURCES)?,
        },
        position: row.text(POSITION).map(str::to_owned),
        finished: row.number(FINISHED),
    })
}
