//! `scimctl export`: all users of a tenant, one JSON object a line.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use scim_core::value::date_time;
use scim_core::{Projection, ResourceId};
use scim_lambda::directory::life::State;
use scim_lambda::store::{Collection, Kind, Listed, Names, State as Stage, Store};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::operator::Operator;
use crate::place::Place;

/// The states of users who are there.
const STATES: [&str; 5] =
    ["provisioned", "suspended", "suspended_with_expiry", "soft_deleted", "unmanaged"];

/// Write all users of a tenant, the deleted and the imported too, one JSON object a line
#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// The tenant's name
    pub(crate) tenant: String,
    /// Only users in this state
    #[arg(long, value_name = "STATE", value_parser = STATES)]
    pub(crate) state: Option<String>,
    /// Where to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

pub(crate) async fn run(place: &Place, options: &ExportOptions, json: bool) -> anyhow::Result<()> {
    let connection = place.connect().await?;
    let operator = Operator::new(&connection, &options.tenant).await?;
    let mut out: Box<dyn Write> = match &options.output {
        Some(file) => {
            let made = std::fs::File::create(file);
            Box::new(std::io::BufWriter::new(
                made.with_context(|| format!("{} cannot be made", file.display()))?,
            ))
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let written =
        match write(&connection.store, &operator, options.state.as_deref(), &mut out).await {
            // Whoever reads has read enough, as `head` does.
            Err(error)
                if error
                    .downcast_ref()
                    .is_some_and(|e: &std::io::Error| e.kind() == ErrorKind::BrokenPipe) =>
            {
                return Ok(());
            }
            written => written?,
        };
    if options.output.is_some() {
        let object = json!({ "tenant": options.tenant, "users": written });
        crate::print(json, &object, &format!("{written} users of {} are written.", options.tenant));
    }
    Ok(())
}

/// Writes the users, of one state if there is a `wanted` one, and returns how many they are.
async fn write(
    store: &Store,
    operator: &Operator,
    wanted: Option<&str>,
    out: &mut dyn Write,
) -> anyhow::Result<u64> {
    let call = operator.call();
    let users = operator
        .tenant
        .types
        .iter()
        .find(|resource_type| resource_type.kind == Kind::User)
        .context("there are no users")?;
    let at = Collection { tenant: operator.tenant.key(), kind: Kind::User };
    let now = scim_lambda::clock::Clock::system().seconds();
    let mut written = 0_u64;
    let mut walk = store.everyone(&at, now);
    while let Some(mut some) = walk.next_batch().await? {
        let state = |user: &Listed| word(State::of(Some(user.standing), now));
        some.retain(|user| wanted.is_none_or(|wanted| wanted == state(user)));
        // Lists do not say which addresses of somebody imported are verified.
        let imported = some.iter().filter(|user| user.standing.state == Stage::Unmanaged);
        let imported = imported.map(|user| user.id.clone()).collect();
        let imported = store.resources(&at, imported, now).await?;
        let imported = imported.iter().filter(|user| user.state == Stage::Unmanaged);
        let names: BTreeMap<&ResourceId, &Names> =
            imported.map(|user| (&user.resource.id, user.names())).collect();
        for user in some {
            let projection = Projection::new(&[], &[], &users.definition);
            let expires = user
                .standing
                .expires
                .and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
                .map(date_time);
            let mut line = json!({ "state": state(&user), "expires": expires });
            let names = names.get(&user.id).filter(|names| !names.emails().is_empty());
            let shown =
                users.definition.represent(user.into_resource()?, &projection, call.base_url);
            if let (Value::Object(line), Value::Object(shown)) =
                (&mut line, serde_json::to_value(&shown)?)
            {
                line.extend(shown);
                if let Some(names) = names {
                    line.insert("verifiedEmails".into(), names.emails().into());
                }
            }
            writeln!(out, "{line}")?;
            written += 1;
        }
    }
    out.flush()?;
    Ok(written)
}

fn word(state: State) -> &'static str {
    match state {
        State::Absent => "absent",
        State::Unmanaged => "unmanaged",
        State::Provisioned => "provisioned",
        State::Suspended => "suspended",
        State::SuspendedWithExpiry => "suspended_with_expiry",
        State::SoftDeleted => "soft_deleted",
        State::Expired => "expired",
    }
}
