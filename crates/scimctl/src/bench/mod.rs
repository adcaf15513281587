//! `scimctl bench`: a table as large as one likes, so that anyone can repeat the figures.

pub mod seed;

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use scim_lambda::clock::Clock;
use serde_json::json;

use crate::cli::BenchCommand;
use crate::place::Place;
use crate::tenant::{self, Wanted};
use seed::Seed;

pub(crate) async fn run(place: &Place, command: BenchCommand, json: bool) -> anyhow::Result<()> {
    let BenchCommand::Seed { users, groups, members, tenant: name, pay } = command;
    ensure!(members <= users, "a group cannot have more members than there are users");
    ensure!(pay || matches!(place, Place::Data(_)), "this writes to a table in AWS, which costs money; add --pay");
    let connection = place.connect().await?;
    let known = connection.store.tenant_by_name(&name).await.context("the tenant cannot be read")?;
    let (row, token) = match known {
        Some(row) => (row, None),
        None => {
            ensure!(connection.base_url.is_some(), "make the tenant first, with scimctl tenant create");
            let wanted = Wanted { name, ..Wanted::default() };
            let made = tenant::create(&connection, wanted).await?;
            (made.row, Some(made.minted.token.reveal().to_owned()))
        }
    };
    let begun = Instant::now();
    let loading = connection.loading()?;
    let name = row.name.clone();
    let seed = Seed::new(connection.store.clone(), row, Clock::system())?;
    let bar = bar("users", users.into(), json);
    let ids = seed.users(usize::try_from(users)?, |more| bar.inc(more)).await?;
    bar.finish_and_clear();
    let memberships = u64::from(groups) * u64::from(members);
    if groups > 0 {
        let bar = self::bar("memberships", memberships, json);
        for group in 0..usize::try_from(groups)? {
            // Each group begins where the one before ended.
            let size = usize::try_from(members)?;
            let some: Vec<_> = ids.iter().cycle().skip(group * size % ids.len().max(1)).take(size).cloned().collect();
            seed.group(&format!("Group {group}"), &some, |more| bar.inc(more)).await?;
        }
        bar.finish_and_clear();
    }
    drop(loading);
    let seconds = begun.elapsed().as_secs_f64();
    let object = json!({
        "tenant": name, "users": users, "groups": groups, "memberships": memberships, "seconds": seconds,
        "token": token,
    });
    let token = token.map(|token| format!("\n  Token  {token}\nThe token is shown this once.")).unwrap_or_default();
    let lines = format!(
        "Tenant {name} has {users} users and {groups} groups with {memberships} memberships; that took {seconds:.1} s.\
         {token}"
    );
    crate::print(json, &object, &lines);
    Ok(())
}

/// A progress bar on standard error.
pub(crate) fn bar(what: &'static str, length: u64, hidden: bool) -> ProgressBar {
    let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new(length) };
    let style = ProgressStyle::with_template("{msg:12} {wide_bar} {human_pos}/{human_len} {rate:>9} {eta:>4}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        let _ = write!(text, "{:.0}/s", state.per_sec());
    };
    bar.with_style(style.with_key("rate", rate)).with_message(what)
}
