//! What is known about resources beyond their own rows: the members of groups, and the groups of
//! users.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::{Error, Member, Resource, ResourceId};

use super::lookup::LookedUp;
use super::need::Need;
use crate::directory::context::{Call, Directory, GroupName};
use crate::directory::groups::shown::{
    set_groups, set_members, too_large_to_judge, too_many_groups,
};
use crate::directory::limits::MAX_MEMBERS_SHOWN;
use crate::store::{Kind, Listed};
use crate::tenant::ServedType;

/// For how many resources members or groups are read in parallel.
const CONCURRENCY: usize = 4;

/// What is known about some resources.
#[derive(Debug, Default)]
pub(super) struct Facts {
    members: BTreeMap<ResourceId, Vec<Member>>,
    groups: BTreeMap<ResourceId, Vec<ResourceId>>,
    names: BTreeMap<ResourceId, GroupName>,
}

impl Facts {
    /// Adds what is known about a resource to its attributes.
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
    /// Reads what a filter needs to know about these resources, unless the index has already
    /// provided it.
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
        let among = async { Ok(self.store.members_among(&key, groups, ids).await?) };
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
        Ok(Facts { members: collect(each.collect()).await?, ..Facts::default() })
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
            None => self.store.memberships_among(&call.tenant.key(), users, ids).await?,
        };
        self.named(call, groups).await
    }

    async fn all_groups(&self, call: Call<'_>, rows: &[Listed]) -> Result<Facts, Error> {
        let each = rows.iter().map(|row| async move {
            let groups = self.memberships(call, &row.id).await?.ok_or_else(too_many_groups)?;
            Ok::<_, Error>((row.id.clone(), groups))
        });
        self.named(call, collect(each.collect()).await?).await
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

/// The results of these reads by the ids that they are for. A few reads run in parallel.
async fn collect<T>(
    reads: Vec<impl Future<Output = Result<(ResourceId, T), Error>>>,
) -> Result<BTreeMap<ResourceId, T>, Error> {
    stream::iter(reads).buffer_unordered(CONCURRENCY).try_collect().await
}
