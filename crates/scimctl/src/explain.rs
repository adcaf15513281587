//! `scimctl explain`: how a filter is answered, and what that costs.

use std::fmt;

use anyhow::Context;
use scim_core::{Additions, Dialect, Error, Filter};
use scim_lambda::directory::{self, Plan};
use scim_lambda::store::{Collection, Kind};
use scim_lambda::tenant::{Profile, ServedType, ServedTypes};
use serde_json::json;

use crate::cli::ExplainOptions;
use crate::place::Place;

/// Resources in one of the key ranges that a scan reads side by side.
const RANGE: usize = 500;
/// Most bytes of the rows in an answer of DynamoDB.
const ANSWER_BYTES: usize = 1_024 * 1_024;
/// Read units of the counters of a large tenant.
const COUNTERS: usize = 7;

pub(crate) async fn run(place: &Place, options: &ExplainOptions, json: bool) -> anyhow::Result<()> {
    // As it is called, or as its endpoint is.
    let named = ["User", "Group"].into_iter().find(|name| {
        let asked = options.resource_type.trim_start_matches('/');
        asked.eq_ignore_ascii_case(name) || asked.eq_ignore_ascii_case(&format!("{name}s"))
    });
    let kind = Kind::of(named.context("there is no such resource type; try User or Group")?);
    let (profile, resources) = match &options.tenant {
        None => (options.profile.clone(), usize::try_from(options.resources)?),
        Some(name) => {
            let connection = place.connect().await?;
            let tenant = connection.tenant(name).await?;
            let at = Collection { tenant: tenant.key(), kind: kind.clone() };
            (
                tenant.profile,
                connection.store.count(&at).await.context("the tenant cannot be counted")?,
            )
        }
    };
    let profile = Profile::read(&profile)?;
    let (dialect, types) = (profile.dialect(), ServedTypes::new(&profile, &Additions::default())?);
    let resource_type = types
        .iter()
        .find(|resource_type| resource_type.kind == kind)
        .context("there is no such resource type; try User or Group")?;
    let explained = Explanation::new(&options.filter, resource_type, dialect, resources)?;
    let index = match &explained.plan {
        Plan::LookUp(equalities) => {
            equalities.iter().map(|equality| equality.attribute.as_str()).collect()
        }
        Plan::Scan { .. } => Vec::new(),
    };
    let object = json!({
        "filter": explained.filter, "resourceType": options.resource_type, "resources": resources, "indexes": index,
        "scan": matches!(explained.plan, Plan::Scan { .. }), "calls": explained.calls,
        "readUnits": explained.read_units, "requests": explained.requests,
    });
    crate::print(json, &object, &explained.to_string());
    Ok(())
}

/// A plan, told to an operator.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The filter as it was understood.
    pub filter: String,
    /// The plan.
    pub plan: Plan,
    /// DynamoDB calls of one request, without those that show members: where an index answers, at
    /// most, if one resource of at most 1 KB matches that was never renamed; else about.
    pub calls: usize,
    /// Its strongly consistent read units, under the same conditions.
    pub read_units: usize,
    /// How many requests by cursor it takes to see all that match, if they fill no page.
    pub requests: usize,
    resource_type: String,
    indexed: Vec<String>,
    resources: usize,
}

impl Explanation {
    /// Explains a filter in a tenant that has so many resources of the type.
    ///
    /// # Errors
    /// `invalidFilter`.
    pub fn new(
        text: &str,
        resource_type: &ServedType,
        dialect: Dialect,
        resources: usize,
    ) -> Result<Self, Error> {
        let filter = Filter::parse(text, &resource_type.definition, dialect)?;
        let plan = Plan::of(resource_type, &filter);
        let (calls, read_units, requests) = match &plan {
            Plan::Scan { .. } => {
                let most = plan.most().unwrap_or(resources);
                let looked_at = resources.min(most);
                // A user and its claim; a group with its claim and sixteen heads.
                let row_bytes = if resource_type.kind == Kind::Group { 2_600 } else { 1_150 };
                let calls =
                    looked_at.div_ceil(RANGE).max(1) * (RANGE * row_bytes).div_ceil(ANSWER_BYTES);
                let units = (looked_at * row_bytes).div_ceil(4_096);
                let (judging_calls, judging_units) =
                    directory::price_of_judging(resource_type, &filter, &[], looked_at);
                (
                    1 + calls + judging_calls,
                    COUNTERS + units + judging_units,
                    resources.div_ceil(most).max(1),
                )
            }
            Plan::LookUp(equalities) => {
                let found: usize =
                    equalities.iter().map(|equality| look_ups(&equality.attribute)).sum();
                let (calls, units) = match equalities.is_empty() {
                    true => (0, 0),
                    false => directory::price_of_judging(resource_type, &filter, equalities, 1),
                };
                (found + calls, found + units, 1)
            }
        };
        let (name, indexed) =
            (resource_type.definition.name.clone(), resource_type.indexed.clone());
        Ok(Self {
            filter: filter.to_string(),
            plan,
            calls,
            read_units,
            requests,
            resource_type: name,
            indexed,
            resources,
        })
    }
}

/// Calls that find one resource by an attribute, and units.
fn look_ups(attribute: &str) -> usize {
    match attribute {
        // The pointer and the user it leads to, and the user of that name.
        "emails.value" => 3,
        // As the next ones, and who is gone of those whose rows are there.
        "members.value" => 3,
        // What leads to the resource, and the resource.
        "externalId" | "groups.value" => 2,
        _ => 1,
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { filter, plan, calls, read_units, requests, resource_type, indexed, resources } =
            self;
        writeln!(f, "filter  {filter}")?;
        let count = |number: usize, what: &str| {
            format!("{number} {what}{}", if number == 1 { "" } else { "s" })
        };
        let cost = format!(
            "{}, {} a request",
            count(*calls, "DynamoDB call"),
            count(*read_units, "read unit")
        );
        match plan {
            Plan::LookUp(equalities) if equalities.is_empty() => {
                write!(f, "plan    nothing is read: no {resource_type} can match")
            }
            Plan::LookUp(equalities) => {
                for (index, equality) in equalities.iter().enumerate() {
                    let begin = if index == 0 { "plan    " } else { "        " };
                    writeln!(
                        f,
                        "{begin}look up {} {:?} in its index",
                        equality.attribute, equality.value
                    )?;
                }
                writeln!(f, "        and judge what is found by the whole filter")?;
                writeln!(f, "cost    at most {cost}")?;
                write!(
                    f,
                    "        if one {resource_type} of at most 1 KB matches; one more of each if \
                    it was renamed"
                )?;
                match resource_type.as_str() {
                    "Group" => write!(
                        f,
                        ",\n        and to show its members, unless excludedAttributes=members"
                    ),
                    _ => Ok(()),
                }
            }
            Plan::Scan { reads } => {
                let with = if *reads > 0 { ", each with its members or groups" } else { "" };
                writeln!(
                    f,
                    "plan    look at every {resource_type}{with}, {resources} in this tenant: no \
                    index answers"
                )?;
                writeln!(f, "cost    about {cost}")?;
                match requests {
                    1 => writeln!(f, "paging  by startIndex or by cursor, in one request")?,
                    _ => {
                        writeln!(
                            f,
                            "paging  by cursor only, {requests} requests, and one for each page \
                            that fills before;"
                        )?;
                        writeln!(f, "        by startIndex it is 400 tooMany")?;
                    }
                }
                write!(f, "better  join it by `and` with one of: {} eq", indexed.join(" eq, "))
            }
        }
    }
}
