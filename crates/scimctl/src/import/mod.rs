//! `scimctl import`: imports users that the product had before SCIM from a file.

mod file;
mod report;
pub(crate) mod table;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use scim_lambda::operator::import::Mode;

use crate::output::{Format, bar, print};
use crate::place::Place;

/// The id of an import in the log.
const REQUEST: &str = "scimctl import";

/// Import users that the product had before SCIM, from a CSV file or a file with one JSON object
/// per line
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// The tenant's name
    tenant: String,
    /// A file that ends in .csv, .ndjson or .jsonl
    file: PathBuf,
    /// Import the users as unmanaged: the identity provider does not see them until it provisions
    /// them
    #[arg(long, required = true)]
    unmanaged: bool,
    /// Store nothing, and show which users would be imported, how each would be linked, and which
    /// records conflict
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(
    place: &Place,
    options: &ImportOptions,
    format: Format,
) -> anyhow::Result<()> {
    let connection = place.connect_as(REQUEST).await?;
    let row = connection.operator.tenant(&options.tenant).await?;
    let name = options.file.display();
    let records = file::read(&options.file).with_context(|| format!("{name} cannot be read"))?;
    ensure!(!records.is_empty(), "{name} has no records");
    let import = connection.operator.import(&row)?;
    let (mode, loading) =
        if options.dry_run { (Mode::DryRun, None) } else { (Mode::Store, connection.loading()?) };
    let bar = bar("users", records.len().try_into()?, format);
    let report = import.run(records, mode, |more| bar.inc(more)).await?;
    bar.finish_and_clear();
    drop(loading);
    print(format, &report::object(&report), &report::lines(&report));
    ensure!(
        report.is_clean(),
        "{} of {} records were not imported",
        report.faults(),
        report.lines.len()
    );
    Ok(())
}
