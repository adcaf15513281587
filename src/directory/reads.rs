//! Data that a request reads only once, however often it needs it: which resources are gone, and
//! the names of groups.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use scim_core::{Error, ResourceId};

use super::context::{Call, Directory, GroupName};
use super::price::Price;
use crate::budget::QUERY_UNITS;
use crate::store::Kind;

impl Directory {
    /// The users who have expired but are not erased yet. They are never shown, but counters and
    /// rows of members still include them. It makes no call for tenants whose users do not expire.
    pub(super) async fn overdue<'c>(&self, call: Call<'c>) -> Result<&'c [ResourceId], Error> {
        if !call.tenant.is_expiring() {
            return Ok(&[]);
        }
        Ok(call.reads.overdue.get_or_try_init(|| self.read_overdue(call)).await?)
    }

    /// How many of these overdue users another request has erased in the meantime, so that the
    /// counters no longer include them. Makes no call if no user is overdue.
    pub(super) async fn erased_since(
        &self,
        call: Call<'_>,
        overdue: &[ResourceId],
    ) -> Result<usize, Error> {
        if overdue.is_empty() {
            return Ok(0);
        }
        let now_overdue: BTreeSet<_> = self.read_overdue(call).await?.into_iter().collect();
        Ok(overdue.iter().filter(|id| !now_overdue.contains(*id)).count())
    }

    async fn read_overdue(&self, call: Call<'_>) -> Result<Vec<ResourceId>, Error> {
        let users = call.collection(&Kind::User);
        let due = self.store.due(&users, self.clock.seconds(), usize::MAX).await?;
        Ok(due.into_iter().map(|(_, id)| id).collect())
    }

    /// The resources that are gone, although rows of members still name them.
    pub(super) async fn gone<'c>(&self, call: Call<'c>) -> Result<Gone<'c>, Error> {
        let key = call.tenant.key();
        let read = || async { Ok::<_, Error>(self.store.leaving(&key).await?) };
        let leaving = call.reads.leaving.get_or_try_init(read);
        let (leaving, overdue) = tokio::try_join!(leaving, self.overdue(call))?;
        Ok(Gone { leaving, overdue: overdue.iter().collect() })
    }

    /// The price of [`Directory::gone`], which is nothing once the request has called it.
    pub(super) fn price_of_gone(call: Call<'_>) -> Price {
        let leaving = call.reads.leaving.get().is_none();
        let overdue = call.tenant.is_expiring() && call.reads.overdue.get().is_none();
        let calls = usize::from(leaving) + usize::from(overdue);
        Price::new(1, QUERY_UNITS as usize) * calls
    }

    /// The names of those groups that exist.
    pub(super) async fn group_names(
        &self,
        call: Call<'_>,
        ids: &BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, GroupName>, Error> {
        let known = || call.reads.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown: Vec<ResourceId> = {
            let known = known();
            ids.iter().filter(|id| !known.contains_key(*id)).cloned().collect()
        };
        if !unknown.is_empty() {
            let mut names = self.store.group_names(&call.tenant.key(), &unknown).await?;
            known().extend(unknown.into_iter().map(|id| {
                let name = names.remove(&id).map(GroupName);
                (id, name)
            }));
        }
        let known = known();
        Ok(ids.iter().filter_map(|id| Some((id.clone(), known.get(id)?.clone()?))).collect())
    }
}

/// The resources that are gone, although rows of members still name them.
#[derive(Debug)]
pub(super) struct Gone<'c> {
    leaving: &'c BTreeSet<ResourceId>,
    overdue: BTreeSet<&'c ResourceId>,
}

impl Gone<'_> {
    /// Whether no resource is gone.
    pub(super) fn is_empty(&self) -> bool {
        self.leaving.is_empty() && self.overdue.is_empty()
    }

    /// Whether this resource is gone.
    pub(super) fn contains(&self, id: &ResourceId) -> bool {
        self.leaving.contains(id) || self.overdue.contains(id)
    }
}
