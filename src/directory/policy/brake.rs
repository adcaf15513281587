//! The brake limits how many users may be deactivated in a short time.

use scim_core::{Error, ErrorKind, ResourceId};

use crate::directory::context::{Call, Directory, brake_window, seconds};
use crate::reason::Reason;
use crate::store::{BrakeRow, Collection, Operation};
use crate::tenant::Tenant;
use crate::tenant::profile::{BrakeAnswer, BrakeMaximum};

impl Directory {
    /// What follows if the brake's row refused a deactivation: either a new window begins, so that
    /// the deactivation can be tried again, or the brake trips.
    ///
    /// # Errors
    /// 429 or 403, as the profile says, if too many users were deactivated, until the operator
    /// lifts the brake; 503.
    pub(in crate::directory) async fn brake(
        &self,
        call: Call<'_>,
        collection: &Collection,
        id: &ResourceId,
    ) -> Result<(), Error> {
        let audit = self.audit(call, Operation::Brake);
        let seen = self.store.brake(&collection.tenant).await?;
        let window_began_after = audit.now - seconds(brake_window(&call.tenant.profile));
        let Some(row) = seen.filter(|row| row.tripped.is_some() || row.begun > window_began_after)
        else {
            return self.open_window(call, collection, seen, audit.now).await;
        };
        if row.tripped.is_none() {
            if row.counted < row.most {
                return Ok(());
            }
            self.store.trip_brake(&collection.tenant, row, id, &audit).await?;
        }
        Err(tripped(call.tenant))
    }

    async fn open_window(
        &self,
        call: Call<'_>,
        collection: &Collection,
        seen: Option<BrakeRow>,
        now: i64,
    ) -> Result<(), Error> {
        let brake = &call.tenant.profile.brake;
        let share = match brake.share {
            Some(percent) => {
                let active = self.store.active(collection).await?;
                Some((active.saturating_mul(i64::from(percent)) / 100).max(1))
            }
            None => None,
        };
        let numbers = share.into_iter().chain(brake.deactivations.map(i64::from));
        let most = match brake.maximum {
            BrakeMaximum::Smaller => numbers.min(),
            BrakeMaximum::Larger => numbers.max(),
        };
        let most = most.unwrap_or(i64::MAX);
        Ok(self.store.open_brake(&collection.tenant, seen, now, most).await?)
    }
}

fn tripped(tenant: &Tenant) -> Error {
    let kind = match tenant.profile.brake.answer {
        BrakeAnswer::TooManyRequests => ErrorKind::TooManyRequests,
        BrakeAnswer::Forbidden => ErrorKind::Forbidden,
    };
    let error = Reason::BrakeOn.error();
    let (sentence, name) = (&error.detail, tenant.name());
    let detail = format!("{sentence} The command for it is: scimctl brake lift {name}");
    Error { kind, detail, ..error }
}
