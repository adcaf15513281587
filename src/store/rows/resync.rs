//! The row of a resync: what it covers, how far it came, and what it touched.

use super::kind::RowKind;
use super::role::{Role, Transaction};
use super::trace::traced;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Item, Key, number, signed, text};
use crate::store::engine::transaction::Condition;
use crate::store::model::audit::Audit;
use crate::store::model::resync::{Resync, ResyncCounts, ResyncScope};
use crate::store::model::tenant_key::TenantKey;

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
/// When its counts and its position were last stored, in seconds since 1970.
const SAVED: &str = "sv";
/// When it finished, in seconds since 1970.
const FINISHED: &str = "done";

/// How long the row is kept, in seconds: 30 days.
const KEPT: i64 = 30 * 24 * 60 * 60;

/// The row's key.
fn key(tenant: &TenantKey, id: &str) -> Key {
    Key::new(tenant.resyncs(), id)
}

/// Adds the row of a resync that begins.
pub(crate) fn begin(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    resync: &Resync,
    audit: &Audit,
) -> Result<(), StoreError> {
    let scope = serde_json::to_string(&resync.scope)
        .map_err(|_| StoreError::broken("a scope cannot be written"))?;
    let row = RowKind::Resync.row(key(tenant, &resync.id)).text(SCOPE, &scope);
    let row = row.number(BEGUN, resync.begun).number(EXPIRES, resync.begun.saturating_add(KEPT));
    let row = [USERS, GROUPS, MEMBERS, RESOURCES]
        .into_iter()
        .fold(row, |row, count| row.number(count, 0));
    transaction.put(Role::Other, traced(row, audit), Some(Condition::absent()))
}

/// Adds what the resync has touched so far, where it continues, and whether it has finished.
pub(crate) fn progress(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    resync: &Resync,
) -> Result<(), StoreError> {
    let Resync { counts, position, saved, finished, .. } = resync;
    let mut values = vec![
        (":nu", number(signed(counts.users))),
        (":ng", number(signed(counts.groups))),
        (":nm", number(signed(counts.members))),
        (":nr", number(signed(counts.resources))),
        (":sv", number(*saved)),
    ];
    let mut set = "SET nu = :nu, ng = :ng, nm = :nm, nr = :nr, sv = :sv".to_owned();
    if let Some(position) = position {
        values.push((":pos", text(position)));
        set.push_str(", pos = :pos");
    }
    if let Some(finished) = finished {
        values.push((":done", number(*finished)));
        set.push_str(", done = :done");
    }
    let unfinished = "attribute_exists(p) AND attribute_not_exists(done)";
    transaction.update(Role::Other, key(tenant, &resync.id), &set, values, unfinished)
}

/// A resync from its row.
pub(crate) fn read(row: &Item) -> Result<Resync, StoreError> {
    let scope: ResyncScope = serde_json::from_str(row.need(SCOPE)?)
        .map_err(|_| StoreError::broken("the scope of a resync is not readable"))?;
    let count = |name: &str| Ok::<_, StoreError>(row.need_number(name)?.unsigned_abs());
    Ok(Resync {
        id: row.s().to_owned(),
        scope,
        begun: row.need_number(BEGUN)?,
        saved: row.number(SAVED).unwrap_or(row.need_number(BEGUN)?),
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
