//! When users are erased.

use scim_core::resource::Attributes;

use super::states::{Event, State};
use crate::directory::context::{Call, Directory};
use crate::store::is_active;
use crate::store::{Kind, Stored};
use crate::tenant::ServedType;
use crate::tenant::profile::OnDelete;

/// A time that never comes: the last second of the year 9999.
const NEVER: i64 = 253_402_300_799;
const DAY: i64 = 24 * 60 * 60;

impl Directory {
    /// When a deleted user is erased, in seconds since 1970.
    pub(in crate::directory) fn deleted_until(&self, call: Call<'_>, now: i64) -> i64 {
        match call.tenant.profile.deprovision.on_delete {
            OnDelete::Deactivate => NEVER,
            _ => now.saturating_add(self.retention_of(call)),
        }
    }

    fn retention_of(&self, call: Call<'_>) -> i64 {
        let days = call.tenant.profile.deprovision.retention_days;
        days.map_or(i64::try_from(self.retention.as_secs()).unwrap_or(i64::MAX), |days| {
            i64::from(days) * DAY
        })
    }

    /// When a visible user is erased: none for an active user, unchanged for one already inactive;
    /// a user who becomes inactive gets a clock if the profile says so.
    pub(in crate::directory) fn visible_until(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        old: &Stored,
        after: &Attributes,
    ) -> Option<i64> {
        if resource_type.kind != Kind::User {
            return None;
        }
        let now = self.clock.seconds();
        let state = State::of(Some(old.standing()), now);
        let event = match (is_active(&old.resource.attributes), is_active(after)) {
            (false, true) => Event::Activate,
            (true, false) => Event::Deactivate,
            _ => Event::Change,
        };
        match state.after(state.step(event), &call.tenant.profile) {
            State::SuspendedWithExpiry => {
                old.expires.or(Some(now.saturating_add(self.retention_of(call))))
            }
            _ => None,
        }
    }
}
