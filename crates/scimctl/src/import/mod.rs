//! `scimctl import`: imports users that the product had before SCIM from a file.

mod file;
mod journal;
mod report;
pub(crate) mod table;

use std::path::PathBuf;

use anyhow::{Context, Error, bail, ensure};
use clap::Args;
use scim_lambda::operator::OperatorError;
use scim_lambda::operator::import::{Mode, Report};

use crate::interruption::interrupted;
use crate::output::{Format, print};
use crate::place::Place;
use journal::Journal;
use report::Facts;

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
    /// Add the outcome for each record to this file as soon as it is final: one JSON object a line,
    /// the last of which is the summary
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
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
    let mode = if options.dry_run { Mode::DryRun } else { Mode::Store };
    let journal = Journal::open(options.report.as_deref(), mode, records.len(), format)?;
    let loading = match mode {
        Mode::DryRun => None,
        Mode::Store => {
            connection.announce();
            connection.loading()?
        }
    };
    let mut report = import.report(&records, mode)?;
    let ended = tokio::select! {
        ended = import.run(records, &mut report, |step| journal.add(&step)) => Ended::of(ended),
        () = interrupted()? => Ended::Interrupted,
    };
    let facts = journal.close(&report);
    drop(loading);
    print(format, &report::object(&report, &facts), &report::lines(&report, &facts));
    ended.check(&report, &facts)?;
    ensure!(
        report.is_clean(),
        "{} of {} records were not imported",
        report.faults(),
        report.lines.len()
    );
    ensure!(!facts.is_incomplete, "the file of the report could not be written to its end");
    Ok(())
}

/// How an import ended.
enum Ended {
    Done,
    Failed(OperatorError),
    Interrupted,
}

impl Ended {
    fn of(result: Result<(), OperatorError>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error) => Self::Failed(error),
        }
    }

    /// # Errors
    /// If it stopped before its end.
    fn check(self, report: &Report, facts: &Facts) -> anyhow::Result<()> {
        let after = format!(
            "after {} of {} records; run it again, and it continues",
            report.lines.len(),
            facts.total
        );
        match self {
            Self::Done => Ok(()),
            Self::Failed(why) => Err(Error::from(why).context(format!("it stopped {after}"))),
            Self::Interrupted => bail!("it was interrupted {after}"),
        }
    }
}
