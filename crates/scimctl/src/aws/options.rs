//! How the command line and the environment name a deployment in AWS.

use anyhow::Context;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// The variables that name the deployment. The function has both, and so has the environment that
/// `serve` prints; with both, no stack is asked.
const STACK: &str = "SCIM_STACK";
const TABLE: &str = "SCIM_TABLE";
/// The variables with which the function gets its retention, read where no stack is asked.
const RETENTION: &str = "SCIM_RETENTION_DAYS";
const AUDIT_RETENTION: &str = "SCIM_AUDIT_RETENTION_DAYS";
const MAX_DAYS: u64 = 3_650;

/// A text with at least one character.
fn text() -> NonEmptyStringValueParser {
    NonEmptyStringValueParser::new()
}

/// A number of days for which something is kept.
fn days() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=MAX_DAYS)
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AwsOptions {
    /// A stack in AWS to use instead of a data directory [env: SCIM_STACK]
    #[arg(long, global = true, value_name = "NAME", value_parser = text())]
    pub(crate) stack: Option<String>,

    /// The profile of the AWS configuration with the credentials [env: AWS_PROFILE]
    #[arg(long, global = true, value_name = "NAME", help_heading = "AWS", value_parser = text())]
    pub(crate) aws_profile: Option<String>,

    /// The stack's Region [env: AWS_REGION]
    #[arg(long, global = true, value_name = "REGION", help_heading = "AWS", value_parser = text())]
    pub(crate) region: Option<String>,

    /// The table, if there is no stack to ask, or in place of the stack's
    #[arg(long, global = true, value_name = "NAME", help_heading = "AWS", value_parser = text())]
    pub(crate) table: Option<String>,

    /// How the names of the secrets begin, in place of the stack's [default: scim/TABLE]
    #[arg(long, global = true, value_name = "TEXT", help_heading = "AWS", value_parser = secrets_prefix)]
    pub(crate) secrets_prefix: Option<String>,

    /// The KMS key of secrets that are created, in place of the stack's
    #[arg(long, global = true, value_name = "ARN", help_heading = "AWS", value_parser = text())]
    pub(crate) kms_key: Option<String>,

    /// Days for which deleted users are kept, in place of the stack's [default: 90]
    #[arg(long, global = true, value_name = "DAYS", help_heading = "AWS", value_parser = days())]
    pub(crate) deleted_user_days: Option<u64>,

    /// Days for which the log is kept, in place of the stack's [default: 365]
    #[arg(long, global = true, value_name = "DAYS", help_heading = "AWS", value_parser = days())]
    pub(crate) audit_days: Option<u64>,
}

impl AwsOptions {
    /// Whether any of these options is given.
    pub(crate) fn is_for_aws(&self) -> bool {
        let texts = [&self.aws_profile, &self.region, &self.secrets_prefix, &self.kms_key];
        let numbers = [self.deleted_user_days, self.audit_days];
        texts.iter().any(|text| text.is_some()) || numbers.iter().any(Option::is_some)
    }

    /// Whether these options name a deployment.
    pub(crate) fn name_one(&self) -> bool {
        self.stack.is_some() || self.table.is_some()
    }

    /// The options that name the deployment, in the order of the help, with their values.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let options = [
            ("--stack", &self.stack),
            ("--aws-profile", &self.aws_profile),
            ("--region", &self.region),
            ("--table", &self.table),
            ("--secrets-prefix", &self.secrets_prefix),
        ];
        options.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// The same, with what the environment says about the deployment. The stack that it names counts
    /// unless an option names another one. A table counts only together with a stack, which then is
    /// not asked.
    ///
    /// # Errors
    /// If the retention in the environment is wrong.
    pub(crate) fn or_environment(self) -> anyhow::Result<Self> {
        match (&self.stack, set(STACK), set(TABLE)) {
            (Some(_), _, _) | (None, None, _) => Ok(self),
            (None, stack, None) => Ok(Self { stack, ..self }),
            (None, Some(stack), table) => Ok(Self {
                table: self.table.or(table),
                secrets_prefix: self.secrets_prefix.or(Some(format!("scim/{stack}"))),
                deleted_user_days: or_days(self.deleted_user_days, RETENTION)?,
                audit_days: or_days(self.audit_days, AUDIT_RETENTION)?,
                ..self
            }),
        }
    }

    /// Whether the credentials are keys in the environment.
    pub(super) fn has_keys(&self) -> bool {
        let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        self.aws_profile.is_none() && keys.into_iter().all(|name| set(name).is_some())
    }

    /// The name of the profile of the AWS configuration, for sentences.
    pub(crate) fn profile(&self) -> String {
        let environment = || std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        self.aws_profile.clone().or_else(environment).unwrap_or_else(|| "default".into())
    }
}

/// A variable of the environment that says something.
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The days of an option, or else of a variable.
fn or_days(option: Option<u64>, name: &str) -> anyhow::Result<Option<u64>> {
    let (None, Some(text)) = (option, set(name)) else { return Ok(option) };
    let days = text.trim().parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
    let days =
        days.with_context(|| format!("{name} must be a number of days from 1 to {MAX_DAYS}"))?;
    Ok(Some(days))
}

/// How the names of secrets begin: `scim/` and a name.
fn secrets_prefix(text: &str) -> Result<String, &'static str> {
    match text.trim_end_matches('/').strip_prefix("scim/") {
        Some(name) if !name.is_empty() => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("it begins with scim/, such as scim/NAME"),
    }
}
