//! Changes of a tenant's profile that affect its limits, and of its seats and its brake.

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::audit::Audit;
use crate::store::model::collection::{Collection, Kind};
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::log::{self, Entry};
use crate::store::rows::role::{Role, Transaction, TransactionResult};
use crate::store::rows::seats_and_brake::{self, BrakeRow, NO_LIMIT, SeatsRow};
use crate::store::rows::tenant::TenantRow;
use crate::telemetry::{self, Counter};

/// How often seats are counted again while users change.
const TRIES: usize = 20;

/// The limits of a profile that the table holds a tenant to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Whether users may expire while they are visible.
    pub expiring: bool,
    /// Maximum number of active users.
    pub seats: Option<u32>,
    /// Whether the brake keeps its window; otherwise it starts again with no deactivations.
    pub brake: bool,
}

impl Store {
    /// Counts the active users of a tenant again, if their number was ever limited. The count is
    /// exact if all writers know of the limit already. Three calls, more while users change.
    pub async fn count_seats(&self, users: &Collection) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let Some(seen) = self.seats(&users.tenant).await? else { return Ok(()) };
            let mut transaction = Transaction::on(self);
            self.set_limit(&mut transaction, users, Some(seen), seen.limit).await?;
            if transaction.try_commit(self).await? {
                return Ok(());
            }
        }
        Err(keeps_changing())
    }

    /// Gives a tenant another profile with these bounds, if it still has the one that was read;
    /// `false` otherwise. The log names the changed settings; without an audit it says nothing. Two
    /// or three calls, more while users change.
    pub async fn set_profile(
        &self,
        tenant: &TenantRow,
        profile: &str,
        bounds: Bounds,
        logged: Option<(&Audit, &[String])>,
    ) -> Result<bool, StoreError> {
        let users = Collection { tenant: tenant.key(), kind: Kind::User };
        for _ in 0..TRIES {
            let mut transaction = Transaction::on(self);
            tenant.set_profile(&mut transaction, profile, bounds.expiring)?;
            if let Some((audit, settings)) = logged {
                let entry = Entry::tenant().words(settings.iter().cloned());
                log::add(&mut transaction, tenant.code(), audit, entry)?;
            }
            // The row stays when the limit is removed: instances that do not know this yet continue
            // counting.
            let seen = self.seats(&users.tenant).await?;
            if seen.is_some() || bounds.seats.is_some() {
                let limit = bounds.seats.map_or(NO_LIMIT, i64::from);
                self.set_limit(&mut transaction, &users, seen, limit).await?;
            }
            if !bounds.brake {
                seats_and_brake::remove_brake(&mut transaction, &users.tenant)?;
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

    /// Adds the row of seats with this limit and the number of users who are active now. A write
    /// that changes this number changes the row too.
    async fn set_limit(
        &self,
        transaction: &mut Transaction,
        users: &Collection,
        seen: Option<SeatsRow>,
        limit: i64,
    ) -> Result<(), StoreError> {
        let used = self.active(users).await?;
        seats_and_brake::set_seats(transaction, &users.tenant, seen, used, limit)
    }

    /// Opens a new window in which at most `max` users may be deactivated, in place of the one that
    /// was read. One call.
    pub async fn open_brake(
        &self,
        tenant: &TenantKey,
        seen: Option<BrakeRow>,
        now: i64,
        max: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        seats_and_brake::open_brake(&mut transaction, tenant, seen, now, max)?;
        transaction.commit(self).await?;
        Ok(())
    }

    /// Stops deactivations until the operator lifts the brake, with a row in the log and a metric,
    /// unless they were stopped before or the window is another one. One call.
    pub async fn trip_brake(
        &self,
        tenant: &TenantKey,
        seen: BrakeRow,
        subject: &ResourceId,
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        seats_and_brake::trip_brake(&mut transaction, tenant, seen, audit)?;
        log::add(&mut transaction, tenant.code(), audit, Entry::resource(&Kind::User, subject))?;
        if transaction.try_commit(self).await? {
            telemetry::count(Counter::BrakeTripped, tenant.code().as_str());
        }
        Ok(())
    }

    /// Allows deactivations again, in a new window; `false` if they were not stopped. One call.
    pub async fn lift_brake(&self, tenant: &TenantKey, audit: &Audit) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        seats_and_brake::lift_brake(&mut transaction, tenant)?;
        log::add(&mut transaction, tenant.code(), audit, Entry::tenant())?;
        transaction.try_commit(self).await
    }
}

fn keeps_changing() -> StoreError {
    StoreError::Unavailable("the number of active users keeps changing".into())
}
