//! The brake: how many users may be deactivated in a short time.

use scim_core::{Error, ErrorKind, ResourceId};

use crate::directory::context::{Call, Directory};
use crate::store::{Collection, Operation};
use crate::tenant::profile::BrakeAnswer;

impl Directory {
    /// Lets a deactivation that was not counted try again in a new window, or stops it.
    ///
    /// # Errors
    /// 429 or 403 if too many were deactivated, until the operator lifts the brake; 503.
    pub(in crate::directory) async fn brake(
        &self,
        call: Call<'_>,
        collection: &Collection,
        id: &ResourceId,
    ) -> Result<(), Error> {
        let brake = &call.tenant.profile.brake;
        let window = i64::from(brake.window_minutes) * 60;
        let audit = self.audit(call, Operation::Brake);
        let seen = self.store.brake(&collection.tenant).await?;
        if let Some(row) =
            seen.filter(|row| row.tripped.is_some() || row.begun > audit.now - window)
        {
            if row.tripped.is_none() && row.counted < row.most {
                return Ok(());
            }
            if row.tripped.is_none() {
                self.store.trip_brake(&collection.tenant, row, id, &audit).await?;
            }
            let kind = match brake.answer {
                BrakeAnswer::TooManyRequests => ErrorKind::TooManyRequests,
                BrakeAnswer::Forbidden => ErrorKind::Forbidden,
            };
            return Err(Error::new(
                kind,
                "So many users were deactivated in a short time that it may be a mistake; no more \
                are until the operator of this service confirms it: ask them.",
            ));
        }
        let share = match brake.share {
            Some(share) => {
                let active = self.store.active(collection).await?;
                Some((active.saturating_mul(i64::from(share)) / 100).max(1))
            }
            None => None,
        };
        let most =
            share.into_iter().chain(brake.deactivations.map(i64::from)).min().unwrap_or(i64::MAX);
        Ok(self.store.open_brake(&collection.tenant, seen, audit.now, most).await?)
    }
}
