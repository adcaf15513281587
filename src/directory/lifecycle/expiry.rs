//! When users are erased.

use std::time::Duration;

use scim_core::resource::Attributes;

use super::states::{Event, State};
use crate::directory::context::{Call, Directory, days, seconds};
use crate::store::Stored;
use crate::tenant::ServedType;
use crate::tenant::profile::OnDelete;

/// A time that is never reached: the last second of the year 9999.
pub const NEVER: i64 = 253_402_300_799;

impl Directory {
    /// When a user who is deleted now is erased, in seconds since 1970.
    pub(in crate::directory) fn deleted_until(&self, call: Call<'_>, now: i64) -> i64 {
        match call.tenant.profile.deprovision.on_delete {
            OnDelete::Deactivate => NEVER,
            OnDelete::SoftDelete | OnDelete::HardDelete | OnDelete::Refuse => {
                now.saturating_add(seconds(self.retention_of(call)))
            }
        }
    }

    /// When a user who is suspended with expiry now is erased, in seconds since 1970.
    pub(super) fn suspended_until(&self, call: Call<'_>, now: i64) -> i64 {
        now.saturating_add(seconds(self.retention_of(call)))
    }

    fn retention_of(&self, call: Call<'_>) -> Duration {
        call.tenant.profile.deprovision.retention_days.map_or(self.retention, days)
    }

    /// When a visible user who changes in this way is erased. An active user has no such time. A
    /// user who is already inactive keeps its clock. A user who becomes inactive gets a clock if
    /// the profile says so.
    pub(in crate::directory) fn visible_until(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        old: &Stored,
        after: &Attributes,
    ) -> Option<i64> {
        if !resource_type.is_user() {
            return None;
        }
        let now = self.clock.seconds();
        let state = State::of(Some(old.standing()), now);
        let step = state.step(Event::of_change(&old.resource.attributes, after));
        match state.after(step, &call.tenant.profile) {
            State::SuspendedWithExpiry => old.expires.or(Some(self.suspended_until(call, now))),
            State::Provisioned
            | State::Suspended
            | State::Absent
            | State::Unmanaged
            | State::SoftDeleted
            | State::Expired => None,
        }
    }
}
