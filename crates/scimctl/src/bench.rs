//! `scimctl bench`: fills a table of any size, so that anyone can reproduce the figures.

use std::time::Instant;

use anyhow::{bail, ensure};
use clap::{Args, Subcommand};
use scim_lambda::operator::seed::Seed;
use scim_lambda::operator::tenants::NewTenant;
use scim_lambda::operator::{Operator, OperatorError};
use scim_lambda::store::Kind;
use scim_lambda::store::TenantRow;
use serde_json::json;

use crate::output::{Format, bar, print};
use crate::place::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Create a tenant with many users and groups. After an interruption, the same command
    /// continues
    Seed(SeedOptions),
}

#[derive(Debug, Args)]
pub(crate) struct SeedOptions {
    /// How many users
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    users: u32,
    /// How many groups
    #[arg(long, value_name = "G", default_value_t = 0)]
    groups: u32,
    /// How many of the users are in each group
    #[arg(long, value_name = "M", default_value_t = 10)]
    members: u32,
    /// The tenant. If it does not exist, it is created, and its token is shown
    #[arg(long, value_name = "NAME", default_value = "bench")]
    tenant: String,
    /// Allow writing to a stack in AWS, which takes about 8 write units for each user and 8 for
    /// each membership
    #[arg(long)]
    pay: bool,
}

pub(crate) async fn run(
    place: &Place,
    command: BenchCommand,
    format: Format,
) -> anyhow::Result<()> {
    let BenchCommand::Seed(options) = command;
    let SeedOptions { users, groups, members, ref tenant, pay } = options;
    ensure!(members <= users, "a group cannot have more members than there are users");
    ensure!(
        pay || matches!(place, Place::Data(_)),
        "this writes to a table in AWS, which costs money; add --pay"
    );
    let connection = place.connect().await?;
    let operator = &connection.operator;
    let (row, token) = tenant_of(operator, tenant, format).await?;
    let begun = Instant::now();
    let loading = connection.loading()?;
    let seed = operator.seed(row.clone())?;
    tokio::select! {
        filled = fill(&seed, &options, format) => filled?,
        _ = tokio::signal::ctrl_c() => bail!("stopped; run the same command again to continue"),
    }
    drop(loading);
    let seconds = begun.elapsed().as_secs_f64();
    let all_users = operator.count(&row, Kind::User).await?;
    let all_groups = operator.count(&row, Kind::Group).await?;
    let memberships = u64::from(groups) * u64::from(members);
    let object = json!({
        "tenant": tenant, "users": all_users, "groups": all_groups, "memberships": memberships,
        "seconds": seconds, "token": token,
    });
    let lines = format!(
        "Tenant {tenant} has {all_users} users and {all_groups} groups, with the {memberships} \
         requested memberships; that took {seconds:.1} s."
    );
    print(format, &object, &lines);
    Ok(())
}

/// The tenant of this name, created with a token if it does not exist.
async fn tenant_of(
    operator: &Operator,
    name: &str,
    format: Format,
) -> anyhow::Result<(TenantRow, Option<String>)> {
    match operator.tenant(name).await {
        Ok(row) => return Ok((row, None)),
        Err(OperatorError::UnknownTenant(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let new = NewTenant { name: name.to_owned(), ..NewTenant::default() };
    let created = match operator.create_tenant(new).await {
        Err(OperatorError::NoBaseUrl) => {
            bail!("create the tenant first, with scimctl tenant create")
        }
        created => created?,
    };
    let token = created.token.token.reveal().to_owned();
    if format == Format::Text {
        // Printed at once, so that the operator has the token even if the seed is interrupted.
        let lines = format!(
            "Tenant {name} has been created.\n  Token  {token}\nThe token is shown only once."
        );
        print(format, &json!({}), &lines);
    }
    Ok((created.row, Some(token)))
}

/// Makes the users and groups that are missing.
async fn fill(seed: &Seed, options: &SeedOptions, format: Format) -> anyhow::Result<()> {
    let bar = bar("users", options.users.into(), format);
    let ids = seed.users(usize::try_from(options.users)?, |more| bar.inc(more)).await?;
    bar.finish_and_clear();
    if options.groups == 0 {
        return Ok(());
    }
    let memberships = u64::from(options.groups) * u64::from(options.members);
    let bar = self::bar("memberships", memberships, format);
    let size = usize::try_from(options.members)?;
    for group in 0..usize::try_from(options.groups)? {
        // Each group begins with the user after the last one of the group before.
        let first = group * size % ids.len().max(1);
        let members: Vec<_> = ids.iter().cycle().skip(first).take(size).cloned().collect();
        seed.group(&format!("Group {group}"), &members, |more| bar.inc(more)).await?;
    }
    bar.finish_and_clear();
    Ok(())
}
