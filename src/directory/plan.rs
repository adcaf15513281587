//! How a query is answered: chosen from the form of its filter, before anything is read.

use scim_core::filter_plan::Equality;
use scim_core::members::MEMBERS;
use scim_core::{Filter, Interest};

use super::whole::GROUPS;
use crate::tenant::Type;

/// Most resources that one request looks at for a filter without index, or a sort.
pub(super) const MOST_SCANNED: usize = 5_000;
/// Most of them if the filter needs members or groups, which are other rows.
const MOST_LOADED: usize = 500;
/// Most reads of those other rows: of many values, the filter judges fewer resources in a request.
const MOST_READS: usize = 1_000;
/// Most index look-ups for one filter.
const MOST_LOOKUPS: usize = 50;

/// Where the resources of a type come from that a filter has to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Those that fulfil one of these equalities, each found by an index.
    LookUp(Vec<Equality>),
    /// All resources of the type.
    Scan {
        /// Further reads that each of them takes at least, of its members or groups.
        reads: usize,
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
        Self::Scan { reads: filter.map_or(0, reads) }
    }

    /// Most resources that one request looks at; `None` where an index finds them.
    pub fn most(&self) -> Option<usize> {
        match self {
            Self::LookUp(_) => None,
            Self::Scan { reads: 0 } => Some(MOST_SCANNED),
            Self::Scan { reads } => Some((MOST_READS / reads).clamp(1, MOST_LOADED)),
        }
    }
}

/// The further reads that it takes to judge a resource: one for each member or group that is asked for, or all
/// of them with one call; a membership leads to its group.
pub fn reads(filter: &Filter<'_>) -> usize {
    let of = |(attribute, rows): (&str, usize)| match filter.interest(attribute) {
        Interest::None => 0,
        Interest::Values(values) => values.len() * rows,
        Interest::All => rows,
    };
    [(MEMBERS, 1), (GROUPS, 2)].into_iter().map(of).sum()
}
