//! `scimctl log`: what was done in a tenant, when, by whom.

mod line;
mod object;

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use clap::builder::PossibleValuesParser;
use scim_lambda::operator::Operator;
use scim_lambda::operator::log::{LogEntry, LogQuery};
use scim_lambda::store::{Operation, TenantRow};

use crate::output::{Format, Lines};
use crate::place::Place;
use crate::when::{self, Moment};

pub(crate) use line::{by, in_history};
pub(crate) use object::of as object;

/// How many rows are shown unless the options say otherwise.
const SHOWN: usize = 100;
/// How often a log is read that is followed.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// Show what was done in a tenant, when and by whom; the newest last
#[derive(Debug, Args)]
pub(crate) struct LogOptions {
    /// The tenant's name
    tenant: String,
    /// Go on with what is added, until Ctrl-C
    #[arg(long, conflicts_with = "until")]
    follow: bool,
    /// Only what was done since: 24h, 7d, 2026-11-30T08:00:00Z, 2026-11-30 08:00 (UTC), 2026-11-30
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Option<Moment>,
    /// Only what was done before this time, in the same forms
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    until: Option<Moment>,
    /// Only this user, by id, userName, externalId or e-mail address; or a group, by id
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Only this operation, such as create, patch, delete, restore, mint
    #[arg(long, value_name = "OP",
          value_parser = PossibleValuesParser::new(Operation::words()))]
    op: Option<String>,
    /// Only what this token did, by key id or label; or operator, or expiry
    #[arg(long, value_name = "KEY")]
    by: Option<String>,
    /// Show the newest N [default: 100, or all with --since]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl LogOptions {
    async fn query(&self, operator: &Operator, tenant: &TenantRow) -> anyhow::Result<LogQuery> {
        let who = match &self.who {
            Some(who) => Some(operator.find_id(tenant, who).await?),
            None => None,
        };
        Ok(LogQuery {
            since: self.since.map(Moment::milliseconds),
            until: self.until.map(Moment::milliseconds),
            who,
            operation: self.op.clone(),
            by: self.by.clone(),
            newest_first: false,
            limit: self.limit.or_else(|| self.since.is_none().then_some(SHOWN)),
        })
    }
}

pub(crate) async fn run(place: &Place, options: &LogOptions, format: Format) -> anyhow::Result<()> {
    let connection = place.connect().await?;
    let operator = &connection.operator;
    let tenant = operator.tenant(&options.tenant).await?;
    let query = options.query(operator, &tenant).await?;
    if let (Some(since), Some(until)) = (query.since, query.until) {
        ensure!(since < until, "--since is not before --until; a span ends after it begins");
    }
    let mut lines = Lines::new(format);
    let shown = show(operator, &tenant, &query, &mut lines).await?;
    if shown.is_empty() && !options.follow {
        eprintln!("scimctl: nothing in the log of {} matches", options.tenant);
    }
    if options.follow && !lines.is_over() {
        follow(operator, &tenant, query, (shown, lines)).await?;
    }
    Ok(())
}

/// Shows the wanted rows, and returns the newest of them.
async fn show(
    operator: &Operator,
    tenant: &TenantRow,
    query: &LogQuery,
    lines: &mut Lines,
) -> anyhow::Result<Vec<LogEntry>> {
    if query.limit.is_some() {
        let query = LogQuery { newest_first: true, ..query.clone() };
        let mut newest = operator.log(tenant, query).await?.rest().await?;
        newest.reverse();
        print(&newest, lines)?;
        return Ok(newest);
    }
    let mut reader = operator.log(tenant, query.clone()).await?;
    let mut last = Vec::new();
    while let Some(page) = reader.next_page().await? {
        print(&page, lines)?;
        if lines.is_over() {
            break;
        }
        if !page.is_empty() {
            last = page;
        }
    }
    Ok(last)
}

/// Shows what is added, until Ctrl-C or until nobody reads it.
async fn follow(
    operator: &Operator,
    tenant: &TenantRow,
    query: LogQuery,
    (shown, mut lines): (Vec<LogEntry>, Lines),
) -> anyhow::Result<()> {
    let mut tail = operator.follow_log(tenant, query, &shown).await?;
    let followed = async {
        while !lines.is_over() {
            print(&tail.next_rows().await?, &mut lines)?;
            tokio::time::sleep(POLL_EVERY).await;
        }
        Ok(())
    };
    tokio::select! {
        followed = followed => followed,
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

fn print(entries: &[LogEntry], lines: &mut Lines) -> anyhow::Result<()> {
    for entry in entries {
        lines.print(&object(entry), &line::of(entry))?;
    }
    Ok(())
}
