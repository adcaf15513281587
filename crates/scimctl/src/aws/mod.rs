//! A deployment in AWS: the credentials for it, what its stack says about it, and what AWS denies.

mod account;
mod cloudformation;
mod denial;
mod options;
mod session;
mod setup;
mod stack;
mod watch;

pub(crate) use options::AwsOptions;
pub(crate) use stack::Target;
pub(crate) use watch::Notes;

use aws_config::SdkConfig;

/// Finds a deployment: its account with credentials that work, and what its stack says. The calls of
/// clients with this configuration are noted in `notes`.
pub(crate) async fn find(
    options: &AwsOptions,
    notes: &Notes,
) -> anyhow::Result<(SdkConfig, Target)> {
    let session = session::open(options, notes).await?;
    let target = stack::target(options, &session, notes).await?;
    notes.announce_later(target.title());
    Ok((session.sdk, target))
}
