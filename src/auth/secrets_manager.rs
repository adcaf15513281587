//! The digests of tokens in AWS Secrets Manager: one secret a tenant.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use std::time::Duration;

use super::records::{self, TokenRecord};
use crate::store::keys::TenantCode;

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
    Garbage(String),
}

/// Client settings that this adapter relies on.
pub fn timeouts(config: Builder) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1_000))
        .operation_attempt_timeout(Duration::from_millis(2_000))
        .operation_timeout(Duration::from_millis(4_000))
        .build();
    config.timeout_config(timeouts)
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
        let name = self.name(tenant);
        // Without a stage, some emulators return the version before the current one.
        let answer = self.client.get_secret_value().secret_id(&name).version_stage("AWSCURRENT").send();
        match Box::pin(answer).await {
            Ok(secret) => {
                records::parse(secret.secret_string().unwrap_or_default()).map_err(|_| SecretsError::Garbage(name))
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
                Ok(Vec::new())
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Makes these the current records of a tenant; its secret is made if there is none.
    ///
    /// # Errors
    /// As [`SecretsError`] says.
    pub async fn put(&self, tenant: &TenantCode, label: &str, records: &[TokenRecord]) -> Result<(), SecretsError> {
        let name = self.name(tenant);
        let text = records::write(records).map_err(|_| SecretsError::Garbage(name.clone()))?;
        let put = self.client.put_secret_value().secret_id(&name).secret_string(&text).send().await;
        match put {
            Ok(_) => return Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {}
            Err(error) => return Err(unavailable(error)),
        }
        let description = format!("SCIM token digests of tenant {label}");
        let created = self.client.create_secret().name(&name).description(description).secret_string(text).send().await;
        created.map(drop).map_err(unavailable)
    }
}

fn unavailable<E, R>(error: SdkError<E, R>) -> SecretsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    SecretsError::Unavailable(crate::telemetry::causes(&error))
}
