//! Token records, and the tokens that can be shown again, in AWS Secrets Manager.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::update_secret_version_stage::UpdateSecretVersionStageError;

use super::records::TokenRecord;
use crate::sdk;
use crate::store::TenantCode;
use crate::telemetry;

const CURRENT: &str = "AWSCURRENT";
/// The stage of a version that is about to become current.
const PENDING: &str = "SCIMPENDING";

/// Token secrets of one stack.
#[derive(Debug, Clone)]
pub struct Secrets {
    client: Client,
    stack: String,
}

/// Why a call to Secrets Manager failed. None of these errors may become a 401.
///
/// Every method of [`Secrets`] can fail with [`SecretsError::Unavailable`], and one that reads with
/// [`SecretsError::Malformed`].
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Secrets Manager is out of reach, throttles, or IAM or KMS denies access.
    #[error("Secrets Manager is not responding: {0}")]
    Unavailable(String),
    /// The secret does not hold the expected JSON, because an operator edited it.
    #[error("the secret {0} does not contain token records")]
    Malformed(String),
    /// The secret changed since it was read; read it again. Only [`Secrets::put`] and
    /// [`Secrets::keep`] return this error.
    #[error("the secret was changed in the meantime")]
    Changed,
}

/// How long a call to Secrets Manager can take, including all tries and the pauses between them.
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

    /// The current records of a tenant; an empty list if it has no secret.
    ///
    /// # Errors
    /// [`SecretsError`].
    pub async fn records(&self, tenant: &TenantCode) -> Result<Vec<TokenRecord>, SecretsError> {
        Ok(self.current(tenant).await?.records)
    }

    /// The current records of a tenant with the version that holds them.
    ///
    /// # Errors
    /// [`SecretsError`].
    pub async fn current(&self, tenant: &TenantCode) -> Result<StoredRecords, SecretsError> {
        let name = self.name(tenant);
        let Some((text, version)) = self.read(&name).await? else {
            return Ok(StoredRecords::default());
        };
        let records = serde_json::from_str(&text).map_err(|_| SecretsError::Malformed(name))?;
        Ok(StoredRecords { records, version })
    }

    /// The text of a secret with its version.
    async fn read(&self, name: &str) -> Result<Option<(String, Option<String>)>, SecretsError> {
        // Without a stage, some emulators return the version before the current one.
        let answer = self.client.get_secret_value().secret_id(name).version_stage(CURRENT).send();
        match Box::pin(answer).await {
            Ok(secret) => Ok(Some((secret.secret_string.unwrap_or_default(), secret.version_id))),
            Err(error) if is(&error, GetSecretValueError::is_resource_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes these the current records of a tenant, if `seen` are still the current ones. If the
    /// tenant has no secret, it is created.
    ///
    /// # Errors
    /// [`SecretsError::Changed`] if another change came first.
    pub async fn put(
        &self,
        tenant: &TenantCode,
        label: &str,
        seen: &StoredRecords,
        records: &[TokenRecord],
    ) -> Result<(), SecretsError> {
        let name = self.name(tenant);
        let text =
            serde_json::to_string(records).map_err(|_| SecretsError::Malformed(name.clone()))?;
        let description = format!("SCIM token digests of tenant {label}");
        self.write(&name, description, seen.version.as_deref(), text).await
    }

    /// Writes a secret whose current version is the one that was seen, or creates it.
    async fn write(
        &self,
        name: &str,
        description: String,
        seen: Option<&str>,
        text: String,
    ) -> Result<(), SecretsError> {
        match seen {
            Some(seen) => self.replace(name, seen, text).await,
            None => self.create(name, description, text).await,
        }
    }

    async fn create(
        &self,
        name: &str,
        description: String,
        text: String,
    ) -> Result<(), SecretsError> {
        let request = self.client.create_secret().name(name).description(description);
        match request.secret_string(text).send().await {
            Ok(_) => Ok(()),
            Err(error) if is(&error, CreateSecretError::is_resource_exists_exception) => {
                Err(SecretsError::Changed)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Stages a new version, and makes it current only in place of the one that was seen.
    async fn replace(&self, name: &str, seen: &str, text: String) -> Result<(), SecretsError> {
        let request = self.client.put_secret_value().secret_id(name).secret_string(text);
        let staged = request.version_stages(PENDING).send().await?;
        let request = self
            .client
            .update_secret_version_stage()
            .secret_id(name)
            .version_stage(CURRENT)
            .set_move_to_version_id(staged.version_id)
            .remove_from_version_id(seen);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if is(&error, UpdateSecretVersionStageError::is_invalid_parameter_exception) =>
            {
                Err(SecretsError::Changed)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Tokens that can be shown to the operator again, by their key ids. They are in a separate secret,
/// which the function has no permission to read.
#[derive(Clone, Default)]
pub struct RevealableTokens {
    /// The tokens.
    pub tokens: BTreeMap<String, String>,
    version: Option<String>,
}

impl fmt::Debug for RevealableTokens {
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
    /// [`SecretsError`].
    pub async fn kept(&self, tenant: &TenantCode) -> Result<RevealableTokens, SecretsError> {
        let name = self.kept_name(tenant);
        let Some((text, version)) = self.read(&name).await? else {
            return Ok(RevealableTokens::default());
        };
        let tokens = serde_json::from_str(&text).map_err(|_| SecretsError::Malformed(name))?;
        Ok(RevealableTokens { tokens, version })
    }

    /// Stores these tokens in place of those that were read.
    ///
    /// # Errors
    /// [`SecretsError::Changed`] if another change came first.
    pub async fn keep(
        &self,
        tenant: &TenantCode,
        label: &str,
        kept: &RevealableTokens,
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
pub struct StoredRecords {
    /// The token records.
    pub records: Vec<TokenRecord>,
    version: Option<String>,
}

/// Whether the service answered with this error.
fn is<E, R>(error: &SdkError<E, R>, kind: fn(&E) -> bool) -> bool {
    error.as_service_error().is_some_and(kind)
}

impl<E, R> From<SdkError<E, R>> for SecretsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        Self::Unavailable(telemetry::causes(&error))
    }
}
