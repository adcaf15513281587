//! `scimctl undo`: brings back who and what was deleted, deactivated or taken out of groups.

mod object;
mod text;

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::bail;
use clap::Args;
use scim_lambda::operator::Operator;
use scim_lambda::operator::undo::{UndoPlan, UndoReport, UndoRequest, UndoStopped};
use scim_lambda::store::TenantRow;
use serde_json::Value;

use crate::output::{Format, bar, print};
use crate::place::Place;
use crate::when::{self, Moment};

/// Bring back who and what was deleted, deactivated or taken out of groups in a span of time; an undo
/// cannot be undone itself. The exit status is 1 if something was not brought back, also if only
/// because the plan says that it cannot be; a dry run always ends with 0
#[derive(Debug, Args)]
pub(crate) struct UndoOptions {
    /// The tenant's name
    tenant: String,
    /// When the span begins: 24h, 7d, 2026-11-30T08:00:00Z, 2026-11-30 08:00 (UTC), 2026-11-30
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Moment,
    /// When the span ends, in the same forms [default: with the last change that can be undone]
    #[arg(long, value_name = "TIME", value_parser = when::parse_any)]
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
    let again = text::command(place, &options.tenant, &plan.request);
    if format == Format::Text {
        print(format, &Value::Null, &text::plan(place, &options.tenant, &plan));
    }
    let wanted = plan.changes() && !options.dry_run && options.is_wanted(&plan, format)?;
    let done = if wanted { Some(undo(operator, &row, &plan, format).await) } else { None };
    let report = done.as_ref().map(|done| match done {
        Ok(report) => report,
        Err(stopped) => &stopped.report,
    });
    let lines = report.map(|report| {
        [Some(text::report(report)), text::held(&plan)].into_iter().flatten().collect::<Vec<_>>()
    });
    let lines = lines.map(|lines| lines.join("\n"));
    if format == Format::Json || lines.is_some() {
        let object = object::of(&options.tenant, &plan, report, &again);
        print(format, &object, &lines.unwrap_or_default());
    }
    match done {
        Some(done) => judge(done, &again).and_then(|()| judge_held(&plan)),
        None if options.dry_run || plan.changes() => Ok(()),
        None => judge_held(&plan),
    }
}

/// # Errors
/// If the plan itself says that something cannot be brought back.
fn judge_held(plan: &UndoPlan) -> anyhow::Result<()> {
    match text::held(plan) {
        Some(held) => bail!("not everything came back, and the plan says why. {held}"),
        None => Ok(()),
    }
}

/// # Errors
/// If the undo stopped, or something did not come back; with the command that goes on.
fn judge(done: Result<UndoReport, Box<UndoStopped>>, again: &str) -> anyhow::Result<()> {
    match done {
        Err(stopped) => {
            let context = format!("the undo stopped; this goes on: {again}");
            Err(anyhow::Error::new(stopped.why).context(context))
        }
        Ok(report) if !report.is_complete() => {
            bail!("not everything came back; this tries it again: {again}")
        }
        Ok(_) => Ok(()),
    }
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
) -> Result<UndoReport, Box<UndoStopped>> {
    let steps = plan.users_to_change() + plan.groups_to_change();
    let bar = bar("undoing", u64::try_from(steps).unwrap_or_default(), format);
    let report = operator.undo(row, plan, || bar.inc(1)).await;
    bar.finish_and_clear();
    report
}
