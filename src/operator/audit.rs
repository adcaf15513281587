//! How the log names what the operator does.

use std::time::Duration;

use scim_core::ResourceId;

use super::error::OperatorError;
use crate::clock::Clock;
use crate::settings::AUDIT_RETENTION;
use crate::store::{Audit, OPERATOR, Operation};
use crate::tenant::Profile;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The subject of a row of the log.
pub(super) enum Subject {
    /// The tenant as a whole.
    Tenant,
}

impl Subject {
    /// The subject, in place of a resource's id.
    pub(super) fn id(&self) -> Result<ResourceId, OperatorError> {
        let Self::Tenant = self;
        "tenant".parse().map_err(|()| OperatorError::Unexpected("tenant is not an id"))
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
    let kept = profile.audit.retention_days.map_or(AUDIT_RETENTION, |days| DAY * days);
    Audit::new(operation, OPERATOR, request, clock.milliseconds(), kept)
}
