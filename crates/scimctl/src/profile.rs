//! `scimctl profile`: how the service behaves for a tenant.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use indicatif::ProgressBar;
use scim_lambda::store::TenantRow;
use scim_lambda::store::{Collection, Kind};
use scim_lambda::tenant::Profile;
use scim_lambda::tenant::profile::{IDPS, PRESETS};
use serde_json::{Value, json};

use crate::place::{Connection, Place};
use crate::print;

/// How long the service believes a profile, and some seconds more.
const LEARNED: Duration = Duration::from_secs(65);

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the profiles that ship, and the identity providers whose dialects are known
    List,
    /// Show all settings of a tenant, or of a profile that ships
    Show {
        /// A tenant's name, or that of a profile that ships
        name: String,
    },
    /// Give a tenant another profile, or change some of its settings
    Set {
        /// The tenant's name
        tenant: String,
        /// Settings such as seats.limit=100; null takes a limit away
        #[arg(value_name = "SETTING=VALUE")]
        settings: Vec<String>,
        #[command(flatten)]
        source: Source,
        /// Do not wait until all instances know a new limit of seats; set it once more after a
        /// minute
        #[arg(long)]
        no_wait: bool,
    },
    /// Show the settings in which two tenants or profiles differ
    Diff {
        /// A tenant's name, or that of a profile that ships
        one: String,
        /// Another one
        other: String,
    },
}

/// Where the settings of a profile come from, each over the one before.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Source {
    /// The profile to begin with: one that ships
    #[arg(long, value_name = "P")]
    pub(crate) profile: Option<String>,
    /// The identity provider whose dialect is spoken: entra, okta, onelogin, google, ...
    #[arg(long, value_name = "I")]
    pub(crate) idp: Option<String>,
    /// A file of settings as JSON, in the form that `profile show --json` prints
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

impl Source {
    fn is_empty(&self) -> bool {
        self.profile.is_none() && self.idp.is_none() && self.file.is_none()
    }

