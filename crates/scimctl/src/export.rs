//! `scimctl export`: all users of a tenant, as one JSON object per line.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use scim_core::value::date_time;
use scim_lambda::directory::states::State;
use scim_lambda::operator::export::{Export, ExportedUser};
use serde_json::{Value, json};

use crate::output::{Format, print};
use crate::place::Place;

/// The states of the users in an export.
pub(crate) const STATES: [State; 5] = [
    State::Provisioned,
    State::Suspended,
    State::SuspendedWithExpiry,
    State::SoftDeleted,
    State::Unmanaged,
];

/// Write all users of a tenant, including deleted and imported ones, as one JSON object per line
#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// The tenant's name
    tenant: String,
    /// Export only users in this state
    #[arg(long, value_name = "STATE", value_parser = STATES.map(word))]
    state: Option<String>,
    /// Where to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(
    place: &Place,
    options: &ExportOptions,
    format: Format,
) -> anyhow::Result<()> {
    let connection = place.connect().await?;
    let row = connection.operator.tenant(&options.tenant).await?;
    let state = STATES.into_iter().find(|state| options.state.as_deref() == Some(word(*state)));
    let export = connection.operator.export(&row, state).await?;
    let written = match &options.output {
        Some(file) => write(export, &mut create(file)?).await,
        None => write(export, &mut std::io::stdout().lock()).await,
    };
    let written = match written {
        Ok(written) => written,
        // The reader stopped reading, as `head` does.
        Err(error) if is_broken_pipe(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    if options.output.is_some() {
        let object = json!({ "tenant": options.tenant, "users": written });
        print(format, &object, &format!("{written} users of {} were written.", options.tenant));
    }
    Ok(())
}

fn create(file: &Path) -> anyhow::Result<impl Write> {
    let created = std::fs::File::create(file);
    let created = created.with_context(|| format!("{} cannot be created", file.display()))?;
    Ok(std::io::BufWriter::new(created))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error: Option<&std::io::Error> = error.downcast_ref();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Writes the users, and returns their number.
async fn write(mut export: Export<'_>, out: &mut dyn Write) -> anyhow::Result<u64> {
    let mut written = 0_u64;
    while let Some(users) = export.next_batch().await? {
        for user in users {
            writeln!(out, "{}", object(user))?;
            written += 1;
        }
    }
    out.flush()?;
    Ok(written)
}

/// A user with its state, in the form that `import` reads.
fn object(user: ExportedUser) -> Value {
    let mut object = json!({ "state": word(user.state), "expires": user.expires.map(date_time) });
    if let (Value::Object(object), Value::Object(attributes)) = (&mut object, user.user) {
        object.extend(attributes);
        if !user.verified_emails.is_empty() {
            object.insert("verifiedEmails".into(), user.verified_emails.into());
        }
    }
    object
}

pub(crate) fn word(state: State) -> &'static str {
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
