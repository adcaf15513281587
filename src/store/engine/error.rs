//! Why the store did not answer.

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};

use super::format::KNOWN_FORMAT;
use crate::budget::{self, OutOfBudget};
use crate::telemetry;

/// Why the store failed. Every function of the store that can fail returns this error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB is out of reach, or keeps cancelling because of conflicts. The same
    /// request may succeed later. It is unknown whether a write took effect.
    #[error("DynamoDB is not responding: {0}")]
    Unavailable(String),
    /// DynamoDB throttles: the table, a partition or the account has used up its units. Nothing was
    /// written, and the same request may succeed after a pause.
    #[error("DynamoDB throttles: {0}")]
    Throttled(String),
    /// DynamoDB refuses the call: there is no such table, or it is not in the form that this version
    /// expects. An operator must inspect it.
    #[error("DynamoDB refuses the call: {0}")]
    Denied(String),
    /// A row is not in the form that this version writes. An operator must inspect it.
    #[error("the table is not in the expected state: {0}")]
    Broken(String),
    /// A newer release wrote this row, in a format that this one does not know. Nothing was
    /// written.
    #[error(
        "a row of kind {kind} has format {format}; this release reads formats up to {}: use the \
         newer release",
        KNOWN_FORMAT
    )]
    NewerFormat {
        /// The letter of the row's kind.
        kind: String,
        /// The version of its format.
        format: i64,
    },
    /// The request would read more than one request may ([`crate::budget`]).
    #[error("the request would read more than one request may")]
    OutOfBudget,
}

impl From<OutOfBudget> for StoreError {
    fn from(_: OutOfBudget) -> Self {
        Self::OutOfBudget
    }
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::broken(error.to_string())
    }
}

impl StoreError {
    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self::Broken(reason.into())
    }
}

/// The codes of a call that DynamoDB throttles.
const THROTTLES: [&str; 4] = [
    "ThrottlingException",
    "ThrottlingError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
];

/// Converts an SDK error into this room's error, and counts the call as failed. The SDK's message
/// goes to the log, never to a client.
pub(crate) fn unavailable<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    budget::failed();
    let words = telemetry::causes(&error);
    match error.code() {
        Some("ResourceNotFoundException" | "ValidationException") => StoreError::Denied(words),
        // An IAM role or a key that was switched off can be switched on again, and the same request
        // succeeds then. DynamoDB also returns AccessDeniedException for the table's KMS key ("KMS
        // key access denied error").
        Some(code) if code == "AccessDeniedException" || code.starts_with("KMS") => {
            tracing::error!(error = %words, "DynamoDB denies access: check the function's role \
                and the table's key");
            StoreError::Unavailable(words)
        }
        Some(code) if THROTTLES.contains(&code) => {
            budget::throttled();
            StoreError::Throttled(words)
        }
        _ => StoreError::Unavailable(words),
    }
}
