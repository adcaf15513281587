//! The secrets that tenants share: `scim/STACK/tokens/NNN`.

use super::secrets_manager::{Secrets, SecretsError, Version};
use super::shared_records::{SharedRecords, SharedRecordsError};
use crate::store::SecretNumber;

/// The size of a secret that AWS allows, in bytes.
pub const MAX_SECRET_BYTES: usize = 65_536;

/// A shared secret as it was read.
#[derive(Debug, Clone, Default)]
pub struct SharedSecret {
    /// What it holds; nothing if it does not exist.
    pub records: SharedRecords,
    /// Its size.
    pub bytes: usize,
    version: Option<Version>,
}

impl SharedSecret {
    /// The version that was read; `None` if the secret does not exist.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }
}

impl Secrets {
    /// The name of a secret.
    pub fn shared_name(&self, number: SecretNumber) -> String {
        format!("scim/{}/tokens/{number}", self.stack)
    }

    /// A secret that tenants share.
    ///
    /// # Errors
    /// [`SecretsError::Malformed`], [`SecretsError::Newer`].
    pub async fn shared(&self, number: SecretNumber) -> Result<SharedSecret, SecretsError> {
        let name = self.shared_name(number);
        let Some((text, version)) = self.read(&name).await? else {
            return Ok(SharedSecret::default());
        };
        let records = SharedRecords::parse(&text).map_err(|error| match error {
            SharedRecordsError::Malformed => SecretsError::Malformed(name),
            SharedRecordsError::Newer => SecretsError::Newer(name),
        })?;
        Ok(SharedSecret { records, bytes: text.len(), version: Some(version) })
    }

    /// Stores these records in place of those that were read. `attempt` counts how often they were
    /// to be replaced before.
    ///
    /// # Errors
    /// [`SecretsError::Changed`] if another change came first; [`SecretsError::Full`] if the secret
    /// was changed too often.
    pub async fn put_shared(
        &self,
        number: SecretNumber,
        seen: &SharedSecret,
        attempt: u32,
        records: &SharedRecords,
    ) -> Result<(), SecretsError> {
        let name = self.shared_name(number);
        let text = records.to_text().map_err(|_| SecretsError::Malformed(name.clone()))?;
        let description = "SCIM token digests of tenants".to_owned();
        self.write(&name, description, (seen.version(), attempt), text).await
    }
}
