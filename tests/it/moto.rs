//! The contracts on an emulator that others wrote, named by the variables that `tests/moto.sh` sets.

use aws_config::SdkConfig;
use aws_smithy_http_client::Builder;
use scimctl::local::dummy_account;

fn endpoint(variable: &str) -> SdkConfig {
    let url = std::env::var(variable).unwrap_or_else(|_| panic!("{variable} names the emulator's URL"));
    dummy_account().into_builder().endpoint_url(url).http_client(Builder::new().build_http()).build()
}

#[tokio::test]
#[ignore = "needs an emulator: tests/moto.sh"]
async fn moto_holds_the_contract_of_the_secrets() {
    crate::secrets::contract(&endpoint("SCIM_TEST_SECRETS_ENDPOINT")).await;
}

#[tokio::test]
#[ignore = "needs an emulator: tests/moto.sh"]
async fn moto_holds_the_contract_of_the_store() {
    crate::store_contract::contract(&endpoint("SCIM_TEST_DYNAMODB_ENDPOINT")).await;
}
