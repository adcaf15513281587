//! How a filter is answered, and what that costs.

use scim_core::{Dialect, Error, Filter};

use crate::directory::{self, Plan};
use crate::store::Kind;
use crate::tenant::ServedType;

/// The number of resources in each of the key ranges that a scan reads in parallel.
const RANGE: usize = 500;
/// The maximum number of bytes of rows in an answer of DynamoDB.
const ANSWER_BYTES: usize = 1_024 * 1_024;
/// Read units of the counters of a large tenant.
const COUNTERS: usize = 7;
/// Bytes of a user and its claim.
const USER_BYTES: usize = 1_150;
/// Bytes of a group with its claim and sixteen heads.
const GROUP_BYTES: usize = 2_600;

/// The plan of a filter, with its cost.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The filter as it was understood.
    pub filter: String,
    /// The plan.
    pub plan: Plan,
    /// DynamoDB calls of one request, without the calls that show members. If an index answers,
    /// this is the maximum, provided that one resource of at most 1 KB matches and was never
    /// renamed. Otherwise it is an estimate.
    pub calls: usize,
    /// Its strongly consistent read units, under the same conditions.
    pub read_units: usize,
    /// How many requests by cursor it takes to see all matches, provided that they do not fill a
    /// page.
    pub requests: usize,
    /// The name of the resource type.
    pub resource_type: String,
    /// The attributes of the type that have an index.
    pub indexed: Vec<String>,
    /// How many resources of the type the tenant has.
    pub resources: usize,
}

/// Calls and read units of one request, and requests.
struct Cost {
    calls: usize,
    read_units: usize,
    requests: usize,
}

impl Explanation {
    /// Explains a filter in a tenant that has this many resources of the type.
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
        let cost = match &plan {
            Plan::Scan { .. } => scan_cost(&plan, resource_type, &filter, resources),
            Plan::LookUp(equalities) => {
                let (calls, units) = if equalities.is_empty() {
                    (0, 0)
                } else {
                    directory::price_of_judging(resource_type, &filter, equalities, 1)
                };
                let found: usize =
                    equalities.iter().map(|equality| look_ups(&equality.attribute)).sum();
                Cost { calls: found + calls, read_units: found + units, requests: 1 }
            }
        };
        Ok(Self {
            filter: filter.to_string(),
            calls: cost.calls,
            read_units: cost.read_units,
            requests: cost.requests,
            resource_type: resource_type.definition.name.clone(),
            indexed: resource_type.indexed.clone(),
            plan,
            resources,
        })
    }

    /// The attributes whose indexes answer the filter.
    pub fn indexes(&self) -> Vec<&str> {
        match &self.plan {
            Plan::LookUp(equalities) => {
                equalities.iter().map(|equality| equality.attribute.as_str()).collect()
            }
            Plan::Scan { .. } => Vec::new(),
        }
    }

    /// Whether the filter is answered by looking at every resource.
    pub fn is_scan(&self) -> bool {
        matches!(self.plan, Plan::Scan { .. })
    }
}

fn scan_cost(
    plan: &Plan,
    resource_type: &ServedType,
    filter: &Filter<'_>,
    resources: usize,
) -> Cost {
    let most = plan.most().unwrap_or(resources);
    let looked_at = resources.min(most);
    let row_bytes = if resource_type.kind == Kind::Group { GROUP_BYTES } else { USER_BYTES };
    let calls = looked_at.div_ceil(RANGE).max(1) * (RANGE * row_bytes).div_ceil(ANSWER_BYTES);
    let units = (looked_at * row_bytes).div_ceil(4_096);
    let (judging_calls, judging_units) =
        directory::price_of_judging(resource_type, filter, &[], looked_at);
    Cost {
        calls: 1 + calls + judging_calls,
        read_units: COUNTERS + units + judging_units,
        requests: resources.div_ceil(most).max(1),
    }
}

/// The calls that find one resource by an attribute, and the same number of units.
fn look_ups(attribute: &str) -> usize {
    match attribute {
        // The pointer, the user that it leads to, and the user of that name.
        "emails.value" => 3,
        // The same as for the next ones, and a check which of the users are deleted.
        "members.value" => 3,
        // The row that leads to the resource, and the resource.
        "externalId" | "groups.value" => 2,
        _ => 1,
    }
}
