//! What it takes to judge resources beyond their own rows: members of groups, groups of users.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::filter_plan::Equality;
use scim_core::members::MEMBERS;
use scim_core::{Error, Filter, Interest, Member, Resource, ResourceId};

use super::lookup::LookedUp;
use crate::budget::ROW_UNITS;
use crate::directory::context::{Call, Directory, GroupName};
use crate::directory::groups::expand::price_of_groups;
use crate::directory::groups::shown::{
    GROUPS, set_groups, set_members, too_large_to_judge, too_many_groups,
};
use crate::directory::limits::MAX_MEMBERS_SHOWN;
use crate::store::{Kind, Listed, price_of_members};
use crate::tenant::{ServedType, unanswered};

/// How many resources are judged at once.
pub(super) const CHUNK: usize = 16;
/// Rows of members and memberships in one call.
const SMALL_ROWS_IN_A_CALL: usize = 100;
/// How many resources' members or groups are read at a time.
const CONCURRENCY: usize = 4;

/// Calls and read units that the names of groups are likely to take at most.
const CALLS_OF_NAMES: usize = 8;
/// The units that are reserved for those that are read at a time.
pub(super) const UNITS_OF_NAMES: usize = 4 * 16 * ROW_UNITS as usize;

/// What a filter needs to know.
#[derive(Debug)]
pub(super) enum Need {
    /// Nothing beyond the row.
    Row,
    /// Which of these are among the members, or the groups.
    Values(BTreeSet<ResourceId>),
    /// All members, or groups.
    All,
}

impl Need {
    /// What a filter of resources of this kind needs.
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

    /// Whether it needs all members, or groups.
    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether it needs members, some of whom may be gone.
    pub(super) fn is_of_members(&self, kind: &Kind) -> bool {
        *kind == Kind::Group && !matches!(self, Self::Row)
    }

    /// The most calls and read units that it takes for these resources.
    pub(super) fn price(
        &self,
        kind: &Kind,
        rows: &[Listed],
        found: Option<&LookedUp>,
    ) -> (usize, usize) {
        match (self, kind) {
            (Self::Row, _) | (_, Kind::Other(_)) => (0, 0),
            (Self::Values(values), _) => {
                let known = found.is_some_and(|found| values.is_subset(&found.values));
                let pairs = if known { 0 } else { rows.len() * values.len() };
                (
                    pairs.div_ceil(SMALL_ROWS_IN_A_CALL) + values.len().div_ceil(16) + 2,
                    pairs + values.len() + 2,
                )
            }
            (Self::All, Kind::User) => {
                let (calls, units) = price_of_groups();
                (rows.len() * calls + CALLS_OF_NAMES, rows.len() * units + UNITS_OF_NAMES)
            }
            (Self::All, Kind::Group) => {
                rows.iter().map(|row| price_of_members(row.members)).fold((0, 0), add)
            }
        }
    }
}

/// What these reads give, by the ids that they are for.
async fn some_at_a_time<T>(
    reads: Vec<impl Future<Output = Result<(ResourceId, T), Error>>>,
) -> Result<BTreeMap<ResourceId, T>, Error> {
    stream::iter(reads).buffer_unordered(CONCURRENCY).try_collect().await
}

/// The sum of two prices.
pub(super) fn add(one: (usize, usize), other: (usize, usize)) -> (usize, usize) {
    (one.0 + other.0, one.1 + other.1)
}

