//! How a query is answered: chosen from the form of its filter, before anything is read.

use std::collections::BTreeSet;

use scim_core::Equality;
use scim_core::members::MEMBERS;
use scim_core::{Filter, Interest};

use crate::directory::groups::shown::GROUPS;
use crate::directory::limits::{MAX_LOOK_UPS, MAX_READS, MAX_SCANNED, MAX_SCANNED_WITH_MORE};
use crate::tenant::ServedType;

/// Where the resources that a filter has to judge come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// An index finds those that satisfy one of these equalities.
    LookUp(Vec<Equality>),
    /// All resources of the type.
    Scan {
        /// The minimum number of further reads, of members or groups, that each resource takes.
        reads: usize,
    },
}

impl Plan {
    /// The plan for a filter of resources of this type.
    pub fn of(resource_type: &ServedType, filter: &Filter<'_>) -> Self {
        let mut seen = BTreeSet::new();
        let equalities = filter.equalities(&resource_type.indexed).map(|mut equalities| {
            equalities.retain(|equality| {
                seen.insert((equality.attribute.clone(), equality.value.clone()))
            });
            equalities
        });
        match equalities {
            Some(equalities) if equalities.len() <= MAX_LOOK_UPS => Self::LookUp(equalities),
            _ => Self::scan(Some(filter)),
        }
    }

    /// The plan for a filter or a sort that no index answers.
    pub(super) fn scan(filter: Option<&Filter<'_>>) -> Self {
        Self::Scan { reads: filter.map_or(0, reads) }
    }

    /// How many resources one request looks at, at most; `None` where an index finds them.
    pub fn most(&self) -> Option<usize> {
        match self {
            Self::LookUp(_) => None,
            Self::Scan { reads: 0 } => Some(MAX_SCANNED),
            Self::Scan { reads } => Some((MAX_READS / reads).clamp(1, MAX_SCANNED_WITH_MORE)),
        }
    }
}

/// How many further reads it takes to judge a resource: one for each member or group that the
/// filter asks for, or one for all of them. For the groups of a user, each group itself is read
/// too.
fn reads(filter: &Filter<'_>) -> usize {
    let reads_of = |(attribute, rows): (&str, usize)| match filter.interest(attribute) {
        Interest::None => 0,
        Interest::Values(values) => values.len() * rows,
        Interest::All => rows,
    };
    [(MEMBERS, 1), (GROUPS, 2)].into_iter().map(reads_of).sum()
}
