//! How a query is answered: chosen from the form of its filter, before anything is read.

use scim_core::filter_plan::Equality;
use scim_core::members::MEMBERS;
use scim_core::{Filter, Interest};

use super::whole::GROUPS;
use crate::tenant::Type;

/// Most resources that one request looks at for a filter without index, or a sort.
pub const MOST_SCANNED: usize = 5_000;
/// Most of them if the filter needs members or groups, which are other rows.
pub const MOST_LOADED: usize = 500;
/// Most index look-ups for one filter.
const MOST_LOOKUPS: usize = 50;

/// Where the resources of a type come from that a filter has to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
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
    pub fn of(of: &Type, filter: &Filter<'_>) -> Self {
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
