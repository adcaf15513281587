//! What a stack says about its deployment, by its outputs.

use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use scim_lambda::settings::{AUDIT_RETENTION, RETENTION};

use super::cloudformation::{self, Described, Outputs};
use super::options::AwsOptions;
use super::session::Session;
use super::watch::Notes;

const DAY: u64 = 24 * 60 * 60;
/// How the names of all secrets begin.
const SECRETS: &str = "scim/";

/// A deployment in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) stack: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: String,
    pub(crate) table: String,
    /// What stands between `scim/` and the rest in the names of the secrets.
    pub(crate) secrets: String,
    pub(crate) key: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) retention: Duration,
    pub(crate) audit_retention: Duration,
}

impl Target {
    /// Where it is, in a few words.
    pub(super) fn title(&self) -> String {
        let what = match &self.stack {
            Some(stack) => format!("stack {stack}"),
            None => format!("table {}", self.table),
        };
        match &self.account {
            Some(account) => format!("{what}, account {account}, {}", self.region),
            None => format!("{what}, {}", self.region),
        }
    }
}

/// The deployment that the options name. What they say wins over what the stack says.
pub(super) async fn target(
    options: &AwsOptions,
    session: &Session,
    notes: &Notes,
) -> anyhow::Result<Target> {
    let region = session.sdk.region().map(AsRef::as_ref).unwrap_or_default();
    let found = match (&options.stack, &options.table) {
        (Some(stack), _) => {
            let outputs = outputs(session, stack, region, notes).await?;
            of_stack(stack, &outputs, region)?
        }
        (None, Some(table)) => {
            say_defaults(options);
            without_stack(table, region)
        }
        (None, None) => bail!("name a stack with --stack, or a table with --table"),
    };
    let prefix = options.secrets_prefix.as_deref().and_then(|text| text.strip_prefix(SECRETS));
    Ok(Target {
        table: options.table.clone().unwrap_or(found.table),
        secrets: prefix.map_or(found.secrets, str::to_owned),
        key: options.kms_key.clone().or(found.key),
        retention: options.deleted_user_days.map_or(found.retention, days),
        audit_retention: options.audit_days.map_or(found.audit_retention, days),
        ..found
    })
}

async fn outputs(
    session: &Session,
    stack: &str,
    region: &str,
    notes: &Notes,
) -> anyhow::Result<Outputs> {
    match cloudformation::describe(session, stack).await? {
        Described::Stack(outputs) => Ok(outputs),
        Described::Refused(code, message) if message.contains("does not exist") => {
            let profile = notes.setup().profile;
            Err(anyhow!(
                "there is no stack {stack} in {region} in the account of profile {profile} ({code}); \
                 choose the Region with --region, the account with --aws-profile, or see aws \
                 cloudformation list-stacks"
            ))
        }
        Described::Refused(code, message) => {
            notes.refused("cloudformation:DescribeStacks", &code, &message);
            Err(anyhow!("CloudFormation does not describe the stack {stack}: {code}: {message}"))
        }
    }
}

/// What the outputs of a stack say.
fn of_stack(stack: &str, outputs: &Outputs, region: &str) -> anyhow::Result<Target> {
    let output = |name: &str| outputs.get(name).cloned();
    let need = |name: &str| {
        output(name).with_context(|| {
            format!(
                "the stack {stack} in {region} has no output {name}: it was made by an older \
                 release, or it is not scim-lambda's; deploy this release first, or use --table"
            )
        })
    };
    let kept = |name: &str| {
        let number: Result<u64, _> = need(name)?.parse();
        number.map(days).with_context(|| format!("the stack's output {name} is not a number"))
    };
    let target = Target {
        table: need("TableName")?,
        secrets: secrets(&need("SecretsPrefix")?)?,
        retention: kept("RetentionDays")?,
        audit_retention: kept("AuditRetentionDays")?,
        account: Some(need("AccountId")?),
        region: need("Region")?,
        key: output("KmsKeyArn"),
        base_url: Some(need("BaseUrl")?),
        stack: Some(stack.to_owned()),
    };
    ensure!(
        target.region == region,
        "the stack {stack} is in {}, not in {region}; add --region {}",
        target.region,
        target.region
    );
    Ok(target)
}

fn secrets(prefix: &str) -> anyhow::Result<String> {
    let name = prefix.strip_prefix(SECRETS);
    let name = name.with_context(|| format!("the stack's output SecretsPrefix is {prefix}"))?;
    Ok(name.trim_end_matches('/').to_owned())
}

/// A table without a stack that could tell more.
fn without_stack(table: &str, region: &str) -> Target {
    Target {
        stack: None,
        account: None,
        region: region.to_owned(),
        table: table.to_owned(),
        secrets: table.to_owned(),
        key: None,
        base_url: None,
        retention: RETENTION,
        audit_retention: AUDIT_RETENTION,
    }
}

/// Says which settings of the deployment are assumed.
fn say_defaults(options: &AwsOptions) {
    if options.deleted_user_days.is_none() || options.audit_days.is_none() {
        let or = |days: Option<u64>, default: Duration| days.unwrap_or(default.as_secs() / DAY);
        eprintln!(
            "scimctl: without a stack, deleted users are kept for {} days and the log for {} days, \
             unless the tenant's profile says otherwise; --deleted-user-days and --audit-days set them",
            or(options.deleted_user_days, RETENTION),
            or(options.audit_days, AUDIT_RETENTION),
        );
    }
}

fn days(number: u64) -> Duration {
    Duration::from_secs(number.saturating_mul(DAY))
}
