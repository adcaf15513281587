//! `scimctl audit`: reports from the log, for an auditor.

use clap::{Args, Subcommand};
use scim_lambda::operator::log::{LogEntry, LogQuery};
use scim_lambda::operator::provisioning::Provisioning;
use serde_json::json;

use crate::log::by;
use crate::output::{Format, Lines, instant, visible};
use crate::place::Place;
use crate::when::{self, Moment};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    Report(ReportOptions),
}

/// Show who was provisioned and removed, when, and by which token; the oldest first
#[derive(Debug, Args)]
pub(crate) struct ReportOptions {
    /// The tenant's name
    tenant: String,
    /// Only what was done since: 90d, 24h, 2026-11-30T08:00:00Z, 2026-11-30 08:00 (UTC), 2026-11-30
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Option<Moment>,
    /// Only what was done before this time, in the same forms
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    until: Option<Moment>,
    /// Write comma-separated values, with a header
    #[arg(long)]
    csv: bool,
}

/// The columns of a report.
const COLUMNS: [&str; 7] = ["time", "id", "current userName", "what", "key", "label", "request"];

pub(crate) async fn run(
    place: &Place,
    command: AuditCommand,
    format: Format,
) -> anyhow::Result<()> {
    let AuditCommand::Report(options) = command;
    let connection = place.connect().await?;
    let tenant = connection.operator.tenant(&options.tenant).await?;
    let query = LogQuery {
        since: options.since.map(Moment::milliseconds),
        until: options.until.map(Moment::milliseconds),
        ..LogQuery::default()
    };
    let mut reader = connection.operator.log(&tenant, query).await?;
    let mut lines = Lines::new(format);
    if options.csv && format == Format::Text {
        lines.text(&COLUMNS.join(","))?;
    }
    while let Some(page) = reader.next_page().await? {
        for entry in &page {
            let Some(what) = Provisioning::of(&entry.row) else { continue };
            let columns = columns(entry, what);
            let object = json!({
                "time": columns[0], "id": columns[1], "currentUserName": entry.name, "what": columns[3],
                "key": columns[4], "label": entry.label, "request": columns[6],
            });
            let line = if options.csv { csv(&columns) } else { table(entry, what) };
            lines.print(&object, &line)?;
        }
        if lines.is_over() {
            break;
        }
    }
    Ok(())
}

/// The values of a line, as [`COLUMNS`] names them.
fn columns(LogEntry { row, name, label }: &LogEntry, what: Provisioning) -> [String; 7] {
    [
        time_of(row.milliseconds),
        row.subject_id.clone(),
        name.clone().unwrap_or_default(),
        what.word().to_owned(),
        row.actor.clone(),
        label.clone().unwrap_or_default(),
        row.request.clone(),
    ]
}

/// A time with three digits after the second, so that times sort as texts.
fn time_of(milliseconds: i64) -> String {
    let (seconds, rest) = (milliseconds.div_euclid(1_000), milliseconds.rem_euclid(1_000));
    let whole = instant(seconds);
    format!("{}.{rest:03}Z", whole.trim_end_matches('Z'))
}

/// A line for people.
fn table(entry: &LogEntry, what: Provisioning) -> String {
    let row = &entry.row;
    let who = match &entry.name {
        Some(name) => format!("{name} ({})", row.subject_id),
        None => row.subject_id.clone(),
    };
    let time = time_of(row.milliseconds);
    visible(&format!("{time}  {:<11}  {who}  by {}", what.word(), by(entry)))
}

/// A line of comma-separated values.
fn csv(values: &[String]) -> String {
    values.iter().map(|value| cell(value)).collect::<Vec<_>>().join(",")
}

/// A value in quotation marks where it needs them. A spreadsheet would run a value that begins like
/// a formula, so that one gets an apostrophe before it.
fn cell(value: &str) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = if is_formula { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_harmless_and_a_cell_stays_one() {
        for (value, written) in [
            ("ada@example.com", "ada@example.com"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("a,b", "\"a,b\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("=1,2\n", "\"'=1,2\n\""),
            ("", ""),
        ] {
            assert_eq!(cell(value), written);
        }
    }
}
