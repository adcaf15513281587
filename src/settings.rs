//! Every environment variable, read once.

use std::env;
use std::time::Duration;

use scim_core::Additions;

use crate::telemetry::Metrics;

/// How long a deleted user can be brought back, unless the deployment or the profile says
/// otherwise.
pub const RETENTION: Duration = days(90);
/// How long the log keeps a change, unless the deployment or the profile says otherwise.
pub const AUDIT_RETENTION: Duration = days(365);

/// How the service is deployed.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `SCIM_TABLE`: the DynamoDB table.
    pub table: String,
    /// `SCIM_STACK`: token secrets are named `scim/<stack>/tokens/<number>`.
    pub stack: String,
    /// `SCIM_BASE_URL`: the base URL of tenants without their own, without a trailing slash.
    pub base_url: Option<String>,
    /// `SCIM_RETENTION_DAYS`, 90 by default: how long a deleted user can be brought back.
    pub retention: Duration,
    /// `SCIM_AUDIT_RETENTION_DAYS`, 365 by default: how long the log keeps a change.
    pub audit_retention: Duration,
    /// Schemas and resource types in addition to those of RFC 7643.
    pub additions: Additions,
    /// What the events hold, and where they come from.
    pub events: EventSettings,
    /// `SCIM_METRICS`, `on` by default: which metrics the log carries.
    pub metrics: Metrics,
}

/// What the events to the product hold, and where they come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSettings {
    /// `SCIM_EVENT_BODY`, `full` by default.
    pub body: EventBody,
    /// `SCIM_EVENT_EPOCH`, 0 by default: raised when the table is restored from a backup, since
    /// versions and sequence numbers go back then.
    pub epoch: u32,
    /// `AWS_REGION`: where the stack is, if it is known.
    pub region: Option<String>,
}

/// How much an event tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventBody {
    /// The resource as GET would answer it, and the previous values of what changed.
    #[default]
    Full,
    /// Ids, and names of attributes, but no personal data.
    Ids,
}

/// A variable that is missing or unusable.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct SettingsError(String);

impl Settings {
    /// Settings for a table and a stack, and defaults for the rest.
    pub fn new(table: &str, stack: &str) -> Self {
        Self {
            table: table.to_owned(),
            stack: stack.to_owned(),
            base_url: None,
            retention: RETENTION,
            audit_retention: AUDIT_RETENTION,
            additions: Additions::default(),
            events: EventSettings::default(),
            metrics: Metrics::default(),
        }
    }

    /// The settings in the environment.
    ///
    /// # Errors
    /// [`SettingsError`] names the variable that is missing, or has a value that it cannot have.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(|name| env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let value = |name: &str| {
            variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let need =
            |name: &str| value(name).ok_or_else(|| SettingsError(format!("{name} is not set")));
        let retention = |name: &str, default: Duration| match value(name) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(number @ 1..=3_650) => Ok(days(number)),
                _ => Err(SettingsError(format!("{name} must be a number of days from 1 to 3650"))),
            },
        };
        let defaults = Self::new(&need("SCIM_TABLE")?, &need("SCIM_STACK")?);
        let metrics = metrics(value("SCIM_METRICS").as_deref(), &defaults.stack)?;
        Ok(Self {
            metrics,
            base_url: value("SCIM_BASE_URL").map(|url| url.trim_end_matches('/').to_owned()),
            retention: retention("SCIM_RETENTION_DAYS", defaults.retention)?,
            audit_retention: retention("SCIM_AUDIT_RETENTION_DAYS", defaults.audit_retention)?,
            events: EventSettings::read(value)?,
            ..defaults
        })
    }
}

impl EventSettings {
    fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let body = match value("SCIM_EVENT_BODY").as_deref() {
            None | Some("full") => EventBody::Full,
            Some("ids") => EventBody::Ids,
            Some(_) => return Err(SettingsError("SCIM_EVENT_BODY must be full or ids".into())),
        };
        let epoch = match value("SCIM_EVENT_EPOCH").map(|epoch| epoch.parse()) {
            None => 0,
            Some(Ok(epoch)) => epoch,
            Some(Err(_)) => {
                return Err(SettingsError("SCIM_EVENT_EPOCH must be a number from 0".into()));
            }
        };
        Ok(Self { body, epoch, region: value("AWS_REGION") })
    }
}

fn metrics(value: Option<&str>, stack: &str) -> Result<Metrics, SettingsError> {
    let namespace = Some(format!("scim/{stack}"));
    match value {
        None | Some("on") => Ok(Metrics { namespace, routes: false }),
        Some("routes") => Ok(Metrics { namespace, routes: true }),
        Some("off") => Ok(Metrics::default()),
        Some(_) => Err(SettingsError("SCIM_METRICS must be on, routes or off".into())),
    }
}

const fn days(number: u64) -> Duration {
    Duration::from_secs(number * 24 * 60 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let lookup =
            |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Settings::read(lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn a_missing_or_wrong_variable_is_named() {
        assert_eq!(read(&[]), Err("SCIM_TABLE is not set".into()));
        assert_eq!(read(&[("SCIM_TABLE", "t")]), Err("SCIM_STACK is not set".into()));
        let wrong = [("SCIM_TABLE", "t"), ("SCIM_STACK", "s"), ("SCIM_RETENTION_DAYS", "0")];
        assert_eq!(
            read(&wrong),
            Err("SCIM_RETENTION_DAYS must be a number of days from 1 to 3650".into())
        );
    }

    #[test]
    fn events_are_full_unless_the_environment_says_otherwise() {
        let of = |name: &str, value: &str| {
            let base = [("SCIM_TABLE", "t"), ("SCIM_STACK", "s"), (name, value)];
            read(&base).map(|settings| settings.events)
        };
        assert_eq!(of("SCIM_EVENT_BODY", ""), Ok(EventSettings::default()));
        assert_eq!(of("SCIM_EVENT_BODY", "ids").map(|events| events.body), Ok(EventBody::Ids));
        assert_eq!(of("SCIM_EVENT_EPOCH", "3").map(|events| events.epoch), Ok(3));
        assert!(of("SCIM_EVENT_BODY", "all").is_err() && of("SCIM_EVENT_EPOCH", "-1").is_err());
    }

    #[test]
    fn empty_variables_count_as_unset() {
        let settings = read(&[("SCIM_TABLE", "t"), ("SCIM_STACK", "s"), ("SCIM_BASE_URL", "")]);
        let metrics = Metrics { namespace: Some("scim/s".into()), routes: false };
        assert_eq!(settings, Ok(Settings { metrics, ..Settings::new("t", "s") }));
    }

    #[test]
    fn metrics_are_on_unless_the_environment_says_otherwise() {
        let of = |value: &str| {
            let pairs = [("SCIM_TABLE", "t"), ("SCIM_STACK", "s"), ("SCIM_METRICS", value)];
            read(&pairs).map(|settings| settings.metrics)
        };
        let namespace = Some("scim/s".to_owned());
        assert_eq!(of("on"), Ok(Metrics { namespace: namespace.clone(), routes: false }));
        assert_eq!(of("routes"), Ok(Metrics { namespace, routes: true }));
        assert_eq!(of("off"), Ok(Metrics::default()));
        assert_eq!(of("all"), Err("SCIM_METRICS must be on, routes or off".into()));
    }
}
