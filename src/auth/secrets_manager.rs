//! The digests of tokens in AWS Secrets Manager: one secret a tenant.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::records::{self, TokenRecord};
use crate::sdk;
use crate::store::TenantCode;

const CURRENT: &str = "AWSCURRENT";
/// The stage of a version that is about to become current.
const PENDING: &str = "SCIMPENDING";

/// Token secrets of one stack.
#[derive(Debug, Clone)]
pub struct Secrets {
    client: Client,
    stack: String,
}

/// Why there is no answer about a tenant's tokens. None of these may become a 401.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Out of reach, throttled, or refused by IAM or KMS.
    #[error("Secrets Manager does not answer: {0}")]
    Unavailable(String),
    /// The secret is not a JSON list of records: an operator edited it.
    #[error("the secret {0} does not hold token records")]
    Malformed(String),
    /// The secret changed since it was read; read it again. Only [`Secrets::put`] says so.
    #[error("the secret was changed by somebody else")]
    Changed,
}

/// How long a call of Secrets Manager may take, with all its tries and the pauses between them.
const OPERATION: Duration = Duration::from_millis(4_000);

/// Client settings that this adapter relies on.
pub fn timeouts(config: Builder) -> Builder {
    config.timeout_config(sdk::timeouts(OPERATION))
}

impl Secrets {
    /// The secrets of `stack`. The client should be built with [`timeouts`].
    pub fn new(client: Client, stack: &str) -> Self {
        Self { client, stack: stack.to_owned() }
    }

    /// The name of a tenant's secret.
    pub fn name(&self, tenant: &TenantCode) -> String {
        format!("scim/{}/tenants/{tenant}", self.stack)
    }

    /// The current records of a tenant; none if it has no secret.
    ///
    /// # Errors
    /// As [`SecretsError`] says.
    pub async fn records(&self, tenant: &TenantCode) -> Result<Vec<TokenRecord>, SecretsError> {
        Ok(self.current(tenant).await?.records)
    }

    /// The current records of a tenant with the version that holds them.
    ///
    /// # Errors
    /// As [`SecretsError`] says.
    pub async fn current(&self, tenant: &TenantCode) -> Result<Current, SecretsError> {
        let name = self.name(tenant);
        let Some((text, version)) = self.read(&name).await? else { return Ok(Current::default()) };
        let records = records::parse(&text).map_err(|_| SecretsError::Malformed(name))?;
        Ok(Current { records, version })
    }

    /// The text of a secret with its version.
    async fn read(&self, name: &str) -> Result<Option<(String, Option<String>)>, SecretsError> {
        // Without a stage, some emulators return the version before the current one.
        let answer = self.client.get_secret_value().secret_id(name).version_stage(CURRENT).send();
        match Box::pin(answer).await {
            Ok(secret) => Ok(Some((secret.secret_string.unwrap_or_default(), secret.version_id))),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_resource_not_found_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Makes these the current records of a tenant, if `seen` still are; its secret is made if
    /// there was none. The new version is staged first and becomes current only in place of the one
    /// seen.
    ///
    /// # Errors
    /// [`SecretsError::Changed`] if somebody else was faster; else as [`SecretsError`] says.
    pub async fn put(
        &self,
        tenant: &TenantCode,
        label: &str,
        seen: &Current,
        records: &[TokenRecord],
    ) -> Result<(), SecretsError> {
        let name = self.name(tenant);
        let text = records::write(records).map_err(|_| SecretsError::Malformed(name.clone()))?;
        let description = format!("SCIM token digests of tenant {label}");
        self.write(&name, description, seen.version.as_deref(), text).await
    }

    async fn write(
        &self,
        name: &str,
        description: String,
        seen: Option<&str>,
        text: String,
    ) -> Result<(), SecretsError> {
        let Some(seen) = seen else {
            let created = self
                .client
                .create_secret()
                .name(name)
                .description(description)
                .secret_string(text)
                .send();
            return match created.await {
                Ok(_) => Ok(()),
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(|e| e.is_resource_exists_exception()) =>
                {
                    Err(SecretsError::Changed)
                }
                Err(error) => Err(unavailable(error)),
            };
        };
        let staged = self
            .client
            .put_secret_value()
            .secret_id(name)
            .secret_string(&text)
            .version_stages(PENDING);
        let staged = staged.send().await.map_err(unavailable)?;
        let moved = self
            .client
            .update_secret_version_stage()
            .secret_id(name)
            .version_stage(CURRENT)
            .set_move_to_version_id(staged.version_id)
            .remove_from_version_id(seen)
            .send();
        match moved.await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|e| e.is_invalid_parameter_exception()) =>
            {
                Err(SecretsError::Changed)
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}

/// Tokens that the operator may have shown again, by their key ids: in a secret of their own, to
/// which the function has no right.
#[derive(Clone, Default)]
pub struct Kept {
    /// The tokens.
    pub tokens: BTreeMap<String, String>,
    version: Option<String>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tokens.keys()).finish()
    }
}

impl Secrets {
    fn kept_name(&self, tenant: &TenantCode) -> String {
        format!("scim/{}/kept/{tenant}", self.stack)
    }

    /// The tokens of a tenant that can be shown again.
    ///
    /// # Errors
    /// As [`SecretsError`] says.
    pub async fn kept(&self, tenant: &TenantCode) -> Result<Kept, SecretsError> {
        let name = self.kept_name(tenant);
        let Some((text, version)) = self.read(&name).await? else { return Ok(Kept::default()) };
        let tokens = serde_json::from_str(&text).map_err(|_| SecretsError::Malformed(name))?;
        Ok(Kept { tokens, version })
    }

    /// Keeps these tokens in place of those that were seen.
    ///
    /// # Errors
    /// [`SecretsError::Changed`] if somebody else was faster; else as [`SecretsError`] says.
    pub async fn keep(
        &self,
        tenant: &TenantCode,
        label: &str,
        kept: &Kept,
    ) -> Result<(), SecretsError> {
        let name = self.kept_name(tenant);
        let text = serde_json::to_string(&kept.tokens)
            .map_err(|_| SecretsError::Malformed(name.clone()))?;
        let description = format!("SCIM tokens of tenant {label}, for its operator");
        self.write(&name, description, kept.version.as_deref(), text).await
    }
}

/// What a tenant's secret holds now.
#[derive(Debug, Clone, Default)]
pub struct Current {
    /// The token records.
    pub records: Vec<TokenRecord>,
    version: Option<String>,
}

fn unavailable<E, R>(error: SdkError<E, R>) -> SecretsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    SecretsError::Unavailable(crate::telemetry::causes(&error))
}
