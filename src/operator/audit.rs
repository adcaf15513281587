//! How the log names what the operator does.

use std::time::Duration;

use super::deployment::Operator;
use crate::clock::Clock;
use crate::settings::AUDIT_RETENTION;
use crate::store::{Audit, OPERATOR, Operation, TenantRow};
use crate::tenant::Profile;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Operator {
    /// How long the log of a tenant is kept, in milliseconds.
    pub(super) fn log_kept(&self, tenant: &TenantRow) -> i64 {
        let kept = kept(&Profile::read(&tenant.profile).unwrap_or_default());
        i64::try_from(kept.as_millis()).unwrap_or(i64::MAX)
    }

    /// What the log says about a change of a tenant that the operator makes now, also if the
    /// tenant's profile cannot be read.
    pub(super) fn audit(&self, tenant: &TenantRow, operation: Operation) -> Audit {
        let profile = Profile::read(&tenant.profile).unwrap_or_default();
        audit(&profile, operation, &self.request, &self.clock)
    }
}

/// What the log says about a change that the operator makes now. The log keeps it as long as the
/// tenant's profile says.
pub(super) fn audit(
    profile: &Profile,
    operation: Operation,
    request: &str,
    clock: &Clock,
) -> Audit {
    Audit::new(operation, OPERATOR, request, clock.milliseconds(), kept(profile))
}

/// How long the log keeps a change.
fn kept(profile: &Profile) -> Duration {
    profile.audit.retention_days.map_or(AUDIT_RETENTION, |days| DAY * days)
}
