//! Secrets that are marked for deletion are restored: all of their tenants need them.

use std::sync::PoisonError;

use super::deployment::Operator;
use super::error::OperatorError;
use crate::auth::secrets_manager::SecretsError;

impl Operator {
    /// The names of the secrets that were marked for deletion and that this operator has restored.
    pub fn restored_secrets(&self) -> Vec<String> {
        let restored = self.restored.lock().unwrap_or_else(PoisonError::into_inner);
        restored.iter().cloned().collect()
    }

    /// Does what makes another try of a failed call worthwhile.
    ///
    /// # Errors
    /// The error, if another try would fail too.
    pub(super) async fn recover(&self, error: OperatorError) -> Result<(), OperatorError> {
        match error {
            OperatorError::Secrets(SecretsError::Changed) => Ok(()),
            OperatorError::Secrets(SecretsError::Deleted(name)) => {
                self.secrets.restore(&name).await?;
                self.restored.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
                Ok(())
            }
            error => Err(error),
        }
    }
}