/// About the calls and read units that it takes to judge these `resources` by a filter, beyond
/// their rows, where each is in one group, or has as many members as one call reads. What
/// `looked_up` equalities have found is known.
pub fn judging(
    resource_type: &ServedType,
    filter: &Filter<'_>,
    looked_up: &[Equality],
    resources: usize,
) -> (usize, usize) {
    let known = |id: &ResourceId| {
        looked_up.iter().any(|equality| equality.value.to_lowercase() == id.as_str())
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

/// What is known of some resources.
#[derive(Debug, Default)]
pub(super) struct Facts {
    members: BTreeMap<ResourceId, Vec<Member>>,
    groups: BTreeMap<ResourceId, Vec<ResourceId>>,
    names: BTreeMap<ResourceId, GroupName>,
}

impl Facts {
    /// Puts among the attributes of a resource what is known of it.
    pub(super) fn add_to(&mut self, call: Call<'_>, resource: &mut Resource) {
        if let Some(members) =
            self.members.remove(&resource.id).filter(|members| !members.is_empty())
        {
            set_members(call, resource, &members);
        }
        if let Some(groups) = self.groups.remove(&resource.id) {
            set_groups(call, resource, &groups, &self.names);
        }
    }
}

impl Directory {
    /// Reads what a filter needs to know of these resources, as far as the index does not know it.
    pub(super) async fn facts(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        need: &Need,
        rows: &[Listed],
        found: Option<&LookedUp>,
    ) -> Result<Facts, Error> {
        match (&resource_type.kind, need) {
            (Kind::Other(_), _) | (_, Need::Row) => Ok(Facts::default()),
            (Kind::Group, Need::Values(ids)) => self.members_named(call, ids, rows, found).await,
            (Kind::Group, Need::All) => self.all_members(call, rows).await,
            (Kind::User, Need::Values(ids)) => self.groups_named(call, ids, rows, found).await,
            (Kind::User, Need::All) => self.all_groups(call, rows).await,
        }
    }

    async fn members_named(
        &self,
        call: Call<'_>,
        ids: &BTreeSet<ResourceId>,
        rows: &[Listed],
        found: Option<&LookedUp>,
    ) -> Result<Facts, Error> {
        let groups = rows.iter().map(|row| &row.id);
        let key = call.tenant.key();
        if let Some(found) = found.filter(|found| ids.is_subset(&found.values)) {
            let member =
                |value: &ResourceId| Member { value: value.clone(), kind: None, display: None };
            let having =
                |id: &ResourceId| found.having.get(id).into_iter().flatten().map(member).collect();
            return Ok(Facts {
                members: groups.map(|id| (id.clone(), having(id))).collect(),
                ..Facts::default()
            });
        }
        let among = async { self.store.members_among(&key, groups, ids).await.map_err(unanswered) };
        let (mut members, gone) = tokio::try_join!(among, self.gone(call))?;
        members
            .values_mut()
            .for_each(|members| members.retain(|member| !gone.contains(&member.value)));
        Ok(Facts { members, ..Facts::default() })
    }

    async fn all_members(&self, call: Call<'_>, rows: &[Listed]) -> Result<Facts, Error> {
        if let Some(large) = rows.iter().find(|row| row.members > MAX_MEMBERS_SHOWN) {
            return Err(too_large_to_judge(&large.id));
        }
        let each = rows.iter().map(|row| async move {
            let members = self.members(call, &row.id, row.members).await?;
            Ok::<_, Error>((row.id.clone(), members))
        });
        Ok(Facts { members: some_at_a_time(each.collect()).await?, ..Facts::default() })
    }

    async fn groups_named(
        &self,
        call: Call<'_>,
        ids: &BTreeSet<ResourceId>,
        rows: &[Listed],
        found: Option<&LookedUp>,
    ) -> Result<Facts, Error> {
        let users = rows.iter().map(|row| &row.id);
        let groups = match found.filter(|found| ids.is_subset(&found.values)) {
            Some(found) => {
                let having = |id: &ResourceId| found.having.get(id).cloned().unwrap_or_default();
                users.map(|id| (id.clone(), having(id))).collect()
            }
            None => self
                .store
                .memberships_among(&call.tenant.key(), users, ids)
                .await
                .map_err(unanswered)?,
        };
        self.named(call, groups).await
    }

    async fn all_groups(&self, call: Call<'_>, rows: &[Listed]) -> Result<Facts, Error> {
        let each = rows.iter().map(|row| async move {
            let groups = self.memberships(call, &row.id).await?.ok_or_else(too_many_groups)?;
            Ok::<_, Error>((row.id.clone(), groups))
        });
        self.named(call, some_at_a_time(each.collect()).await?).await
    }

    async fn named(
        &self,
        call: Call<'_>,
        groups: BTreeMap<ResourceId, Vec<ResourceId>>,
    ) -> Result<Facts, Error> {
        let ids: BTreeSet<ResourceId> = groups.values().flatten().cloned().collect();
        let names = self.group_names(call, &ids).await?;
        Ok(Facts { groups, names, ..Facts::default() })
    }
}
