//! Resyncs with their progress, and what is printed about them.

use anyhow::Context as _;
use indicatif::ProgressBar;
use scim_core::ResourceId;
use scim_lambda::operator::Operator;
use scim_lambda::operator::resync::{MAX_IDS, ResyncProgress, ResyncReport};
use scim_lambda::store::{ResyncCounts, ResyncScope, TenantRow};
use serde_json::{Value, json};

use crate::output::{Format, bar, counted};

/// What to do about a resync that has failed.
const INTERRUPTED: &str = "the resync was interrupted; scimctl events resync with --continue goes on if \
     you run it at once";

/// Resyncs of at most as many ids each as one can name.
pub(super) fn portions(
    ids: &[ResourceId],
    scope: fn(Vec<ResourceId>) -> ResyncScope,
) -> impl Iterator<Item = ResyncScope> {
    ids.chunks(MAX_IDS).map(move |ids| scope(ids.to_vec()))
}

/// Whether a resync that was interrupted is continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    New,
    Continue,
}

/// Makes these resyncs, one after the other, with a progress bar.
pub(super) async fn resync(
    operator: &Operator,
    tenant: &TenantRow,
    scopes: &[ResyncScope],
    start: Start,
    format: Format,
) -> anyhow::Result<Vec<ResyncReport>> {
    let bar = bar("rows", 0, format);
    let mut reports: Vec<ResyncReport> = Vec::new();
    for scope in scopes {
        let done = reports.iter().map(|report| total(&report.counts)).sum();
        let progress = |progress| show(&bar, done, progress);
        let report = match start {
            Start::New => operator.resync(tenant, scope, progress).await,
            Start::Continue => operator.continue_resync(tenant, scope, progress).await,
        };
        reports.push(report.context(INTERRUPTED)?);
    }
    bar.finish_and_clear();
    Ok(reports)
}

fn show(bar: &ProgressBar, done: u64, ResyncProgress { touched, expected }: ResyncProgress) {
    bar.set_length(done + expected);
    bar.set_position(done + touched);
}

fn total(ResyncCounts { users, groups, members, resources }: &ResyncCounts) -> u64 {
    users + groups + members + resources
}

/// The resyncs for scripts.
pub(super) fn object(reports: &[ResyncReport]) -> Value {
    let object = |report: &ResyncReport| {
        json!({
            "id": report.id, "counts": report.counts, "missing": report.missing,
            "continued": report.is_continued,
        })
    };
    reports.iter().map(object).collect()
}

/// A line for each resync.
pub(super) fn lines(tenant: &str, reports: &[ResyncReport]) -> String {
    let lines = reports.iter().map(|report| {
        let ResyncCounts { users, groups, members, resources } = report.counts;
        let (users, groups) = (counted(users, "user"), counted(groups, "group"));
        let members = counted(members, "membership");
        let others = match resources {
            0 => String::new(),
            number => format!(", and {} of other types", counted(number, "resource")),
        };
        let continued = if report.is_continued { " It continued an earlier one." } else { "" };
        let missing = match report.missing {
            0 => String::new(),
            1 => " One of the ids is not in the directory; the product drops it.".to_owned(),
            number => {
                format!(" {number} of the ids are not in the directory; the product drops them.")
            }
        };
        format!(
            "Resync {} of {tenant} has sent a snapshot of {users}, {groups} and \
             {members}{others}.{missing}{continued}",
            report.id
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
