//! `scimctl tenant`: one tenant for each connection of a customer's identity provider.

use clap::{Args, Subcommand};
use scim_lambda::operator::Operator;
use scim_lambda::operator::tenants::{NewTenant, Switch};
use serde_json::json;

use crate::guide::{self, GuideOptions};
use crate::output::{Format, instant, print, report_restored};
use crate::overview::{list, show};
use crate::place::{Connection, Place};
use crate::profile::Source;
use crate::token;

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant and mint its first token, which is shown once
    Create(CreateOptions),
    /// List the tenants, each with its connection, users, seats, token and brake
    List,
    /// Show all that is known about a tenant's connection, users, limits and tokens
    Show {
        /// The tenant's name
        name: String,
    },
    /// Write the page that a customer's administrator follows in their identity provider
    Guide(GuideOptions),
    /// Switch SCIM off for a tenant: its requests are refused within a minute, and its users stay
    /// as they are
    Disable {
        /// The tenant's name
        name: String,
    },
    /// Switch SCIM on again
    Enable {
        /// The tenant's name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateOptions {
    /// Your name for the tenant: letters, digits, `.`, `_` and `-`
    name: String,
    /// Settings that override the profile's, such as seats.limit=100
    #[arg(value_name = "SETTING=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    source: Source,
    /// The customer, if it has several connections. Each connection is a tenant of its own
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// The tenant's base URL, if it is not the stack's; if the profile has a path of its own, it
    /// replaces /scim/v2
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

pub(crate) async fn run(
    place: &Place,
    command: TenantCommand,
    format: Format,
) -> anyhow::Result<()> {
    let connection = &place.connect().await?;
    let operator = &connection.operator;
    match command {
        TenantCommand::Create(options) => create(connection, options, format).await,
        TenantCommand::List => list(operator, format).await,
        TenantCommand::Show { name } => show(operator, &name, format).await,
        TenantCommand::Guide(options) => guide::run(operator, options, format).await,
        TenantCommand::Disable { name } => switch(operator, &name, Switch::Off, format).await,
        TenantCommand::Enable { name } => switch(operator, &name, Switch::On, format).await,
    }
}

async fn create(
    connection: &Connection,
    options: CreateOptions,
    format: Format,
) -> anyhow::Result<()> {
    let operator = &connection.operator;
    let CreateOptions { name, settings, source, customer, base_url } = options;
    let base_url = base_url.or_else(|| connection.base_url.clone());
    let profile = source.change(&settings)?;
    let created = operator.create_tenant(NewTenant { name, profile, customer, base_url }).await;
    report_restored(operator);
    let created = created?;
    let (row, token) = (&created.row, &created.token);
    let object = json!({
        "tenant": row.name, "base_url": created.base_url, "token": token.token.reveal(),
        "code": row.code().as_str(), "profile": created.preset,
        "key_id": token.token.key_id().as_str(), "expires": token.expires.map(instant),
    });
    let lines = format!(
        "Tenant {} ({}), profile {}\n  Base URL  {}\n  Token     {}\n{}",
        row.name,
        row.code(),
        created.preset,
        created.base_url,
        token.token.reveal(),
        token::summary(token, &row.name),
    );
    print(format, &object, &lines);
    Ok(())
}

async fn switch(
    operator: &Operator,
    name: &str,
    switch: Switch,
    format: Format,
) -> anyhow::Result<()> {
    let row = operator.tenant(name).await?;
    operator.switch_tenant(&row, switch).await?;
    let lines = match switch {
        Switch::On => format!("SCIM will be on for {name} within a minute."),
        Switch::Off => format!(
            "SCIM will be off for {name} within a minute: requests are refused, and users stay as \
             they are."
        ),
    };
    print(format, &json!({ "tenant": name, "enabled": switch == Switch::On }), &lines);
    Ok(())
}
