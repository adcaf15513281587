//! `scimctl events resync`: has the product told what the directory holds.

use anyhow::anyhow;
use clap::Args;
use scim_core::ResourceId;
use scim_lambda::store::ResyncScope;
use serde_json::json;

use super::touched::{self, Start};
use crate::output::{Format, print};
use crate::place::Place;
use crate::when::{self, Moment};

/// The id of a resync in the log.
const REQUEST: &str = "scimctl events resync";

/// Send the product a snapshot of what the directory holds: of everything, of some users or groups,
/// or of what changed since a time
#[derive(Debug, Args)]
pub(crate) struct ResyncOptions {
    /// The tenant's name
    tenant: String,
    /// Only this user and its memberships; can be given several times
    #[arg(long = "user", value_name = "ID", value_parser = id)]
    users: Vec<ResourceId>,
    /// Only this group and its members; can be given several times
    #[arg(long = "group", value_name = "ID", value_parser = id)]
    groups: Vec<ResourceId>,
    /// Only what changed since: 2026-11-30T08:00:00Z, 2026-11-30 08:00 (UTC), 2026-11-30, or 90m, 24h, 7d ago
    #[arg(long, value_name = "TIME", conflicts_with_all = ["users", "groups"],
          value_parser = when::parse)]
    since: Option<Moment>,
    /// Continue the same resync if it was interrupted in the last four minutes: what it has shown
    /// is not shown again
    #[arg(long = "continue")]
    is_continued: bool,
}

fn id(text: &str) -> anyhow::Result<ResourceId> {
    text.parse().map_err(|()| {
        anyhow!("an id has 1 to 128 letters, digits, '.', '_' or '-'; scimctl export shows them")
    })
}

impl ResyncOptions {
    /// The resyncs that are asked for.
    fn scopes(&self) -> Vec<ResyncScope> {
        if let Some(Moment(time)) = self.since {
            return vec![ResyncScope::Since(time)];
        }
        if self.users.is_empty() && self.groups.is_empty() {
            return vec![ResyncScope::All];
        }
        let users = touched::portions(&self.users, ResyncScope::Users);
        users.chain(touched::portions(&self.groups, ResyncScope::Groups)).collect()
    }
}

pub(super) async fn run(
    place: &Place,
    options: &ResyncOptions,
    format: Format,
) -> anyhow::Result<()> {
    let tenant = options.tenant.as_str();
    let operator = &place.connect_as(REQUEST).await?.operator;
    let row = operator.tenant(tenant).await?;
    let start = if options.is_continued { Start::Continue } else { Start::New };
    let reports = touched::resync(operator, &row, &options.scopes(), start, format).await?;
    let object = json!({ "tenant": tenant, "resyncs": touched::object(&reports) });
    print(format, &object, &touched::lines(tenant, &reports));
    Ok(())
}
