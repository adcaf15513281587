//! The Region and the credentials, by AWS's usual ways. If they are missing, the error says what to
//! do.

use anyhow::{Context, anyhow, bail};
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use scim_lambda::sdk;
use scim_lambda::telemetry::causes;

use super::options::AwsOptions;
use super::setup::Setup;
use super::watch::Notes;

/// The configuration of the SDK, and credentials that it has provided.
pub(super) struct Session {
    pub(super) sdk: SdkConfig,
    pub(super) credentials: Credentials,
}

/// The configuration with credentials that can be had. Whether AWS accepts them, the first call
/// shows.
pub(super) async fn open(options: &AwsOptions, notes: &Notes) -> anyhow::Result<Session> {
    let sdk = load(options, notes).await;
    let profile = options.profile();
    notes.has_setup(Setup {
        profile: profile.clone(),
        has_keys: options.has_keys(),
        region: sdk.region().map(ToString::to_string).unwrap_or_default(),
        names_table: options.table.is_some(),
    });
    let provider = sdk.credentials_provider().context("no AWS credentials were found")?;
    let credentials = provider.provide_credentials().await;
    let credentials = credentials.map_err(|error| anyhow!(why(&profile, &error)))?;
    if sdk.region().is_none() {
        bail!(
            "no AWS Region is set, and profile {profile} has none; add --region, or set AWS_REGION"
        );
    }
    Ok(Session { sdk, credentials })
}

async fn load(options: &AwsOptions, notes: &Notes) -> SdkConfig {
    let client = notes.watch(sdk::http_client());
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client.clone())
        .retry_config(sdk::retry());
    if let Some(profile) = &options.aws_profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let sdk = loader.load().await;
    let Some(profile) = &options.aws_profile else { return sdk };
    // AWS's usual order begins with the keys in the environment, which are not what was asked for.
    let config = ProviderConfig::without_region()
        .with_region(sdk.region().cloned())
        .with_use_fips(sdk.use_fips())
        .with_use_dual_stack(sdk.use_dual_stack())
        .with_retry_config(sdk::retry())
        .with_http_client(client);
    let provider = ProfileFileCredentialsProvider::builder().profile_name(profile);
    let provider = SharedCredentialsProvider::new(provider.configure(&config).build());
    sdk.into_builder().credentials_provider(provider).build()
}

/// What to do about credentials that cannot be had.
fn why(profile: &str, error: &CredentialsError) -> String {
    let words = causes(error);
    if let Some(missing) = undefined(&words) {
        return format!(
            "the AWS configuration has no profile {missing}; aws configure list-profiles shows all"
        );
    }
    // The name of a profile says nothing about its kind.
    let lower = words.replace(&format!("`{profile}`"), "").to_lowercase();
    let is_sso = [
        "sso token",
        "/sso/cache/",
        "cached token",
        "unauthorizedexception",
        "session token not found",
    ];
    if is_sso.iter().any(|part| lower.contains(part)) {
        return format!(
            "profile {profile} has no session of IAM Identity Center, or it has ended; log in with \
             aws sso login --profile {profile} ({words})"
        );
    }
    match error {
        CredentialsError::CredentialsNotLoaded(_) => format!(
            "no AWS credentials were found with profile {profile}; choose a profile with \
             --aws-profile or AWS_PROFILE, after aws sso login or aws configure"
        ),
        _ => format!("the credentials of profile {profile} cannot be had: {words}"),
    }
}

/// The profile that is missing according to the SDK: the one that is used, or one that it names.
fn undefined(words: &str) -> Option<&str> {
    words.split_once("` was not defined")?.0.rsplit('`').next()
}
