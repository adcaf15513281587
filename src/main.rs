//! The Lambda function: settings, service, runtime.

use aws_config::BehaviorVersion;
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::{Error, service_fn};
use scim_lambda::auth::secrets_manager::{self, Secrets};
use scim_lambda::clock::Clock;
use scim_lambda::edge::{Service, gateway};
use scim_lambda::settings::Settings;
use scim_lambda::store::{self, Store};
use scim_lambda::{sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::from_env()?;
    telemetry::init_json(settings.metrics.clone());
    let aws = aws_config::defaults(BehaviorVersion::latest());
    let aws = aws.http_client(sdk::http_client()).retry_config(sdk::retry()).load().await;
    let table = store::timeouts((&aws).into()).build();
    let table = Store::new(aws_sdk_dynamodb::Client::from_conf(table), &settings.table);
    let secrets = secrets_manager::timeouts((&aws).into()).build();
    let secrets = Secrets::new(aws_sdk_secretsmanager::Client::from_conf(secrets), &settings.stack);
    let service = &Service::new(table, secrets, &settings, Clock::system())?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| gateway::handle(service, event))).await
}
