//! What a client is told if the store fails, or if a tenant cannot be served.

use scim_core::{Error, ErrorKind};

use super::profile::ProfileError;
use crate::reason::Reason;
use crate::store::StoreError;

/// Why it is not known who a tenant is.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This release cannot use the tenant's profile.
    #[error("the profile of the tenant cannot be used: {0}")]
    Profile(ProfileError),
}

impl From<TenantError> for Error {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::Store(error) => error.into(),
            TenantError::Profile(_) => Reason::ReleaseTooOld.with(
                "This version of the service cannot use the tenant's profile; the operator must \
                 correct it.",
            ),
        }
    }
}

/// What a client is told about a failure of the store. The store's own message goes to the log.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) | StoreError::Throttled(_) => {
                tracing::warn!(%error, "store")
            }
            StoreError::Denied(_) | StoreError::Broken(_) | StoreError::NewerFormat { .. } => {
                tracing::error!(%error, "store")
            }
            StoreError::OutOfBudget => tracing::info!(%error, "store"),
        }
        match error {
            StoreError::Unavailable(_) | StoreError::Throttled(_) => {
                Reason::DatabaseUnavailable.error()
            }
            StoreError::Denied(_) | StoreError::Broken(_) => Reason::Internal.error(),
            StoreError::NewerFormat { .. } => Reason::ReleaseTooOld.error(),
            StoreError::OutOfBudget => Self::new(
                ErrorKind::TooMany,
                "The request would read more than one request may; ask for fewer resources by \
                count, for fewer attributes, or for one member by members.value eq.",
            ),
        }
    }
}
