//! `scimctl undo`: brings back who and what was deleted, deactivated or taken out of groups.

mod object;
mod text;

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::bail;
use clap::Args;
use scim_lambda::operator::Operator;
use scim_lambda::operator::undo::{UndoPlan, UndoReport, UndoRequest};
use scim_lambda::store::TenantRow;

use crate::output::{Format, bar, print};
use crate::place::Place;
use crate::when::{self, Moment};

/// Bring back who and what was deleted, deactivated or taken out of groups in a span of time
#[derive(Debug, Args)]
pub(crate) struct UndoOptions {
    /// The tenant's name
    tenant: String,
    /// What was done since: 24h, 7d, 2026-11-30T08:00:00Z, 2026-11-30 08:00 (UTC), 2026-11-30
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Moment,
    /// What was done before this time, in the same forms [default: now]
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    until: Option<Moment>,
    /// Only what this token did, by key id or label; or operator
    #[arg(long, value_name = "KEY")]
    by: Option<String>,
    /// Only say what would happen, and name everybody
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(
    place: &Place,
    options: &UndoOptions,
    format: Format,
) -> anyhow::Result<()> {
    let connection = place.connect().await?;
    let operator = &connection.operator;
    let row = operator.tenant(&options.tenant).await?;
    let request = UndoRequest {
        since: options.since.milliseconds(),
        until: options.until.map(Moment::milliseconds),
        by: options.by.clone(),
    };
    let plan = operator.plan_undo(&row, &request).await?;
    let changes = plan.users_to_change() + plan.groups_to_change();
    if format == Format::Text {
        print(format, &serde_json::Value::Null, &text::plan(&options.tenant, &plan));
    }
    let done = if options.dry_run || changes == 0 || !options.is_wanted(&plan, format)? {
        None
    } else {
        Some(undo(operator, &row, &plan, format).await?)
    };
    match (format, &done) {
        (Format::Json, _) => {
            print(format, &object::of(&options.tenant, &plan, done.as_ref()), "");
        }
        (Format::Text, Some(report)) => {
            print(format, &serde_json::Value::Null, &text::report(report));
        }
        (Format::Text, None) => {}
    }
    Ok(())
}

impl UndoOptions {
    /// Whether the operator wants it, who is asked if the options do not say so.
    ///
    /// # Errors
    /// If there is no terminal to ask on.
    fn is_wanted(&self, plan: &UndoPlan, format: Format) -> anyhow::Result<bool> {
        if self.yes {
            return Ok(true);
        }
        if format == Format::Json || !std::io::stdin().is_terminal() {
            bail!("nothing was done, because there is nobody to ask: give --yes, or --dry-run");
        }
        eprint!("{} [y/N] ", text::question(plan));
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}

async fn undo(
    operator: &Operator,
    row: &TenantRow,
    plan: &UndoPlan,
    format: Format,
) -> anyhow::Result<UndoReport> {
    let steps = plan.users_to_change() + plan.groups_to_change();
    let bar = bar("undoing", u64::try_from(steps)?, format);
    let report = operator.undo(row, plan, || bar.inc(1)).await;
    bar.finish_and_clear();
    Ok(report?)
}
