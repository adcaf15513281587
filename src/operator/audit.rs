//! How the log names what the operator does.

use std::time::Duration;

use super::deployment::Operator;
use crate::clock::Clock;
use crate::store::{Audit, OPERATOR, Operation, TenantRow};
use crate::tenant::Profile;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Operator {
    /// How long the log of a tenant is kept, in milliseconds.
    pub(super) fn log_kept(&self, tenant: &TenantRow) -> i64 {
        let profile = Profile::read(&tenant.profile).unwrap_or_default();
        let kept = kept(&profile, self.deployment.audit_retention);
        i64::try_from(kept.as_millis()).unwrap_or(i64::MAX)
    }

    /// What the log says about a change of a tenant that the operator makes now, also if the
    /// tenant's profile cannot be read.
    pub(super) fn audit(&self, tenant: &TenantRow, operation: Operation) -> Audit {
        let profile = Profile::read(&tenant.profile).unwrap_or_default();
        self.audit_under(&profile, operation)
    }

    /// What the log says about a change under this profile that the operator makes now.
    pub(super) fn audit_under(&self, profile: &Profile, operation: Operation) -> Audit {
        let retention = self.deployment.audit_retention;
        audit(profile, operation, &self.request, &self.clock, retention)
    }
}

/// What the log says about a change that the operator makes now. The log keeps it as long as the
/// tenant's profile says, or else the deployment, which is `retention`.
pub(super) fn audit(
    profile: &Profile,
    operation: Operation,
    request: &str,
    clock: &Clock,
    retention: Duration,
) -> Audit {
    Audit::new(operation, OPERATOR, request, clock.milliseconds(), kept(profile, retention))
}

/// How long the log keeps a change.
fn kept(profile: &Profile, retention: Duration) -> Duration {
    profile.audit.retention_days.map_or(retention, |days| DAY * days)
}
