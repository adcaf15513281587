//! The Lambda function: settings, service, runtime.

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls::Provider};
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::{Error, service_fn};
use scim_lambda::auth::secrets_manager::{self, Secrets};
use scim_lambda::clock::Clock;
use scim_lambda::edge::{Service, gateway};
use scim_lambda::settings::Settings;
use scim_lambda::store::{self, Store};
use scim_lambda::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init_json();
    let settings = Settings::from_env()?;
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .load()
        .await;
    let table = store::timeouts((&aws).into()).build();
    let table = Store::new(aws_sdk_dynamodb::Client::from_conf(table), &settings.table);
    let secrets = secrets_manager::timeouts((&aws).into()).build();
    let secrets = Secrets::new(aws_sdk_secretsmanager::Client::from_conf(secrets), &settings.stack);
    let service = &Service::new(table, secrets, &settings, Clock::system())?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| gateway::handle(service, event))).await
}