    /// The profile that this makes of another one.
    pub(crate) fn over(&self, profile: Profile, settings: &[String]) -> anyhow::Result<Profile> {
        let idp = self.idp.clone().or_else(|| profile.dialect.idp.clone());
        let mut profile = match (&self.profile, &self.idp) {
            (None, None) => profile,
            (Some(name), _) => Profile::preset(name, idp.as_deref())?.at_address_of(&profile),
            (None, Some(idp)) => profile.speaking(idp)?,
        };
        if let Some(file) = &self.file {
            let text = std::fs::read(file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            let document = serde_json::from_slice(&text)
                .with_context(|| format!("{} is not JSON", file.display()))?;
            profile = profile.over(document)?;
        }
        let mut all = Vec::with_capacity(settings.len());
        for setting in settings {
            let (path, value) = setting
                .split_once('=')
                .with_context(|| format!("{setting} is not SETTING=VALUE"))?;
            match path.trim() {
                "preset" => bail!(
                    "preset is no setting of its own: --profile gives a tenant another profile"
                ),
                "dialect.idp" => {
                    bail!("dialect.idp is no setting of its own: --idp sets the whole dialect")
                }
                path => all.push((path, value.trim())),
            }
        }
        Ok(profile.with_all(all)?)
    }
}

pub(crate) async fn run(place: &Place, command: ProfileCommand, json: bool) -> anyhow::Result<()> {
    match command {
        ProfileCommand::List => {
            let idps: Value = serde_json::from_str(IDPS)?;
            let idps: Vec<&String> =
                idps.as_object().into_iter().flat_map(|idps| idps.keys()).collect();
            let names = PRESETS.map(|(name, _)| name);
            let mut lines = Vec::new();
            for name in names {
                let differences = differences(&Profile::default(), &Profile::preset(name, None)?)?;
                let own = differences.iter().filter(|(path, ..)| path != "preset").count();
                lines.push(format!("{name:14} {own:2} settings beside the default"));
            }
            let words = idps.iter().map(|idp| idp.as_str()).collect::<Vec<_>>().join(", ");
            lines.push(format!("\nDialects: {words}"));
            print(json, &json!({ "profiles": names, "idps": idps }), &lines.join("\n"));
        }
        ProfileCommand::Show { name } => {
            let profile = named(place, &name).await?;
            let lines =
                profile.flat()?.into_iter().map(|(path, value)| format!("{path} = {value}"));
            print(json, &serde_json::to_value(&profile)?, &lines.collect::<Vec<_>>().join("\n"));
        }
        ProfileCommand::Set { tenant, settings, source, no_wait } => {
            let nothing = settings.is_empty() && source.is_empty();
            ensure!(
                !nothing,
                "give SETTING=VALUE, --profile, --idp or --file; scimctl profile show {tenant} \
                shows all"
            );
            let connection = place.connect().await?;
            let row = connection.tenant(&tenant).await?;
            let before = Profile::read(&row.profile)?;
            let profile = source.over(before.clone(), &settings)?;
            check_host(&profile, connection.base_url.as_deref())?;
            let differences = differences(&before, &profile)?;
            set(&connection, &row, &before, &profile, !no_wait, json).await?;
            let object = json!({
                "tenant": tenant, "version": row.profile_version + 1,
                "changed": differences.iter().map(|(path, from, to)| json!({
                    "setting": path, "from": from, "to": to,
                })).collect::<Vec<_>>(),
            });
            let mut lines = told(&differences);
            let version = row.profile_version + 1;
            let waited = !no_wait && begins(&before, &profile);
            let when = if waited { "now" } else { "within a minute" };
            lines.push(format!("Tenant {tenant} has version {version} of its profile {when}."));
            if no_wait && begins(&before, &profile) {
                lines.push(
                    "Set it once more then: who comes or goes before is not counted for \
                    seats.limit."
                        .into(),
                );
            }
            print(json, &object, &lines.join("\n"));
        }
        ProfileCommand::Diff { one, other } => {
            let differences =
                differences(&named(place, &one).await?, &named(place, &other).await?)?;
            let object = json!({ "one": one, "other": other, "differences": differences.iter().map(|(path, a, b)| json!({
                "setting": path, "one": a, "other": b,
            })).collect::<Vec<_>>() });
            let lines = told(&differences).join("\n");
            print(json, &object, if lines.is_empty() { "They are the same." } else { &lines });
        }
    }
    Ok(())
}

/// A setting, as it was and as it is.
type Difference = (String, Value, Value);

fn differences(one: &Profile, other: &Profile) -> anyhow::Result<Vec<Difference>> {
    let both = one.flat()?.into_iter().zip(other.flat()?);
    Ok(both.filter(|(a, b)| a.1 != b.1).map(|(a, b)| (a.0, a.1, b.1)).collect())
}

fn told(differences: &[Difference]) -> Vec<String> {
    differences.iter().map(|(path, from, to)| format!("{path}: {from} -> {to}")).collect()
}

/// The profile of a tenant, or one that ships.
async fn named(place: &Place, name: &str) -> anyhow::Result<Profile> {
    if PRESETS.iter().any(|(preset, _)| *preset == name) {
        return Ok(Profile::preset(name, None)?);
    }
    let connection = place.connect().await?;
    let row = connection.store.tenant_by_name(name).await.context("the tenant cannot be read")?;
    let row = row.with_context(|| {
        format!(
            "there is neither a tenant nor a profile {name}; scimctl tenant list and scimctl \
            profile list show what there is"
        )
    })?;
    Ok(Profile::read(&row.profile)?)
}

/// A token is good at its tenant's host only, so that is where the tenant's base URL has to lead.
pub(crate) fn check_host(profile: &Profile, base_url: Option<&str>) -> anyhow::Result<()> {
    let url = profile.address.base_url.as_deref().or(base_url);
    let at = url.and_then(|url| url.split_once("://")?.1.split(['/', ':']).next());
    if let (Some(host), Some(at)) = (&profile.address.host, at) {
        ensure!(
            at.eq_ignore_ascii_case(host),
            "address.host is {host}, but the tenant's base URL is at {at}; set address.base_url \
            too"
        );
    }
    Ok(())
}

/// Whether active users are to be counted from now on.
fn begins(before: &Profile, profile: &Profile) -> bool {
    before.seats.limit.is_none() && profile.seats.limit.is_some()
}

/// Gives a tenant another profile. After its first limit of seats, active users are counted once
/// all instances keep count.
pub(crate) async fn set(
    connection: &Connection,
    row: &TenantRow,
    before: &Profile,
    profile: &Profile,
    wait: bool,
    json: bool,
) -> anyhow::Result<()> {
    let stored =
        connection.store.set_profile(row, &profile.write()?, profile.bounds(before)).await?;
    ensure!(
        stored,
        "somebody else changed the profile of {} at the same time; look at it and try again",
        row.name
    );
    if wait && begins(before, profile) {
        let spinner = if json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        spinner.enable_steady_tick(Duration::from_millis(200));
        spinner.set_message(
            "All instances of the service learn of the limit within a minute; \
            then seats are counted.",
        );
        tokio::time::sleep(LEARNED).await;
        spinner.finish_and_clear();
        connection.store.count_seats(&Collection { tenant: row.key(), kind: Kind::User }).await?;
    }
    Ok(())
}
