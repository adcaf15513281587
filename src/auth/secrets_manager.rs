//! Secrets in AWS Secrets Manager: read, and replaced only if nobody else has replaced them since.

use std::fmt;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::list_secret_version_ids::ListSecretVersionIdsError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_sdk_secretsmanager::operation::update_secret_version_stage::UpdateSecretVersionStageError;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::sdk;
use crate::telemetry;

const CURRENT: &str = "AWSCURRENT";
/// The stage of a version that is about to become current.
const PENDING: &str = "SCIMPENDING";

/// Token secrets of one stack.
#[derive(Debug, Clone)]
pub struct Secrets {
    client: Client,
    pub(super) stack: String,
    /// The KMS key of secrets that are created, if it is not AWS's.
    key: Option<String>,
}

/// Why a call to Secrets Manager failed. None of these errors may become a 401.
///
/// Every method of [`Secrets`] can fail with [`SecretsError::Unavailable`],
/// [`SecretsError::Denied`] and [`SecretsError::Deleted`].
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Secrets Manager is out of reach, or it throttles.
    #[error("Secrets Manager is not responding: {0}")]
    Unavailable(String),
    /// IAM or KMS denies access.
    #[error("AWS denies access to the secret {secret}: {why}")]
    Denied {
        /// The name of the secret.
        secret: String,
        /// What AWS says.
        why: String,
    },
    /// The secret does not exist, although a tenant's row names it.
    #[error("the secret {0} does not exist")]
    Missing(String),
    /// The secret does not hold the expected JSON, because an operator edited it.
    #[error("the secret {0} does not contain token records")]
    Malformed(String),
    /// A newer release has written the secret.
    #[error("the secret {0} was written by a newer release, which is needed to read it")]
    Newer(String),
    /// The secret is marked for deletion. Restore it with [`Secrets::restore`].
    #[error("the secret {0} is marked for deletion")]
    Deleted(String),
    /// The secret has its maximum number of versions; the oldest of them must become a day old.
    #[error("the secret {0} was changed too often in the last 24 hours")]
    Full(String),
    /// The secret changed since it was read; read it again.
    #[error("the secret was changed in the meantime")]
    Changed,
}

/// The version of a secret that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

/// How long a call to Secrets Manager can take, including all tries and the pauses between them.
const OPERATION: Duration = Duration::from_millis(4_000);

/// Client settings that this adapter relies on.
pub fn timeouts(config: Builder) -> Builder {
    config.timeout_config(sdk::timeouts(OPERATION))
}

impl Secrets {
    /// The secrets of `stack`. The client should be built with [`timeouts`].
    pub fn new(client: Client, stack: &str) -> Self {
        Self { client, stack: stack.to_owned(), key: None }
    }

    /// The same, where secrets that are created have this KMS key.
    #[must_use]
    pub fn with_key(self, key: Option<String>) -> Self {
        Self { key, ..self }
    }

