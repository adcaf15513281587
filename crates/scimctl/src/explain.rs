//! `scimctl explain`: how a filter is answered, and what that costs.

use anyhow::Context;
use scim_core::Additions;
use scim_lambda::directory::plan::{Explanation, Plan};
use scim_lambda::store::{Collection, Kind};
use scim_lambda::tenant::{Profile, Types};
use serde_json::json;

use crate::cli::ExplainOptions;
use crate::place::Place;

pub(crate) async fn run(place: &Place, options: &ExplainOptions, json: bool) -> anyhow::Result<()> {
    let kind = Kind::of(&options.resource_type);
    let (profile, resources) = match &options.tenant {
        None => (options.profile.clone(), options.resources),
        Some(name) => {
            let connection = place.connect().await?;
            let tenant = connection.tenant(name).await?;
            let at = Collection { tenant: tenant.key(), kind: kind.clone() };
            (tenant.profile, connection.store.count(&at).await.context("the tenant cannot be counted")?)
        }
    };
    let known = Profile::ALL.iter().find(|known| known.name == profile);
    let dialect = known.with_context(|| format!("there is no profile {profile}"))?.dialect;
    let types = Types::new(dialect, &Additions::default())?;
    let of = types.iter().find(|of| of.kind == kind).context("there is no such resource type; try User or Group")?;
    let explained = Explanation::new(&options.filter, of, dialect, resources)?;
    let index = match &explained.plan {
        Plan::LookUp(equalities) => equalities.iter().map(|equality| equality.attribute.as_str()).collect(),
        Plan::Page | Plan::Scan { .. } => Vec::new(),
    };
    let object = json!({
        "filter": explained.filter, "resourceType": options.resource_type, "resources": resources, "indexes": index,
        "scan": matches!(explained.plan, Plan::Scan { .. }), "calls": explained.cost.calls,
        "readUnits": explained.cost.read_units, "requests": explained.requests,
    });
    crate::print(json, &object, &explained.to_string());
    Ok(())
}
