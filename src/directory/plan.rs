//! How a query is answered, and what that costs: chosen from the form of its filter, before anything is
//! read.

use std::fmt;

use scim_core::filter_plan::Equality;
use scim_core::members::MEMBERS;
use scim_core::{Dialect, Error, Filter, Interest};

use super::whole::GROUPS;
use crate::tenant::Type;

/// Most resources that one request looks at for a filter without index, or a sort.
pub(super) const MOST_SCANNED: usize = 5_000;
/// Most of them if the filter needs members or groups, which are other rows.
pub(super) const MOST_LOADED: usize = 500;
/// Most index look-ups for one filter.
const MOST_LOOKUPS: usize = 50;
/// Bytes of a row in the estimates, with the claim beside it.
const ROW_BYTES: usize = 1_150;

/// Where the resources of a type come from that a filter has to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// All resources of a page, in the order of their ids: there is no filter.
    Page,
    /// Those that fulfil one of these equalities, each found by an index.
    LookUp(Vec<Equality>),
    /// All resources of the type; `loads` if the filter needs their members or groups too.
    Scan {
        /// Whether each resource takes further reads.
        loads: bool,
    },
}

impl Plan {
    /// The plan for a filter of resources of this type.
    pub fn of(of: &Type, filter: Option<&Filter<'_>>) -> Self {
        let Some(filter) = filter else { return Self::Page };
        match filter.equalities(&of.indexed) {
            Some(equalities) if equalities.len() <= MOST_LOOKUPS => Self::LookUp(equalities),
            _ => Self::scan(Some(filter)),
        }
    }

    /// The plan for a filter, or a sort, that no index answers.
    pub(super) fn scan(filter: Option<&Filter<'_>>) -> Self {
        let loads = |filter: &Filter<'_>| {
            [MEMBERS, GROUPS].iter().any(|attribute| filter.interest(attribute) != Interest::None)
        };
        Self::Scan { loads: filter.is_some_and(loads) }
    }
}

/// What a query costs in DynamoDB, for rows of at most 1 KB.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Calls.
    pub calls: usize,
    /// Strongly consistent read units.
    pub read_units: f64,
}

impl Cost {
    fn of(calls: usize) -> Self {
        Self { calls, read_units: calls as f64 }
    }
}

/// A plan, told to an operator.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The filter as it was understood.
    pub filter: String,
    /// The plan.
    pub plan: Plan,
    /// What one request costs: for a filter that an index answers, if one resource matches and was never
    /// renamed; for any other, if the tenant has as many resources as was said, and about.
    pub cost: Cost,
    /// How many requests by cursor it takes to see all that match.
    pub requests: usize,
    name: String,
    indexed: Vec<String>,
    resources: usize,
}

impl Explanation {
    /// Explains a filter in a tenant that has so many resources of the type.
    ///
    /// # Errors
    /// `invalidFilter`.
    pub fn new(text: &str, of: &Type, dialect: Dialect, resources: usize) -> Result<Self, Error> {
        let filter = Filter::parse(text, &of.resource, dialect)?;
        let plan = Plan::of(of, Some(&filter));
        let (cost, requests) = match &plan {
            Plan::Page => (Cost::of(2), 1),
            Plan::LookUp(equalities) => {
                let judged = [MEMBERS, GROUPS].iter().filter(|name| filter.interest(name) != Interest::None).count();
                let each = equalities.iter().map(|equality| look_ups(&equality.attribute));
                (Cost::of(each.sum::<usize>() + judged * equalities.len()), 1)
            }
            Plan::Scan { loads } => {
                let most = if *loads { MOST_LOADED } else { MOST_SCANNED };
                let looked_at = resources.min(most);
                let units = (looked_at * ROW_BYTES).div_ceil(4_096) + if *loads { looked_at } else { 0 };
                let calls = 1 + looked_at.div_ceil(400).max(1) + if *loads { looked_at } else { 0 };
                (Cost { calls, read_units: units as f64 }, resources.div_ceil(most).max(1))
            }
        };
        let (name, indexed) = (of.resource.name.clone(), of.indexed.clone());
        Ok(Self { filter: filter.to_string(), plan, cost, requests, name, indexed, resources })
    }

    /// Whether paging by `startIndex` is refused with `tooMany`.
    pub fn needs_cursor(&self) -> bool {
        self.requests > 1
    }
}

/// Calls that find one resource by an attribute.
fn look_ups(attribute: &str) -> usize {
    match attribute {
        // The pointer or the membership, and what it leads to.
        "externalId" | "emails.value" | "members.value" | "groups.value" => 2,
        _ => 1,
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { filter, plan, cost, requests, name, indexed, resources } = self;
        writeln!(f, "filter  {filter}")?;
        let about = match plan {
            Plan::Page => {
                writeln!(f, "plan    the resources of the page, in the order of their ids")?;
                ""
            }
            Plan::LookUp(equalities) if equalities.is_empty() => {
                writeln!(f, "plan    nothing is read: no {name} can match")?;
                ""
            }
            Plan::LookUp(equalities) => {
                for (index, Equality { attribute, value }) in equalities.iter().enumerate() {
                    let begin = if index == 0 { "plan    " } else { "        " };
                    writeln!(f, "{begin}look up {attribute} {value:?} in its index")?;
                }
                writeln!(f, "        and judge what is found by the whole filter")?;
                ""
            }
            Plan::Scan { loads } => {
                let with = if *loads { ", each with its members or groups" } else { "" };
                writeln!(f, "plan    look at every {name}{with}, {} in this tenant: no index answers", resources)?;
                "about "
            }
        };
        let plural = |count: f64| if count == 1.0 { "" } else { "s" };
        let (calls, units) = (cost.calls, cost.read_units);
        let (s, t) = (plural(calls as f64), plural(units));
        writeln!(f, "cost    {about}{calls} DynamoDB call{s}, {units} read unit{t} a request")?;
        match plan {
            Plan::LookUp(equalities) if !equalities.is_empty() => {
                write!(f, "        if one {name} of at most 1 KB matches; one call and one unit more if it was renamed")
            }
            Plan::Scan { .. } => {
                match requests {
                    1 => writeln!(f, "paging  by startIndex or by cursor, in one request")?,
                    _ => {
                        writeln!(f, "paging  by cursor only, {requests} requests; by startIndex it is 400 tooMany")?;
                    }
                }
                write!(f, "better  join it by `and` with one of: {} eq", indexed.join(" eq, "))
            }
            _ => Ok(()),
        }
    }
}
