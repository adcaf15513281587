//! What a request reads once, however often it needs it: who is gone, and what groups are called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use scim_core::{Error, ResourceId};

use super::context::{Call, Directory, GroupName};
use crate::budget::QUERY_UNITS;
use crate::store::Kind;

impl Directory {
    /// The users whose time has come and who are not erased yet. Nobody sees them, but counters and
    /// members' rows know them still. No call for tenants without such users.
    pub(super) async fn overdue<'c>(&self, call: Call<'c>) -> Result<&'c [ResourceId], Error> {
        if !call.tenant.is_expiring() {
            return Ok(&[]);
        }
        let read = || async {
            let due = self
                .store
                .due(&call.collection(&Kind::User), self.clock.seconds(), usize::MAX)
                .await;
            Ok::<_, Error>(due?.into_iter().map(|(_, id)| id).collect())
        };
        Ok(call.reads.overdue.get_or_try_init(read).await?)
    }

    /// How many of those who were overdue another request has erased since: the counters do not
    /// know them any more, or did a moment ago. No call if nobody was.
    pub(super) async fn erased_since(
        &self,
        call: Call<'_>,
        overdue: &[ResourceId],
    ) -> Result<usize, Error> {
        if overdue.is_empty() {
            return Ok(0);
        }
        let due =
            self.store.due(&call.collection(&Kind::User), self.clock.seconds(), usize::MAX).await;
        let due: BTreeSet<ResourceId> = due?.into_iter().map(|(_, id)| id).collect();
        Ok(overdue.iter().filter(|id| !due.contains(*id)).count())
    }

    /// Whether somebody is gone for everybody, though rows of members name them still.
    pub(super) async fn gone<'c>(&self, call: Call<'c>) -> Result<Gone<'c>, Error> {
        let leaving = async {
            let read = || async { Ok::<_, Error>(self.store.leaving(&call.tenant.key()).await?) };
            call.reads.leaving.get_or_try_init(read).await
        };
        let (leaving, overdue) = tokio::try_join!(leaving, self.overdue(call))?;
        Ok(Gone { leaving, overdue: overdue.iter().collect() })
    }

    /// The most calls and read units that [`Directory::gone`] takes: nothing once the request has
    /// asked.
    pub(super) fn price_of_gone(call: Call<'_>) -> (usize, usize) {
        let leaving = call.reads.leaving.get().is_none();
        let overdue = call.tenant.is_expiring() && call.reads.overdue.get().is_none();
        let calls = usize::from(leaving) + usize::from(overdue);
        (calls, calls * QUERY_UNITS as usize)
    }

    /// What these groups are called: those of them that are there.
    pub(super) async fn group_names(
        &self,
        call: Call<'_>,
        ids: &BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, GroupName>, Error> {
        let known = || call.reads.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<ResourceId> = {
            let known = known();
            ids.iter().filter(|id| !known.contains_key(*id)).cloned().collect()
        };
        if !new.is_empty() {
            let mut names = self.store.group_names(&call.tenant.key(), &new).await?;
            known().extend(new.into_iter().map(|id| {
                let name = names.remove(&id).map(GroupName);
                (id, name)
            }));
        }
        let known = known();
        Ok(ids.iter().filter_map(|id| Some((id.clone(), known.get(id)?.clone()?))).collect())
    }
}

/// Those who are gone for everybody, though rows of members name them still.
#[derive(Debug)]
pub(super) struct Gone<'c> {
    leaving: &'c BTreeSet<ResourceId>,
    overdue: BTreeSet<&'c ResourceId>,
}

impl Gone<'_> {
    /// Whether nobody is.
    pub(super) fn is_empty(&self) -> bool {
        self.leaving.is_empty() && self.overdue.is_empty()
    }

    /// Whether this is one of them.
    pub(super) fn contains(&self, id: &ResourceId) -> bool {
        self.leaving.contains(id) || self.overdue.contains(id)
    }
}
