//! The Region and the credentials, by AWS's usual ways; and what to do if there are none.

use anyhow::{Context, anyhow, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use scim_lambda::sdk;

use super::options::AwsOptions;
use super::watch::Notes;

/// The configuration of the SDK, with credentials that can be had. Whether AWS accepts them, the
/// first call shows.
pub(super) async fn open(options: &AwsOptions, notes: &Notes) -> anyhow::Result<SdkConfig> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(notes.watch(sdk::http_client()))
        .retry_config(sdk::retry());
    if let Some(profile) = &options.aws_profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let sdk = loader.load().await;
    let profile = options.profile();
    notes.has_profile(&profile);
    let provider = sdk.credentials_provider().context("no AWS credentials were found")?;
    provider.provide_credentials().await.map_err(|error| anyhow!(why(&profile, &error)))?;
    if sdk.region().is_none() {
        bail!(
            "no AWS Region is set, and profile {profile} has none; add --region, or set AWS_REGION"
        );
    }
    Ok(sdk)
}

/// What to do about credentials that cannot be had.
fn why(profile: &str, error: &CredentialsError) -> String {
    let words = causes(error);
    let lower = words.to_lowercase();
    let says = |part: &str| lower.contains(part);
    if says("sso") || says("cached token") || says("session token not found") {
        return format!(
            "profile {profile} has no session of IAM Identity Center, or it has ended; log in with \
             aws sso login --profile {profile} ({words})"
        );
    }
    if says("could not find") && says("profile") || says("profile") && says("not defined") {
        return format!(
            "the AWS configuration has no profile {profile}; aws configure list-profiles shows all"
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

/// An error with its causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
