//! `scimctl profile`: shows and sets how the service behaves for a tenant.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use scim_lambda::operator::profiles::{self, Difference, LEARNED_AFTER, ProfileChange};
use scim_lambda::tenant::Profile;
use scim_lambda::tenant::profile::{IDPS, PRESETS};
use serde_json::{Value, json};

use crate::output::{Format, print, wait};
use crate::place::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the built-in profiles and the identity providers whose dialects are known
    List,
    /// Show all settings of a tenant or of a built-in profile
    Show {
        /// The name of a tenant or of a built-in profile
        name: String,
    },
    /// Give a tenant another profile, or change some of its settings
    Set(SetOptions),
    /// Show the settings in which two tenants or profiles differ
    Diff {
        /// The name of a tenant or of a built-in profile
        one: String,
        /// Another one
        other: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SetOptions {
    /// The tenant's name
    tenant: String,
    /// Settings such as seats.limit=100; null removes a limit
    #[arg(value_name = "SETTING=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    source: Source,
    /// Do not wait until all instances know a new limit of seats. Set the limit again after a
    /// minute
    #[arg(long)]
    no_wait: bool,
}

/// Where the settings of a profile come from. Each source overrides the one before it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Source {
    /// The built-in profile to begin with
    #[arg(long, value_name = "P")]
    profile: Option<String>,
    /// The identity provider whose dialect to use: entra, okta, onelogin, google, ...
    #[arg(long, value_name = "I")]
    idp: Option<String>,
    /// A file of settings as JSON, in the form that `profile show --json` prints
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Source {
    fn is_empty(&self) -> bool {
        self.profile.is_none() && self.idp.is_none() && self.file.is_none()
    }

    /// The changes that the options and these settings make.
    pub(crate) fn change(self, settings: &[String]) -> anyhow::Result<ProfileChange> {
        let settings = settings.iter().map(|setting| split(setting));
        Ok(ProfileChange {
            preset: self.profile,
            idp: self.idp,
            document: self.file.map(document).transpose()?,
            settings: settings.collect::<anyhow::Result<_>>()?,
        })
    }
}

fn document(file: PathBuf) -> anyhow::Result<Value> {
    let text =
        std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", file.display()))
}

fn split(setting: &str) -> anyhow::Result<(String, String)> {
    let (path, value) =
        setting.split_once('=').with_context(|| format!("{setting} is not SETTING=VALUE"))?;
    Ok((path.trim().to_owned(), value.trim().to_owned()))
}

pub(crate) async fn run(
    place: &Place,
    command: ProfileCommand,
    format: Format,
) -> anyhow::Result<()> {
    match command {
        ProfileCommand::List => list(format),
        ProfileCommand::Show { name } => {
            let profile = named(place, &name).await?;
            let lines =
                profile.flat()?.into_iter().map(|(path, value)| format!("{path} = {value}"));
            let lines = lines.collect::<Vec<_>>().join("\n");
            print(format, &serde_json::to_value(&profile)?, &lines);
            Ok(())
        }
        ProfileCommand::Set(options) => set(place, options, format).await,
        ProfileCommand::Diff { one, other } => {
            let profiles = (named(place, &one).await?, named(place, &other).await?);
            let differences = profiles::differences(&profiles.0, &profiles.1)?;
            let object = json!({
                "one": one, "other": other,
                "differences": objects(&differences, "one", "other"),
            });
            let mut lines = summary(&differences);
            if lines.is_empty() {
                lines.push("They are the same.".into());
            }
            print(format, &object, &lines.join("\n"));
            Ok(())
        }
    }
}

fn list(format: Format) -> anyhow::Result<()> {
    let idps: Value = serde_json::from_str(IDPS)?;
    let idps: Vec<&str> =
        idps.as_object().into_iter().flat_map(|idps| idps.keys()).map(String::as_str).collect();
    let names = PRESETS.map(|(name, _)| name);
    let mut lines = Vec::new();
    for name in names {
        let preset = Profile::preset(name, None)?;
        let differences = profiles::differences(&Profile::default(), &preset)?;
        let own = differences.iter().filter(|difference| difference.setting != "preset").count();
        lines.push(format!("{name:14} {own:2} settings differ from the default"));
    }
    lines.push(format!("\nDialects: {}", idps.join(", ")));
    print(format, &json!({ "profiles": names, "idps": idps }), &lines.join("\n"));
    Ok(())
}

async fn set(place: &Place, options: SetOptions, format: Format) -> anyhow::Result<()> {
    let SetOptions { tenant, settings, source, no_wait } = options;
    ensure!(
        !settings.is_empty() || !source.is_empty(),
        "give SETTING=VALUE, --profile, --idp or --file; scimctl profile show {tenant} shows all \
         settings"
    );
    let operator = &place.connect().await?.operator;
    let row = operator.tenant(&tenant).await?;
    let update = operator.set_profile(&row, &source.change(&settings)?).await?;
    let mut when = "within a minute";
    if update.starts_counting && !no_wait {
        let why = "All instances of the service learn of the limit within a minute; then seats \
            are counted.";
        wait(LEARNED_AFTER, why, format).await;
        operator.count_seats(&row).await?;
        when = "now";
    }
    let version = update.version;
    let object = json!({
        "tenant": tenant, "version": version,
        "changed": objects(&update.differences, "from", "to"),
    });
    let mut lines = summary(&update.differences);
    lines.push(format!("Tenant {tenant} has version {version} of its profile {when}."));
    if update.starts_counting && no_wait {
        lines.push(
            "Then set it again: until then seats.limit does not count users who come or go.".into(),
        );
    }
    print(format, &object, &lines.join("\n"));
    Ok(())
}

/// The built-in profile with this name, or the profile of the tenant with this name. The place is
/// opened only for a tenant.
async fn named(place: &Place, name: &str) -> anyhow::Result<Profile> {
    match profiles::preset(name)? {
        Some(preset) => Ok(preset),
        None => Ok(place.connect().await?.operator.profile(name).await?),
    }
}

fn objects(differences: &[Difference], before: &str, after: &str) -> Vec<Value> {
    let object = |difference: &Difference| {
        let Difference { setting, before: was, after: is } = difference;
        json!({ "setting": setting, before: was, after: is })
    };
    differences.iter().map(object).collect()
}

fn summary(differences: &[Difference]) -> Vec<String> {
    let line = |Difference { setting, before, after }: &Difference| {
        format!("{setting}: {before} -> {after}")
    };
    differences.iter().map(line).collect()
}
