//! The tokens that can be shown again, in a secret for each tenant that has any.

use std::collections::BTreeMap;
use std::fmt;

use super::secrets_manager::{Secrets, SecretsError, Version};
use crate::store::TenantCode;

/// Tokens that can be shown to the operator again, by their key ids. They are in a separate secret,
/// which the function has no permission to read.
#[derive(Clone, Default)]
pub struct RevealableTokens {
    /// The tokens.
    pub tokens: BTreeMap<String, String>,
    version: Option<Version>,
}

impl fmt::Debug for RevealableTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tokens.keys()).finish()
    }
}

impl RevealableTokens {
    /// The version that was read; `None` if the secret does not exist.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }
}

impl Secrets {
    /// The name of the secret of a tenant's tokens that can be shown again.
    pub fn kept_name(&self, tenant: &TenantCode) -> String {
        format!("scim/{}/kept/{tenant}", self.stack)
    }

    /// The tokens of a tenant that can be shown again.
    ///
    /// # Errors
    /// [`SecretsError`].
    pub async fn kept(&self, tenant: &TenantCode) -> Result<RevealableTokens, SecretsError> {
        let name = self.kept_name(tenant);
        let Some((text, version)) = self.read(&name).await? else {
            return Ok(RevealableTokens::default());
        };
        let version = Some(version);
        let tokens = serde_json::from_str(&text).map_err(|_| SecretsError::Malformed(name))?;
        Ok(RevealableTokens { tokens, version })
    }

    /// Stores these tokens in place of those that were read. `attempt` counts how often they were to
    /// be replaced before.
    ///
    /// # Errors
    /// [`SecretsError::Changed`] if another change came first.
    pub async fn keep(
        &self,
        tenant: &TenantCode,
        label: &str,
        kept: &RevealableTokens,
        attempt: u32,
    ) -> Result<(), SecretsError> {
        let name = self.kept_name(tenant);
        let text = serde_json::to_string(&kept.tokens)
            .map_err(|_| SecretsError::Malformed(name.clone()))?;
        let description = format!("SCIM tokens of tenant {label}, for its operator");
        self.write(&name, description, (kept.version.as_ref(), attempt), text).await
    }
}
