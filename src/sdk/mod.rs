//! How the SDK's clients behave: one place for the function, the operator's tool and the benches.
//!
//! A function is frozen between two events, and its open connections can break in the meantime
//! without its knowledge. The next event then begins with a connection that is reset, or on which
//! requests are lost. Each number here limits how long that lasts; `benches/thaw.rs` measures it.

mod renewal;

use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls::Provider};
use aws_smithy_types::retry::RetrySpec;

/// How long an idle connection is kept. AWS and the gateways in between close idle connections at
/// unspecified times. A new connection costs about ten milliseconds, a broken one up to a second.
pub const IDLE: Duration = Duration::from_secs(20);
/// How long a connection can take to open. Within a region it takes milliseconds.
pub const CONNECT: Duration = Duration::from_millis(1_000);
/// How long one try can take. DynamoDB and Secrets Manager answer in milliseconds, so a try that
/// has taken a second is lost on a broken connection. The next try gets a new connection.
pub const ATTEMPT: Duration = Duration::from_millis(1_000);
/// Maximum number of tries, including the first one. AWS recommends this number for DynamoDB; it is
/// one more than the SDK's default.
pub const ATTEMPTS: u32 = 4;

/// The HTTP client of all clients of the SDK, with TLS if the URL is https.
pub fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(renewal::RenewingClient::new(|| {
        Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .pool_idle_timeout(IDLE)
            .build_https()
    }))
}

/// When a call is tried again.
///
/// All AWS SDKs have done this by default since November 2026; AWS calls it retry behavior 2.1. A
/// failed call is sent again after at most 25 ms to DynamoDB and 50 ms to other services, not after
/// up to a second as before. A throttled call still waits up to a second, because earlier it would
/// only be throttled again.
pub fn retry() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_retry_spec(RetrySpec::v2_1())
}

/// How long a call can take, with all its tries. Without this the SDK waits forever.
pub fn timeouts(operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(operation)
        .build()
}
