//! The operator as somebody who changes a directory: by the same rules, under a name of its own in
//! the log.

use std::time::Duration;

use anyhow::Context;
use scim_core::{Additions, ResourceId};
use scim_lambda::clock::Clock;
use scim_lambda::directory::{Call, Directory, RequestReads};
use scim_lambda::settings::Settings;
use scim_lambda::store::tenants::TenantRow;
use scim_lambda::store::{Audit, Operation};
use scim_lambda::tenant::{Profile, Tenant, Tenants};
use tokio::time::Instant;

use crate::place::Connection;

/// Who did it, in the log.
const BY: &str = "operator";
/// How long a call may take.
const RETRY_FOR: Duration = Duration::from_secs(600);
const DAY: i64 = 24 * 60 * 60;

/// A directory and the tenant whose it is.
pub(crate) struct Operator {
    pub(crate) directory: Directory,
    pub(crate) tenant: std::sync::Arc<Tenant>,
    base_url: String,
    reads: RequestReads,
}

impl Operator {
    pub(crate) async fn new(connection: &Connection, tenant: &str) -> anyhow::Result<Self> {
        let row = connection.tenant(tenant).await?;
        let store = connection.store.clone();
        let tenants = Tenants::new(store.clone(), Clock::system(), &Additions::default());
        let tenant = tenants.get(row.code()).await?.context("the tenant is gone")?;
        let defaults = Settings::new("", "");
        let directory =
            Directory::new(store, Clock::system(), defaults.retention, defaults.audit_retention);
        let base_url = connection.base_url_of(&tenant.profile).unwrap_or_default();
        Ok(Self { directory, tenant, base_url, reads: RequestReads::default() })
    }

    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            tenant: &self.tenant,
            actor: BY,
            request_id: "scimctl",
            base_url: &self.base_url,
            deadline: Instant::now() + RETRY_FOR,
            soft_deadline: Instant::now() + RETRY_FOR,
            reads: &self.reads,
        }
    }
}

/// What the operator does to a tenant's rows, for the log.
pub(crate) fn audit(row: &TenantRow, clock: &Clock, command: &str) -> anyhow::Result<Audit> {
    let profile = Profile::read(&row.profile)?;
    let kept = i64::from(profile.audit.retention_days.unwrap_or(365)) * DAY;
    Ok(Audit::new(Operation::Import, BY, &format!("scimctl {command}"), clock.milliseconds(), kept))
}

/// The subject of a change that concerns nobody in particular.
pub(crate) fn nobody() -> anyhow::Result<ResourceId> {
    "tenant".parse().map_err(|()| anyhow::anyhow!("no id"))
}
