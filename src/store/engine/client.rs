//! The table, accessed through the SDK's client.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

use crate::budget;
use crate::sdk;

/// How long a call of DynamoDB may take, with all its tries and the pauses between them.
const CALL_TIMEOUT: Duration = Duration::from_secs(6);

/// One DynamoDB table. The folders above this one define what is read from it and written to it.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) client: Client,
    pub(super) table: Arc<str>,
}

impl Store {
    /// A store over `table`. Build the client with [`timeouts`].
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.into() }
    }
}

/// Client settings that the store relies on.
pub fn timeouts(config: Builder) -> Builder {
    config.timeout_config(sdk::timeouts(CALL_TIMEOUT)).interceptor(Attempts)
}

/// Counts how often calls are sent.
#[derive(Debug)]
struct Attempts;

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "attempts"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        budget::attempted();
        Ok(())
    }
}
