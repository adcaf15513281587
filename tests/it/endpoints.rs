//! An engine written by others, which environment variables name: `tests/moto.sh` starts `moto` and
//! sets them. To use DynamoDB Local, set them to its URL; to use an AWS account, set them to `aws`.
//!
//! `store_contract` plays its promises there, and `secrets` those of the secrets.
//!
//! `moto` differs from AWS in a few ways, which no promise may depend on. It runs a transaction
//! again when its `ClientRequestToken` is sent again, counts one unit for whatever is consumed,
//! does not know reserved words or PartiQL, and returns a `LastEvaluatedKey` where a `Limit` equals
//! the rows that are left. A transaction that fails puts the table back as it was when it began, so
//! transactions committed in the meantime are lost. The promises about concurrent writes are
//! therefore skipped.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use scim_lambda::store::TenantCode;
use scim_local::{TABLE, dummy_account};

use crate::support::connectors::Between;

/// How to reach the engine that a variable names; calls pass through `between`.
pub async fn endpoint(variable: &str, between: Between) -> SdkConfig {
    let url = std::env::var(variable)
        .unwrap_or_else(|_| panic!("set {variable} to the engine's URL, or to aws"));
    let connector = Connector::builder();
    if url == "aws" {
        let connector = connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        let client = between.around(SharedHttpConnector::new(connector));
        return aws_config::defaults(BehaviorVersion::latest()).http_client(client).load().await;
    }
    let client = between.around(SharedHttpConnector::new(connector.build_http()));
    dummy_account().into_builder().endpoint_url(url).http_client(client).build()
}

/// The table to use there, which is created if it does not exist: the one that `SCIM_TEST_TABLE`
/// names, otherwise a new one for each test.
pub fn table() -> String {
    let new = || format!("{TABLE}-{}", TenantCode::generate().unwrap());
    std::env::var("SCIM_TEST_TABLE").unwrap_or_else(|_| new())
}
