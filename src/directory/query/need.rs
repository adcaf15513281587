//! What a filter needs to know about resources beyond their own rows, and what that costs.

use std::collections::BTreeSet;

use scim_core::members::MEMBERS;
use scim_core::{Equality, Filter, Interest, ResourceId};

use super::lookup::LookedUp;
use crate::budget::ROW_UNITS;
use crate::directory::groups::expand::price_of_groups;
use crate::directory::groups::shown::GROUPS;
use crate::directory::price::Price;
use crate::store::{Kind, Listed, price_of_members};
use crate::tenant::ServedType;

/// How many resources are judged at once.
pub(super) const CHUNK: usize = 16;
/// Rows of members and memberships in one call.
const SMALL_ROWS_IN_A_CALL: usize = 100;

/// The likely maximum of calls for reading the names of groups.
const CALLS_OF_NAMES: usize = 8;
/// Read units that are reserved for the names of groups that are read at a time.
pub(super) const UNITS_OF_NAMES: usize = 4 * 16 * ROW_UNITS as usize;

/// What a filter needs to know about a resource.
#[derive(Debug)]
pub(super) enum Need {
    /// Nothing beyond its row.
    Row,
    /// Which of these ids are among its members or groups.
    Values(BTreeSet<ResourceId>),
    /// All of its members or groups.
    All,
}

impl Need {
    /// What a filter on resources of this kind needs.
    pub(super) fn of(kind: &Kind, filter: &Filter<'_>) -> Self {
        let attribute = match kind {
            Kind::Group => MEMBERS,
            Kind::User => GROUPS,
            Kind::Other(_) => return Self::Row,
        };
        match filter.interest(attribute) {
            Interest::None => Self::Row,
            Interest::Values(values) => {
                Self::Values(values.iter().filter_map(|id| id.parse().ok()).collect())
            }
            Interest::All => Self::All,
        }
    }

    /// Whether it is all members or groups.
    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether it needs members, some of whom may be gone.
    pub(super) fn is_of_members(&self, kind: &Kind) -> bool {
        *kind == Kind::Group && !matches!(self, Self::Row)
    }

    /// The price of what it needs to know about these resources.
    pub(super) fn price(&self, kind: &Kind, rows: &[Listed], found: Option<&LookedUp>) -> Price {
        match (self, kind) {
            (Self::Row, _) | (_, Kind::Other(_)) => Price::FREE,
            (Self::Values(values), _) => {
                let known = found.is_some_and(|found| values.is_subset(&found.values));
                let pairs = if known { 0 } else { rows.len() * values.len() };
                Price {
                    calls: pairs.div_ceil(SMALL_ROWS_IN_A_CALL) + values.len().div_ceil(16) + 2,
                    units: pairs + values.len() + 2,
                }
            }
            (Self::All, Kind::User) => {
                price_of_groups() * rows.len() + Price::new(CALLS_OF_NAMES, UNITS_OF_NAMES)
            }
            (Self::All, Kind::Group) => {
                rows.iter().map(|row| Price::from(price_of_members(row.members))).sum()
            }
        }
    }
}

/// Approximately how many calls and read units it takes to judge this number of resources by a
/// filter, in addition to reading their rows. The estimate assumes that each user is in one group,
/// and that one call reads all members of a group. What the `looked_up` equalities have found need
/// not be read again.
pub fn price_of_judging(
    resource_type: &ServedType,
    filter: &Filter<'_>,
    looked_up: &[Equality],
    resources: usize,
) -> (usize, usize) {
    let known = |id: &ResourceId| {
        looked_up.iter().any(|equality| equality.value.eq_ignore_ascii_case(id.as_str()))
    };
    let (calls, units) = match Need::of(&resource_type.kind, filter) {
        Need::Row => return (0, 0),
        Need::Values(values) if values.iter().all(known) => (0, 0),
        Need::Values(values) => {
            let pairs = resources * values.len();
            (pairs.div_ceil(SMALL_ROWS_IN_A_CALL.min(CHUNK * values.len())), pairs)
        }
        Need::All => (resources, resources),
    };
    // The groups of a user have names; a member may be gone.
    match (&resource_type.kind, calls) {
        (Kind::Group, 0) => (0, 0),
        (Kind::Group | Kind::User | Kind::Other(_), _) => (calls + 1, units + 1),
    }
}
