//! The contracts on an engine that others wrote, named by environment variables: `tests/moto.sh`
//! starts `moto` and sets them; whoever has DynamoDB Local names its URL, and whoever has an AWS
//! account says `aws`, in place of a URL.
//!
//! What `moto` does otherwise than AWS, so that no contract may touch it: it runs a transaction
//! again when its `ClientRequestToken` is sent again, counts one unit for whatever is consumed,
//! knows no reserved words and no PartiQL, and returns a `LastEvaluatedKey` where a `Limit` equals
//! the rows that are left.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use scim_local::{TABLE, dummy_account};

async fn endpoint(variable: &str) -> SdkConfig {
    let url = std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} names the engine's URL, or aws"));
    let client = Builder::new();
    match url.as_str() {
        "aws" => {
            let client = client.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
            aws_config::defaults(BehaviorVersion::latest()).http_client(client).load().await
        }
        url => dummy_account()
            .into_builder()
            .endpoint_url(url)
            .http_client(client.build_http())
            .build(),
    }
}

#[tokio::test]
#[ignore = "needs an engine: tests/moto.sh"]
async fn another_engine_holds_the_contract_of_the_secrets() {
    crate::secrets::contract(&endpoint("SCIM_TEST_SECRETS_ENDPOINT").await).await;
}

/// The table is `scim`, unless `SCIM_TEST_TABLE` says otherwise; it is made if it is not there.
#[tokio::test]
#[ignore = "needs an engine: tests/moto.sh"]
async fn another_engine_holds_the_contract_of_the_store() {
    let table = std::env::var("SCIM_TEST_TABLE").unwrap_or_else(|_| TABLE.to_owned());
    crate::store_contract::contract(&endpoint("SCIM_TEST_DYNAMODB_ENDPOINT").await, &table).await;
}
