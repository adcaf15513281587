//! Two rows that hold a tenant's changes to a limit: how many seats its active users take, and how
//! many were deactivated of late. Both change in the transaction that changes the user, so they are
//! exact.

use aws_sdk_dynamodb::types::AttributeValue;
use scim_core::ResourceId;

use super::item::Row;
use super::keys::{Collection, Kind, TenantKey};
use super::log::{self, Audit, Guards};
use super::tenants::TenantRow;
use super::transaction::{Condition, Role, Transaction, TransactionResult, number};
use super::{Query, Rows, Store, StoreError};
use crate::telemetry::{self, Metric};

const SEATS: &str = "seats";
const BRAKE: &str = "brake";
/// More than any tenant has.
const NO_LIMIT: i64 = 1_000_000_000_000;
/// How often seats are counted anew while users change.
const TRIES: usize = 20;

/// The seats of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatsRow {
    /// Active users.
    pub used: i64,
    /// Most of them. `used` is above it after it was lowered: then nobody is activated until enough
    /// are gone.
    pub limit: i64,
    /// How often the row changed.
    version: i64,
}

/// The brake of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrakeRow {
    /// When the window began, in seconds since 1970.
    pub begun: i64,
    /// Deactivations since.
    pub counted: i64,
    /// Most of them.
    pub most: i64,
    /// Since when nobody can be deactivated, in seconds since 1970.
    pub tripped: Option<i64>,
}

/// What of a profile the table holds a tenant's changes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Whether users may expire while they are visible.
    pub expiring: bool,
    /// Most active users.
    pub seats: Option<u32>,
    /// Whether a brake that there was goes on; else nobody was deactivated yet.
    pub brake: bool,
}

/// The row of seats, if it is still as seen.
pub(super) fn seats(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    seen: Option<SeatsRow>,
    used: i64,
    limit: i64,
) -> Result<(), StoreError> {
    let version = seen.map_or(0, |seen| seen.version);
    let row = Row::new(&tenant.counters(), SEATS)
        .number("used", used)
        .number("lim", limit)
        .number("v", version + 1);
    let same = match seen {
        Some(_) => Condition("v = :seen", vec![(":seen", number(version))]),
        None => Condition("attribute_not_exists(lim)", Vec::new()),
    };
    transaction.put(Role::Seats, row, Some(same))
}

/// Takes or frees a seat, and counts a deactivation, where the tenant has such limits.
pub(super) fn add(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    guards: Guards,
    now: i64,
    active: i64,
) -> Result<(), StoreError> {
    if active != 0 && guards.seats {
        let free = (active > 0).then_some("used < lim");
        let values = [(":more", number(active)), (":one", number(1))];
        let row = Row::new(&tenant.counters(), SEATS);
        transaction.update(Role::Seats, row, "ADD used :more, v :one", values, free)?;
    }
    if let Some(window) = guards.brake_window.filter(|_| active < 0) {
        let window = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        let open =
            "attribute_exists(p) AND attribute_not_exists(tripped) AND n < most AND w > :ended";
        let values = [(":one", number(1)), (":ended", number(now - window))];
        transaction.update(
            Role::Brake,
            Row::new(&tenant.counters(), BRAKE),
            "ADD n :one",
            values,
            Some(open),
        )?;
    }
    Ok(())
}

