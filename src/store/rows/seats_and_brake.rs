//! Two rows that hold a tenant to a limit: how many seats its active users take, and how many users
//! were deactivated in the window of the brake. Both change in the transaction that changes the
//! user, so they are exact.

use super::kind::RowKind;
use super::role::{Role, Transaction};
use super::trace::{ACTOR, REQUEST};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key, number, text};
use crate::store::engine::transaction::Condition;
use crate::store::model::audit::Audit;
use crate::store::model::guards::Guards;
use crate::store::model::tenant_key::TenantKey;

/// More seats than any tenant has: the limit of a tenant whose limit was removed.
pub(crate) const NO_LIMIT: i64 = 1_000_000_000_000;

/// The sort key of the row of seats.
const SEATS: &str = "seats";
/// Active users.
const USED: &str = "used";
/// Maximum number of active users.
const LIMIT: &str = "lim";
/// How often the row changed.
const VERSION: &str = "v";

/// The sort key of the brake's row.
const BRAKE: &str = "brake";
/// When the window began, in seconds since 1970.
const BEGUN: &str = "w";
/// Deactivations since.
const COUNTED: &str = "n";
/// Maximum number of deactivations in a window.
const MAX: &str = "most";
/// The time since which no user can be deactivated, in seconds since 1970.
const TRIPPED: &str = "tripped";

/// The seats of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatsRow {
    /// Active users.
    pub used: i64,
    /// Maximum number of active users. After the limit was lowered, `used` may exceed it. Then no
    /// user is activated until enough users have become inactive.
    pub limit: i64,
    /// How often the row changed.
    pub version: i64,
}

impl SeatsRow {
    /// The limit, unless it was removed.
    pub fn finite_limit(&self) -> Option<i64> {
        Some(self.limit).filter(|limit| *limit < NO_LIMIT)
    }

    /// The seats from their row; `None` if the row has no limit. An instance that does not yet know
    /// that the limit was removed may leave such a row.
    pub(crate) fn read(row: &Item) -> Result<Option<Self>, StoreError> {
        let (Some(used), Some(limit)) = (row.number(USED), row.number(LIMIT)) else {
            return Ok(None);
        };
        Ok(Some(Self { used, limit, version: row.need_number(VERSION)? }))
    }
}

/// The brake of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrakeRow {
    /// When the window began, in seconds since 1970.
    pub begun: i64,
    /// Deactivations since.
    pub counted: i64,
    /// Maximum number of deactivations in a window.
    pub most: i64,
    /// The time since which no user can be deactivated, in seconds since 1970.
    pub tripped: Option<i64>,
}

impl BrakeRow {
    /// The brake from its row.
    pub(crate) fn read(row: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            begun: row.need_number(BEGUN)?,
            counted: row.need_number(COUNTED)?,
            most: row.need_number(MAX)?,
            tripped: row.number(TRIPPED),
        })
    }
}

/// The key of the row of seats.
pub(crate) fn seats_key(tenant: &TenantKey) -> Key {
    Key::new(tenant.counters(), SEATS)
}

/// The key of the brake's row.
pub(crate) fn brake_key(tenant: &TenantKey) -> Key {
    Key::new(tenant.counters(), BRAKE)
}

/// Adds the row of seats, if it is still as it was read.
pub(crate) fn set_seats(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    seen: Option<SeatsRow>,
    used: i64,
    limit: i64,
) -> Result<(), StoreError> {
    let version = seen.map_or(0, |seen| seen.version);
    let row = RowKind::Seats.row(seats_key(tenant)).number(USED, used).number(LIMIT, limit);
    let unchanged = match seen {
        Some(_) => Condition("v = :seen", vec![(":seen", number(version))]),
        None => Condition("attribute_not_exists(lim)", Vec::new()),
    };
    // The new limit is not the work of the request that changed the row last.
    let removed = [ACTOR, REQUEST];
    transaction.set(Role::Seats, row.number(VERSION, version + 1), &removed, Some(unchanged))
}

/// Takes or frees a seat and counts a deactivation, where the tenant has such limits. `active` is
/// the change in the number of active users.
pub(crate) fn add(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    guards: Guards,
    audit: &Audit,
    active: i64,
) -> Result<(), StoreError> {
    if active != 0 && guards.seats {
        let free = (active > 0).then(|| Condition("used < lim", Vec::new()));
        let more = [(USED.to_owned(), number(active)), (VERSION.to_owned(), number(1))];
        let row = RowKind::Seats.row(seats_key(tenant));
        let stamps = [(ACTOR, audit.actor.as_str()), (REQUEST, audit.request_id.as_str())];
        transaction.add(Role::Seats, row, more, &stamps, free)?;
    }
    if let Some(window) = guards.brake_window.filter(|_| active < 0) {
        let window = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        let open =
            "attribute_exists(p) AND attribute_not_exists(tripped) AND n < most AND w > :ended";
        let values = [(":one", number(1)), (":ended", number(audit.now - window))];
        transaction.update(Role::Brake, brake_key(tenant), "ADD n :one", values, open)?;
    }
    Ok(())
}

/// Adds a new window of the brake in place of the one that was read, if that is still there.
pub(crate) fn open_brake(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    seen: Option<BrakeRow>,
    now: i64,
    max: i64,
) -> Result<(), StoreError> {
    let row = RowKind::Brake.row(brake_key(tenant)).number(BEGUN, now);
    let row = row.number(COUNTED, 0).number(MAX, max);
    let unchanged = match seen {
        Some(seen) => Condition(
            "attribute_not_exists(p) OR w = :seen AND attribute_not_exists(tripped)",
            vec![(":seen", number(seen.begun))],
        ),
        None => Condition::absent(),
    };
    transaction.set(Role::Brake, row, &[], Some(unchanged))
}

/// Records that the brake stops deactivations from now on, if its window is the one that was read
/// and it did not stop them before.
pub(crate) fn trip_brake(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    seen: BrakeRow,
    audit: &Audit,
) -> Result<(), StoreError> {
    let values = [
        (":now", number(audit.now)),
        (":seen", number(seen.begun)),
        (":ac", text(&audit.actor)),
        (":rq", text(&audit.request_id)),
    ];
    let still = "w = :seen AND attribute_not_exists(tripped)";
    let set = "SET tripped = :now, ac = :ac, rq = :rq";
    transaction.update(Role::Brake, brake_key(tenant), set, values, still)
}

/// Adds the removal of a brake that stops deactivations.
pub(crate) fn lift_brake(
    transaction: &mut Transaction,
    tenant: &TenantKey,
) -> Result<(), StoreError> {
    let tripped = Condition("attribute_exists(tripped)", Vec::new());
    transaction.delete(Role::Brake, brake_key(tenant), Some(tripped))
}

/// Adds the removal of the brake.
pub(crate) fn remove_brake(
    transaction: &mut Transaction,
    tenant: &TenantKey,
) -> Result<(), StoreError> {
    transaction.delete(Role::Brake, brake_key(tenant), None)
}
