//! `scimctl explain`: how a filter is answered, and what that costs.

use std::fmt::Write;

use anyhow::Context;
use clap::Args;
use scim_core::Additions;
use scim_lambda::directory::Plan;
use scim_lambda::operator::explain::Explanation;
use scim_lambda::store::Kind;
use scim_lambda::tenant::{Profile, ServedTypes};
use serde_json::json;

use crate::output::{Format, print};
use crate::place::Place;

const NO_SUCH_TYPE: &str = "there is no such resource type; try User or Group";

#[derive(Debug, Args)]
pub(crate) struct ExplainOptions {
    /// The filter, as an identity provider sends it
    filter: String,

    /// The resource type to filter
    #[arg(long, value_name = "TYPE", default_value = "User")]
    resource_type: String,

    /// Use the profile and the size of this tenant
    #[arg(long, value_name = "NAME", conflicts_with = "resources")]
    tenant: Option<String>,

    /// How many resources of the type the tenant has
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(..=100_000_000))]
    resources: u32,

    /// The built-in profile of the tenant
    #[arg(long, value_name = "P", default_value = "default", conflicts_with = "tenant")]
    profile: String,
}

pub(crate) async fn run(
    place: &Place,
    options: &ExplainOptions,
    format: Format,
) -> anyhow::Result<()> {
    let kind = kind_of(&options.resource_type)?;
    let (profile, resources) = match &options.tenant {
        None => (options.profile.clone(), usize::try_from(options.resources)?),
        Some(name) => {
            let operator = &place.connect().await?.operator;
            let row = operator.tenant(name).await?;
            let count = operator.count(&row, kind.clone()).await?;
            (row.profile, count)
        }
    };
    let profile = Profile::read(&profile)?;
    let types = ServedTypes::new(&profile, &Additions::default())?;
    let resource_type =
        types.iter().find(|resource_type| resource_type.kind == kind).context(NO_SUCH_TYPE)?;
    let explanation =
        Explanation::new(&options.filter, resource_type, profile.dialect(), resources)?;
    let object = json!({
        "filter": explanation.filter, "resourceType": options.resource_type,
        "resources": resources, "indexes": explanation.indexes(), "scan": explanation.is_scan(),
        "calls": explanation.calls, "readUnits": explanation.read_units,
        "requests": explanation.requests,
    });
    print(format, &object, &lines(&explanation)?);
    Ok(())
}

/// The kind of a resource type, by its name or by its endpoint.
fn kind_of(resource_type: &str) -> anyhow::Result<Kind> {
    let name = ["User", "Group"].into_iter().find(|name| {
        let given = resource_type.trim_start_matches('/');
        given.eq_ignore_ascii_case(name) || given.eq_ignore_ascii_case(&format!("{name}s"))
    });
    Ok(Kind::of(name.context(NO_SUCH_TYPE)?))
}

fn lines(explanation: &Explanation) -> Result<String, std::fmt::Error> {
    let Explanation { plan, resource_type, .. } = explanation;
    let mut text = format!("filter  {}\n", explanation.filter);
    match plan {
        Plan::LookUp(equalities) if equalities.is_empty() => {
            write!(text, "plan    nothing is read: no {resource_type} can match")?;
        }
        Plan::LookUp(equalities) => {
            for (index, equality) in equalities.iter().enumerate() {
                let begin = if index == 0 { "plan    " } else { "        " };
                let (attribute, value) = (&equality.attribute, &equality.value);
                writeln!(text, "{begin}look up {attribute} {value:?} in its index")?;
            }
            writeln!(text, "        and test the results against the whole filter")?;
            write_look_up_cost(&mut text, explanation)?;
        }
        Plan::Scan { reads } => {
            let with = if *reads > 0 { ", each with its members or groups" } else { "" };
            writeln!(
                text,
                "plan    look at every {resource_type}{with}, {} in this tenant, because no index \
                 answers it",
                explanation.resources
            )?;
            write_scan_cost(&mut text, explanation)?;
        }
    }
    Ok(text)
}

fn write_look_up_cost(text: &mut String, explanation: &Explanation) -> std::fmt::Result {
    let resource_type = &explanation.resource_type;
    writeln!(text, "cost    at most {}", cost(explanation))?;
    write!(
        text,
        "        if one {resource_type} of at most 1 KB matches, and one more of each if it \
         was renamed"
    )?;
    if resource_type == "Group" {
        write!(text, ",\n        and to show its members, unless excludedAttributes=members")?;
    }
    Ok(())
}

fn write_scan_cost(text: &mut String, explanation: &Explanation) -> std::fmt::Result {
    writeln!(text, "cost    about {}", cost(explanation))?;
    match explanation.requests {
        1 => writeln!(text, "paging  by startIndex or by cursor, in one request")?,
        requests => {
            writeln!(
                text,
                "paging  by cursor only, {requests} requests, or more if pages fill before;"
            )?;
            writeln!(text, "        by startIndex it is 400 tooMany")?;
        }
    }
    write!(
        text,
        "better  combine it with `and` and one of: {} eq",
        explanation.indexed.join(" eq, ")
    )
}

fn cost(explanation: &Explanation) -> String {
    let count = |number: usize, what: &str| {
        format!("{number} {what}{}", if number == 1 { "" } else { "s" })
    };
    let calls = count(explanation.calls, "DynamoDB call");
    format!("{calls}, {} a request", count(explanation.read_units, "read unit"))
}