impl Store {
    /// The seats of a tenant, if they were ever limited. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn seats(&self, tenant: &TenantKey) -> Result<Option<SeatsRow>, StoreError> {
        let row = self.get(&tenant.counters(), SEATS).await?;
        let read = |row: super::item::Item| {
            // Whoever does not know yet that the limit is gone may leave a row without one.
            let (Some(used), Some(limit)) = (row.number("used"), row.number("lim")) else {
                return Ok(None);
            };
            Ok(Some(SeatsRow { used, limit, version: row.need_number("v")? }))
        };
        row.map_or(Ok(None), read)
    }

    /// Counts the active users of a tenant anew, if their number was ever limited. Exact if all
    /// writers know already that there is a limit. Three calls, more while users change.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn count_seats(&self, users: &Collection) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let Some(seen) = self.seats(&users.tenant).await? else { return Ok(()) };
            let mut transaction = Transaction::on(self);
            self.limit(&mut transaction, users, Some(seen), seen.limit).await?;
            if matches!(transaction.commit(self).await?, TransactionResult::Committed) {
                return Ok(());
            }
        }
        Err(keeps_changing())
    }

    /// Gives a tenant another profile, if it still has the one that was read, and these bounds;
    /// `false` if not. Two or three calls, more while users change.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn set_profile(
        &self,
        tenant: &TenantRow,
        profile: &str,
        bounds: Bounds,
    ) -> Result<bool, StoreError> {
        let users = Collection { tenant: tenant.key(), kind: Kind::User };
        for _ in 0..TRIES {
            let mut transaction = Transaction::on(self);
            tenant.set_profile(&mut transaction, profile, bounds.expiring)?;
            // The row stays without a limit: whoever does not know yet that there is none goes on
            // counting.
            let seen = self.seats(&users.tenant).await?;
            if seen.is_some() || bounds.seats.is_some() {
                self.limit(
                    &mut transaction,
                    &users,
                    seen,
                    bounds.seats.map_or(NO_LIMIT, i64::from),
                )
                .await?;
            }
            if !bounds.brake {
                transaction.delete(Role::Brake, Row::new(&users.tenant.counters(), BRAKE), None)?;
            }
            match transaction.commit(self).await? {
                TransactionResult::Committed => return Ok(true),
                TransactionResult::Refused(rows)
                    if rows.iter().any(|(role, _)| *role != Role::Seats) =>
                {
                    return Ok(false);
                }
                TransactionResult::Refused(_) => {}
            }
        }
        Err(keeps_changing())
    }

    /// Adds the row of seats with this limit, and those who are active now.
    async fn limit(
        &self,
        transaction: &mut Transaction,
        users: &Collection,
        seen: Option<SeatsRow>,
        limit: i64,
    ) -> Result<(), StoreError> {
        // Whoever changes the number of active users changes this row too.
        let used = self.active(users).await?;
        seats(transaction, &users.tenant, seen, used, limit)
    }

    /// How many users are active. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn active(&self, users: &Collection) -> Result<i64, StoreError> {
        let (partition, prefix) = (users.tenant.counters(), users.counters());
        let query = Query { only: Some("a"), ..Query::of(Rows::Beginning(&partition, &prefix)) };
        Ok(self.query(query).await?.0.iter().filter_map(|counter| counter.number("a")).sum())
    }

    /// The brake of a tenant, if somebody was deactivated since there is one. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn brake(&self, tenant: &TenantKey) -> Result<Option<BrakeRow>, StoreError> {
        let row = self.get(&tenant.counters(), BRAKE).await?;
        let read = |row: super::item::Item| {
            Ok(BrakeRow {
                begun: row.need_number("w")?,
                counted: row.need_number("n")?,
                most: row.need_number("most")?,
                tripped: row.number("tripped"),
            })
        };
        row.map(read).transpose()
    }

    /// Opens a new window in which at most `most` users may be deactivated, in place of the one
    /// that was seen. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn open_brake(
        &self,
        tenant: &TenantKey,
        seen: Option<BrakeRow>,
        now: i64,
        most: i64,
    ) -> Result<(), StoreError> {
        let row = Row::new(&tenant.counters(), BRAKE)
            .number("w", now)
            .number("n", 0)
            .number("most", most);
        let same = match seen {
            Some(seen) => {
                let same = "attribute_not_exists(p) OR w = :seen AND attribute_not_exists(tripped)";
                Condition(same, vec![(":seen", number(seen.begun))])
            }
            None => Condition("attribute_not_exists(p)", Vec::new()),
        };
        let mut transaction = Transaction::on(self);
        transaction.put(Role::Brake, row, Some(same))?;
        transaction.commit(self).await?;
        Ok(())
    }

    /// Stops deactivations until they are let pass, with a row in the log and a metric, unless they
    /// were stopped before or the window is another one. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn trip_brake(
        &self,
        tenant: &TenantKey,
        seen: BrakeRow,
        about: &ResourceId,
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        let values = [(":now", number(audit.now)), (":seen", number(seen.begun))];
        let still = Some("w = :seen AND attribute_not_exists(tripped)");
        let key = Row::new(&tenant.counters(), BRAKE);
        transaction.update(Role::Brake, key, "SET tripped = :now", values, still)?;
        log::add(&mut transaction, tenant, audit, about, None, &[])?;
        if matches!(transaction.commit(self).await?, TransactionResult::Committed) {
            telemetry::count(Metric::BrakeTripped, tenant.code().as_str());
        }
        Ok(())
    }

    /// Lets deactivations pass again, in a new window; `false` if they were not stopped. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn lift_brake(
        &self,
        tenant: &TenantKey,
        about: &ResourceId,
        audit: &Audit,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        let tripped = Condition("attribute_exists(tripped)", Vec::<(&str, AttributeValue)>::new());
        transaction.delete(Role::Brake, Row::new(&tenant.counters(), BRAKE), Some(tripped))?;
        log::add(&mut transaction, tenant, audit, about, None, &[])?;
        Ok(matches!(transaction.commit(self).await?, TransactionResult::Committed))
    }
}

fn keeps_changing() -> StoreError {
    StoreError::Unavailable("the number of active users keeps changing".into())
}
