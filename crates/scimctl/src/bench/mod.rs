//! `scimctl bench`: a table as large as one likes, so that anyone can repeat the figures.

pub mod seed;

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use scim_lambda::clock::Clock;
use scim_lambda::store::{Collection, Kind};
use serde_json::json;

use crate::cli::BenchCommand;
use crate::place::Place;
use crate::tenant::{self, Wanted};
use seed::Seed;

pub(crate) async fn run(place: &Place, command: BenchCommand, json: bool) -> anyhow::Result<()> {
    let BenchCommand::Seed { users, groups, members, tenant: name, pay } = command;
    ensure!(members <= users, "a group cannot have more members than there are users");
    ensure!(
        pay || matches!(place, Place::Data(_)),
        "this writes to a table in AWS, which costs money; add --pay"
    );
    let connection = place.connect().await?;
    let known =
        connection.store.tenant_by_name(&name).await.context("the tenant cannot be read")?;
    let (row, token) = match known {
        Some(row) => (row, None),
        None => {
            ensure!(
                connection.base_url.is_some(),
                "make the tenant first, with scimctl tenant create"
            );
            let wanted = Wanted { name, ..Wanted::default() };
            let made = tenant::create(&connection, wanted).await?;
            let token = made.minted.token.reveal().to_owned();
            if !json {
                // At once: whoever stops the seed and goes on has its token.
                let told = format!(
                    "Tenant {} is made.\n  Token  {token}\nThe token is shown this once.",
                    made.row.name
                );
                crate::print(false, &json!({}), &told);
            }
            (made.row, Some(token))
        }
    };
    let begun = Instant::now();
    let loading = connection.loading()?;
    let (name, key) = (row.name.clone(), row.key());
    let seed = Seed::new(connection.store.clone(), row, Clock::system())?;
    tokio::select! {
        filled = fill(&seed, users, groups, members, json) => filled?,
        _ = tokio::signal::ctrl_c() => bail!("stopped; the same command goes on from here"),
    }
    drop(loading);
    let seconds = begun.elapsed().as_secs_f64();
    let there =
        async |kind| connection.store.count(&Collection { tenant: key.clone(), kind }).await;
    let (all_users, all_groups) = (there(Kind::User).await?, there(Kind::Group).await?);
    let memberships = u64::from(groups) * u64::from(members);
    let object = json!({
        "tenant": name, "users": all_users, "groups": all_groups, "memberships": memberships, "seconds": seconds,
        "token": token,
    });
    let lines = format!(
        "Tenant {name} has {all_users} users and {all_groups} groups, with the {memberships} \
        memberships asked for; that took {seconds:.1} s."
    );
    crate::print(json, &object, &lines);
    Ok(())
}

/// Makes what is missing of so many users, and of groups of so many of them.
async fn fill(
    seed: &Seed,
    users: u32,
    groups: u32,
    members: u32,
    json: bool,
) -> anyhow::Result<()> {
    let bar = bar("users", users.into(), json);
    let ids = seed.users(usize::try_from(users)?, |more| bar.inc(more)).await?;
    bar.finish_and_clear();
    if groups > 0 {
        let bar = self::bar("memberships", u64::from(groups) * u64::from(members), json);
        for group in 0..usize::try_from(groups)? {
            // Each group begins where the one before ended.
            let size = usize::try_from(members)?;
            let some: Vec<_> = ids
                .iter()
                .cycle()
                .skip(group * size % ids.len().max(1))
                .take(size)
                .cloned()
                .collect();
            seed.group(&format!("Group {group}"), &some, |more| bar.inc(more)).await?;
        }
        bar.finish_and_clear();
    }
    Ok(())
}

/// A progress bar on standard error.
pub(crate) fn bar(what: &'static str, length: u64, hidden: bool) -> ProgressBar {
    let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new(length) };
    let style = ProgressStyle::with_template(
        "{msg:12} {wide_bar} {human_pos}/{human_len} {rate:>9} {eta:>4}",
    );
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        let _ = write!(text, "{:.0}/s", state.per_sec());
    };
    bar.with_style(style.with_key("rate", rate)).with_message(what)
}
