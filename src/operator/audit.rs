//! How the log names what the operator does.

use std::time::Duration;

use scim_core::ResourceId;

use super::error::OperatorError;
use crate::clock::Clock;
use crate::settings::Settings;
use crate::store::TenantRow;
use crate::store::{Audit, Operation};
use crate::tenant::Profile;

/// The operator's name in the log.
pub(super) const OPERATOR: &str = "operator";
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

/// A change that the operator makes now to a tenant's rows, for the log. The log keeps it for as
/// long as the tenant's profile says.
pub(super) fn audit(
    tenant: &TenantRow,
    operation: Operation,
    request: &str,
    clock: &Clock,
) -> Result<Audit, OperatorError> {
    let days = Profile::read(&tenant.profile)?.audit.retention_days;
    let kept = days.map_or_else(default_retention, |days| DAY * days);
    Ok(Audit::new(operation, OPERATOR, request, clock.milliseconds(), kept))
}

/// How long the log keeps a change unless the profile says otherwise.
pub(super) fn default_retention() -> Duration {
    Settings::new("", "").audit_retention
}
