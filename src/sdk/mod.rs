//! How the SDK's clients behave: one place for the function, the operator's tool and the benches.
//!
//! A function is frozen between two events, and the connections that it keeps can break meanwhile
//! without its noticing. The next event then begins with a connection that is reset, or that
//! swallows what is sent. Each number here says how soon that is over; `benches/thaw.rs` measures
//! it.

mod renewal;

use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls::Provider};
use aws_smithy_types::retry::RetrySpec;

/// How long a connection is kept that nobody uses. AWS and the gateways on the way close idle
/// connections at times that they do not promise; a new one costs some ten milliseconds, a broken
/// one up to a second.
pub const IDLE: Duration = Duration::from_secs(20);
/// How long a connection may take to open: within a region it takes milliseconds.
pub const CONNECT: Duration = Duration::from_millis(1_000);
/// How long one try may take. DynamoDB and Secrets Manager answer in milliseconds, so one that has
/// taken a second is lost on a connection that swallows it, and the next try has a connection of
/// its own.
pub const ATTEMPT: Duration = Duration::from_millis(1_000);
/// Most tries, the first one included: as AWS recommends for DynamoDB, one more than the SDK's
/// default.
pub const ATTEMPTS: u32 = 4;

/// The HTTP client under all clients of the SDK, with TLS where the URL has it.
pub fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(renewal::Renewed::new(|| {
        Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .pool_idle_timeout(IDLE)
            .build_https()
    }))
}

/// When a call is tried again.
///
/// This is what all AWS SDKs do by default since November 2026 (AWS calls it retry behavior 2.1): a
/// call that broke is sent again after at most 25 ms to DynamoDB and 50 ms to others, where it was
/// up to a second before; one that was throttled still waits up to a second, since sooner it would
/// only be throttled again.
pub fn retry() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_retry_spec(RetrySpec::v2_1())
}

/// How long a call may take, with all its tries; without this the SDK waits forever.
pub fn timeouts(operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(operation)
        .build()
}