    /// The text of a secret with its version; `None` if there is no such secret.
    pub(super) async fn read(&self, name: &str) -> Result<Option<(String, Version)>, SecretsError> {
        // Without a stage, some emulators return the version before the current one.
        let answer = self.client.get_secret_value().secret_id(name).version_stage(CURRENT).send();
        match Box::pin(answer).await {
            Ok(secret) => {
                let version = Version(secret.version_id.unwrap_or_default());
                Ok(Some((secret.secret_string.unwrap_or_default(), version)))
            }
            Err(error) if is(&error, GetSecretValueError::is_resource_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(failure(name, &error)),
        }
    }

    /// Writes a secret whose current version is the one that was seen, or creates it. `attempt`
    /// counts how often this version was to be replaced before.
    ///
    /// # Errors
    /// [`SecretsError::Changed`] if another change came first; [`SecretsError::Full`].
    pub(super) async fn write(
        &self,
        name: &str,
        description: String,
        (seen, attempt): (Option<&Version>, u32),
        text: String,
    ) -> Result<(), SecretsError> {
        match seen {
            Some(seen) => self.replace(name, seen, attempt, text).await,
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
        let request = request.set_kms_key_id(self.key.clone());
        match request.secret_string(text).send().await {
            Ok(_) => Ok(()),
            Err(error) if is(&error, CreateSecretError::is_resource_exists_exception) => {
                Err(SecretsError::Changed)
            }
            Err(error) => Err(failure(name, &error)),
        }
    }

    /// Stages a new version, and makes it current only in place of the one that was seen.
    ///
    /// The new version's id follows from the one that was seen. So of two writers at once only one
    /// creates a version, until the other one tries again to replace the same version.
    async fn replace(
        &self,
        name: &str,
        seen: &Version,
        attempt: u32,
        text: String,
    ) -> Result<(), SecretsError> {
        let next = seen.next(attempt);
        let request = self.client.put_secret_value().secret_id(name).secret_string(text);
        let request = request.client_request_token(&next.0).version_stages(PENDING);
        match request.send().await {
            Ok(_) => {}
            Err(error) if is(&error, PutSecretValueError::is_resource_exists_exception) => {
                return Err(SecretsError::Changed);
            }
            Err(error) if is(&error, PutSecretValueError::is_limit_exceeded_exception) => {
                return Err(SecretsError::Full(name.to_owned()));
            }
            Err(error) => return Err(failure(name, &error)),
        }
        let request = self.client.update_secret_version_stage().secret_id(name);
        let request = request.version_stage(CURRENT).move_to_version_id(next.0);
        match request.remove_from_version_id(&seen.0).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if is(&error, UpdateSecretVersionStageError::is_invalid_parameter_exception) =>
            {
                Err(SecretsError::Changed)
            }
            Err(error) => Err(failure(name, &error)),
        }
    }

    /// How many versions of a secret were created after `since`, in seconds since 1970.
    ///
    /// # Errors
    /// [`SecretsError`].
    pub async fn versions_since(&self, name: &str, since: i64) -> Result<usize, SecretsError> {
        let request = self.client.list_secret_version_ids().secret_id(name);
        let mut pages = request.include_deprecated(true).into_paginator().send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    let created = page.versions().iter().filter_map(|version| version.created_date);
                    count += created.filter(|created| created.secs() > since).count();
                }
                Err(error)
                    if is(&error, ListSecretVersionIdsError::is_resource_not_found_exception) =>
                {
                    return Ok(0);
                }
                Err(error) => return Err(failure(name, &error)),
            }
        }
        Ok(count)
    }

    /// Restores a secret that is marked for deletion.
    ///
    /// # Errors
    /// [`SecretsError`].
    pub async fn restore(&self, name: &str) -> Result<(), SecretsError> {
        let answer = self.client.restore_secret().secret_id(name).send().await;
        answer.map(drop).map_err(|error| failure(name, &error))
    }
}

impl Version {
    /// The id of the version that replaces this one.
    fn next(&self, attempt: u32) -> Self {
        let digest = Sha256::digest(format!("{} {attempt}", self.0));
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(byte, drawn)| *byte = drawn);
        Self(Uuid::new_v8(bytes).to_string())
    }
}

/// Whether the service answered with this error.
fn is<E, R>(error: &SdkError<E, R>, kind: fn(&E) -> bool) -> bool {
    error.as_service_error().is_some_and(kind)
}

/// What an error of the SDK says about a secret.
fn failure<E, R>(name: &str, error: &SdkError<E, R>) -> SecretsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    let is_marked = error.code() == Some("InvalidRequestException")
        && error.message().is_some_and(|message| message.contains("delet"));
    let secret = name.to_owned();
    match error.code() {
        _ if is_marked => SecretsError::Deleted(secret),
        Some("AccessDeniedException" | "DecryptionFailure" | "EncryptionFailure") => {
            SecretsError::Denied { secret, why: telemetry::causes(error) }
        }
        _ => SecretsError::Unavailable(telemetry::causes(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_version_follows_from_the_one_that_was_read_and_the_attempt() {
        let seen = Version("a".into());
        assert_eq!(seen.next(0), seen.next(0));
        assert_ne!(seen.next(0), seen.next(1));
        assert_ne!(seen.next(0), seen.next(0).next(0));
        assert_eq!(seen.next(0).0.len(), 36, "a client request token has 32 to 64 characters");
    }
}
