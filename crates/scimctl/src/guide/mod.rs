//! `scimctl tenant guide`: the page for the administrator of a customer's identity provider.
//!
//! The texts are in `crates/scimctl/guides`, one file for each identity provider. `page` puts the
//! facts of a connection into their places, `html` makes a page for a browser of it.

mod facts;
mod html;
mod life;
mod mapping;
mod page;
mod refusals;
mod source;
#[cfg(test)]
mod tests;
mod text;

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use scim_lambda::operator::Operator;
use scim_lambda::operator::overview::Overview;
use serde_json::json;
use time::OffsetDateTime;

use self::facts::{Facts, TokenEnd};
use self::html::html;
use self::page::page;
use self::source::Choice;
use crate::output::{Format, print};

/// In seconds.
const DAY: u64 = 24 * 60 * 60;

#[derive(Debug, Args)]
pub(crate) struct GuideOptions {
    /// The tenant's name
    name: String,
    /// The identity provider [default: that of the tenant's profile]: entra, okta, onelogin,
    /// google, jumpcloud, ping, authentik, keycloak, sailpoint, generic
    #[arg(long, value_name = "I")]
    idp: Option<String>,
    /// The form of the page
    #[arg(long, value_enum, default_value_t)]
    format: PageFormat,
    /// Where to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "output")]
    force: bool,
    /// How the page calls your product [default: the product]
    #[arg(long, value_name = "NAME")]
    product: Option<String>,
    /// Show the token on the page, if the tenant's profile keeps tokens (token.reveal=again)
    #[arg(long)]
    with_token: bool,
}

/// The form of a page.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum PageFormat {
    /// Markdown.
    #[default]
    Markdown,
    /// A whole page of HTML.
    Html,
}

pub(crate) async fn run(
    operator: &Operator,
    options: GuideOptions,
    format: Format,
) -> anyhow::Result<()> {
    let row = operator.tenant(&options.name).await?;
    let overview = operator.overview(operator.listed(row)?).await?;
    let dialect = overview.tenant.profile.dialect.idp.clone();
    let choice = Choice::of(options.idp.as_deref().or(dialect.as_deref()).unwrap_or("generic"))?;
    let token = if options.with_token {
        let shown = operator.reveal_token(&overview.tenant.row, None).await?;
        Some(shown.token.reveal().to_owned())
    } else {
        None
    };
    let facts = Facts {
        retention_days: Some(operator.retention().as_secs() / DAY),
        ..facts(overview, options.product, token)
    };
    let markdown = page(choice, &facts)?;
    let text = match options.format {
        PageFormat::Markdown => markdown,
        PageFormat::Html => html(&markdown),
    };
    let (tenant, guide) = (&facts.tenant, choice.guide.page);
    match &options.output {
        None => {
            let object = json!({ "tenant": tenant, "guide": guide, "page": text });
            print(format, &object, text.trim_end());
        }
        Some(file) => {
            write(file, &text, options.force)?;
            let object = json!({ "tenant": tenant, "guide": guide, "output": file });
            let line = format!("The guide {guide} for {tenant} is in {}.", file.display());
            print(format, &object, &line);
        }
    }
    if options.idp.is_some() {
        warn_of_dialect(&facts, choice);
    }
    warn_of_address(&facts);
    Ok(())
}

/// Says on standard error that the profile has not the dialect for which the page is written.
fn warn_of_dialect(facts: &Facts, choice: Choice) {
    let (name, idp) = (&facts.tenant, choice.idp);
    if let Some(other) = facts.other_dialect(choice) {
        eprintln!("scimctl: {name} has {other}; scimctl profile set {name} --idp {idp} sets it");
    }
}

/// Says on standard error that the base URL is for this machine only.
fn warn_of_address(facts: &Facts) {
    if let Some(url) = facts.base_url.as_deref().filter(|url| url.starts_with("http:")) {
        eprintln!(
            "scimctl: an identity provider in the cloud cannot reach {url}; docs/idp/TUNNEL.md \
             says how it can"
        );
    }
}

/// What the page says about a tenant.
fn facts(overview: Overview, product: Option<String>, token: Option<String>) -> Facts {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let is_valid = |expires: Option<i64>| expires.is_none_or(|at| at > now);
    let mut newest = overview.tokens.iter().rev();
    let newest = newest.find(|token| token.revoked.is_none() && is_valid(token.expires));
    let token_end = newest
        .map_or(TokenEnd::Unknown, |token| token.expires.map_or(TokenEnd::Never, TokenEnd::At));
    let (tenant, profile) = (overview.tenant.row.name, overview.tenant.profile);
    let (base_url, retention_days) = (overview.tenant.base_url, None);
    Facts { product, tenant, base_url, token, token_end, retention_days, profile }
}

/// Writes a page, which may hold a token, for this user only.
fn write(file: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(!force).create(force).truncate(force);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = match options.open(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} exists; --force writes over it", file.display())
        }
        opened => opened.with_context(|| format!("{} cannot be written", file.display()))?,
    };
    #[cfg(unix)]
    opened.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    opened.write_all(text.as_bytes()).with_context(|| file.display().to_string())
}
