//! `scimctl events drift`: compares the product's own table of users with the directory.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use scim_lambda::operator::drift::{Difference, DriftCounts, DriftReport, What};
use scim_lambda::operator::resync::ResyncReport;
use scim_lambda::store::{ResyncScope, TenantRow};
use serde_json::{Value, json};

use super::file;
use super::touched::{self, Start};
use crate::output::{Format, counted, print, visible};
use crate::place::{Connection, Place};

/// The id of the resyncs in the log.
const REQUEST: &str = "scimctl events drift";

/// Compare the product's own table of users with the directory; the exit status is 0 if they agree,
/// 1 if they differ, and 2 if they cannot be compared
#[derive(Debug, Args)]
pub(crate) struct DriftOptions {
    /// The tenant's name
    tenant: String,
    /// A CSV file whose first line names the columns: id, externalId or userName, then perhaps
    /// state, active, and attributes such as title or name.givenName
    #[arg(long, value_name = "FILE")]
    against: PathBuf,
    /// Send the product a snapshot of each user who differs
    #[arg(long)]
    resync: bool,
}

/// The table and the directory cannot be compared.
#[derive(Debug)]
pub(crate) struct Trouble(anyhow::Error);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::error::Error for Trouble {}

pub(super) async fn run(
    place: &Place,
    options: &DriftOptions,
    format: Format,
) -> anyhow::Result<()> {
    let compared = compare(place, options).await;
    let compared = compared.map_err(|error| Trouble(place.explain(error)))?;
    let report = &compared.report;
    let resyncs = if options.resync { Some(compared.resync(format).await) } else { None };
    let mut lines = lines(report);
    if let Some(Ok(made)) = &resyncs {
        let shown = touched::lines(&options.tenant, made);
        lines.extend(Some(shown).filter(|shown| !shown.is_empty()));
        lines.extend(unnamed(&options.tenant, report));
    }
    let made = resyncs.as_ref().and_then(|resyncs| resyncs.as_deref().ok());
    let object = object(&options.tenant, report, made.map(touched::object));
    print(format, &object, &lines.join("\n"));
    resyncs.transpose()?;
    match report.differences.len() {
        0 => Ok(()),
        number => bail!("{number} differences"),
    }
}

/// A comparison, and what it was made with.
struct Compared {
    connection: Connection,
    row: TenantRow,
    report: DriftReport,
}

impl Compared {
    /// Has the product told about the users who differ.
    async fn resync(&self, format: Format) -> anyhow::Result<Vec<ResyncReport>> {
        let scopes: Vec<_> = touched::portions(&self.report.ids(), ResyncScope::Users).collect();
        touched::resync(&self.connection.operator, &self.row, &scopes, Start::New, format).await
    }
}

async fn compare(place: &Place, options: &DriftOptions) -> anyhow::Result<Compared> {
    let table = file::read(&options.against)?;
    let connection = place.connect_as(REQUEST).await?;
    let row = connection.operator.tenant(&options.tenant).await?;
    let name = options.against.display();
    let drift = connection.operator.drift(&row, table).await;
    let report = drift.with_context(|| format!("{name} is refused"))?;
    Ok(Compared { connection, row, report })
}

/// What to do about users who are not in the directory and have no id here.
fn unnamed(tenant: &str, report: &DriftReport) -> Option<String> {
    let number = report.without_id();
    (number > 0).then(|| {
        format!(
            "{number} surplus without an id in the file; scimctl events resync {tenant} lets the \
             product drop what is not in the directory."
        )
    })
}

fn object(tenant: &str, report: &DriftReport, resyncs: Option<Value>) -> Value {
    let DriftCounts { missing, surplus, state, attribute } = report.counts();
    let differences: Vec<Value> = report.differences.iter().map(difference).collect();
    json!({
        "tenant": tenant, "key": report.key, "users": report.users, "hidden": report.hidden, "rows": report.rows,
        "missing": missing, "surplus": surplus, "state": state, "attribute": attribute,
        "differences": differences, "resyncs": resyncs,
    })
}

fn difference(difference: &Difference) -> Value {
    let Difference { key, id, name, line, what } = difference;
    let (path, file, directory) = match what {
        What::Missing(state) => (Value::Null, Value::Null, json!(state)),
        What::Surplus => (Value::Null, Value::Null, Value::Null),
        What::State { file, directory } => (Value::Null, json!(file), json!(directory)),
        What::Attribute { path, file, directory } => (json!(path), json!(file), json!(directory)),
    };
    let name = Some(name).filter(|name| !name.is_empty());
    json!({
        "difference": what.word(), "key": key, "id": id.as_ref().map(|id| id.as_str()),
        "userName": name, "line": line, "path": path, "file": file, "directory": directory,
    })
}

fn lines(report: &DriftReport) -> Vec<String> {
    let mut lines: Vec<String> = report.differences.iter().map(line).collect();
    let DriftCounts { missing, surplus, state, attribute } = report.counts();
    let DriftReport { users, hidden, rows, .. } = report;
    let rows = counted(*rows as u64, "user");
    let hidden = match hidden {
        0 => String::new(),
        hidden => format!(", {hidden} of them deleted or unmanaged"),
    };
    lines.push(if report.differences.is_empty() {
        let agree = if rows == "1 user" { "agrees" } else { "agree" };
        format!("The file's {rows} {agree} with the directory, which has {users}{hidden}.")
    } else {
        format!(
            "{missing} missing, {surplus} surplus, {state} in another state, {attribute} other \
             attributes: the file has {rows}, the directory {users}{hidden}."
        )
    });
    lines
}

/// A difference as one line that is safe on a terminal.
fn line(difference: &Difference) -> String {
    let Difference { key, name, line, what, .. } = difference;
    let name = match name.as_str() {
        "" => String::new(),
        name if name.eq_ignore_ascii_case(key) => String::new(),
        name => format!(" ({})", visible(name)),
    };
    let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
    let who = format!("{:9} {}{name}{line}", what.word(), visible(key));
    match what {
        What::Missing(state) => format!("{who}: {state} in the directory, not in the file"),
        What::Surplus => format!("{who}: not in the directory"),
        What::State { file, directory } => {
            format!("{who}: {file} in the file, {directory} in the directory")
        }
        What::Attribute { path, file, directory } => {
            let (file, directory) = (value(file.as_ref()), value(directory.as_ref()));
            format!("{who}: {} is {file} in the file, {directory} in the directory", visible(path))
        }
    }
}

/// A value as JSON; its strings escape control characters already, but not all that a terminal may
/// act on.
fn value(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), |value| visible(&value.to_string()))
}
