//! The operator of one deployment.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::error::OperatorError;
use super::waiting::Pause;
use crate::auth::secrets_manager::Secrets;
use crate::clock::Clock;
use crate::settings::{AUDIT_RETENTION, RETENTION};
use crate::store::{Collection, Kind, Store, TenantCode, TenantRow};
use crate::tenant::Profile;

/// The operator of one deployment: its use cases are the methods of this type.
#[derive(Debug, Clone)]
pub struct Operator {
    pub(super) store: Store,
    pub(super) secrets: Secrets,
    pub(super) clock: Clock,
    pub(super) deployment: Deployment,
    /// The id of the request in the log.
    pub(super) request: String,
    pub(super) pause: Pause,
    /// The secrets that were marked for deletion and have been restored.
    pub(super) restored: Arc<Mutex<BTreeSet<String>>>,
}

/// Where a deployment can be reached, and how long it keeps things.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The base URL of tenants without one of their own, if the deployment has one.
    pub base_url: Option<String>,
    /// The path of tenants whose profile does not name another one.
    pub base_path: &'static str,
    /// How long a deleted user can be brought back, unless the tenant's profile says otherwise.
    pub retention: Duration,
    /// How long the log keeps a change, unless the tenant's profile says otherwise.
    pub audit_retention: Duration,
}

impl Deployment {
    /// A deployment that keeps things as long as one without settings.
    pub fn new(base_url: Option<String>, base_path: &'static str) -> Self {
        Self { base_url, base_path, retention: RETENTION, audit_retention: AUDIT_RETENTION }
    }
}

impl Operator {
    /// The operator of a deployment, whose changes have the id `request` in the log.
    pub fn new(
        store: Store,
        secrets: Secrets,
        clock: Clock,
        deployment: Deployment,
        request: &str,
    ) -> Self {
        let (request, restored) = (request.to_owned(), Arc::default());
        let pause = Pause::system();
        Self { store, secrets, clock, deployment, request, pause, restored }
    }

    /// The same, with another way to wait.
    #[must_use]
    pub fn pausing(self, pause: Pause) -> Self {
        Self { pause, ..self }
    }

    /// The tenant that the operator calls `name`, or whose code it is: events without personal data
    /// have only the code.
    ///
    /// # Errors
    /// [`OperatorError::UnknownTenant`], or if the table does not answer.
    pub async fn tenant(&self, name: &str) -> Result<TenantRow, OperatorError> {
        let row = match (self.store.tenant_by_name(name).await?, name.parse::<TenantCode>()) {
            (Some(row), _) => Some(row),
            (None, Ok(code)) => self.store.tenant(&code).await?,
            (None, Err(())) => None,
        };
        row.ok_or_else(|| OperatorError::UnknownTenant(name.to_owned()))
    }

    /// How many resources of one kind a tenant has.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn count(&self, tenant: &TenantRow, kind: Kind) -> Result<usize, OperatorError> {
        Ok(self.store.count(&Collection { tenant: tenant.key(), kind }).await?)
    }

    /// How long a deleted user can be brought back, unless the tenant's profile says otherwise.
    pub const fn retention(&self) -> Duration {
        self.deployment.retention
    }

    /// The base URL of a tenant with this profile, if the profile or the deployment names one.
    pub fn base_url(&self, profile: &Profile) -> Option<String> {
        match &self.deployment.base_url {
            Some(deployment) => Some(profile.address.url(deployment).into_owned()),
            None => profile.address.base_url.clone(),
        }
    }
}
