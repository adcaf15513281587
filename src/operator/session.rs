//! The operator's access to one tenant's directory, under the rules for identity providers.

use std::sync::Arc;
use std::time::Duration;

use scim_core::Additions;
use tokio::time::Instant;

use super::deployment::{Deployment, Operator};
use super::error::OperatorError;
use crate::directory::{Call, Directory, RequestReads};
use crate::store::{Kind, OPERATOR, TenantRow};
use crate::tenant::{ServedType, ServedTypes, Tenant, Tenants};

/// How long a use case may take.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// A directory and one tenant in it.
pub(super) struct Session {
    pub(super) directory: Directory,
    pub(super) tenant: Arc<Tenant>,
    pub(super) base_url: String,
    request: String,
    reads: RequestReads,
}

impl Session {
    pub(super) async fn open(
        operator: &Operator,
        tenant: &TenantRow,
    ) -> Result<Self, OperatorError> {
        let (store, clock) = (operator.store.clone(), operator.clock.clone());
        let tenants = Tenants::new(store.clone(), clock.clone(), &Additions::default());
        let gone = || OperatorError::TenantGone(tenant.name.clone());
        let tenant =
            tenants.get(tenant.code()).await.map_err(scim_core::Error::from)?.ok_or_else(gone)?;
        let Deployment { retention, audit_retention, .. } = operator.deployment;
        let directory = Directory::new(store, clock, retention, audit_retention);
        Ok(Self {
            base_url: operator.base_url(&tenant.profile).unwrap_or_default(),
            request: operator.request.clone(),
            reads: RequestReads::default(),
            directory,
            tenant,
        })
    }

    pub(super) fn call(&self) -> Call<'_> {
        Call {
            tenant: &self.tenant,
            actor: OPERATOR,
            request_id: &self.request,
            base_url: &self.base_url,
            deadline: Instant::now() + TIME_LIMIT,
            soft_deadline: Instant::now() + TIME_LIMIT,
            reads: &self.reads,
        }
    }

    pub(super) fn users(&self) -> Result<&ServedType, OperatorError> {
        user_type(&self.tenant.types)
    }
}

/// The resource type of users.
pub(super) fn user_type(types: &ServedTypes) -> Result<&ServedType, OperatorError> {
    let users = types.iter().find(|resource_type| resource_type.is_user());
    users.ok_or_else(|| OperatorError::UnknownResourceType("User".to_owned()))
}

/// The resource type of groups, if the tenant has it.
pub(super) fn group_type(types: &ServedTypes) -> Option<&ServedType> {
    types.iter().find(|resource_type| resource_type.kind == Kind::Group)
}
