//! What a request carries through the directory: on whose behalf it acts, and what it has read
//! already.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scim_core::{Dialect, Error, ResourceId};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::Directory;
use crate::budget::QUERY_UNITS;
use crate::store::{Collection, Kind};
use crate::tenant::{Tenant, unanswered};

/// On whose behalf something is done, and under which names the log shall know it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Whose directory.
    pub tenant: &'a Tenant,
    /// A token's key id, or the operator.
    pub by: &'a str,
    /// The id of the request.
    pub request: &'a str,
    /// What the locations of resources begin with.
    pub base_url: &'a str,
    /// When the request is ended, whatever it does.
    pub deadline: Instant,
    /// When work that another request can go on with is broken off: an answer must come in time.
    pub until: Instant,
    /// What the request has read already.
    pub reads: &'a RequestReads,
}

/// What is left until the request is ended, at least, once its work is.
const TIME_TO_ANSWER: Duration = Duration::from_millis(500);

impl Call<'_> {
    /// When the work of the request ends at the latest, so that its answer comes before the
    /// deadline.
    pub fn answer_by(&self) -> Instant {
        self.deadline - TIME_TO_ANSWER
    }

    pub(super) fn collection(&self, kind: &Kind) -> Collection {
        Collection { tenant: self.tenant.key(), kind: kind.clone() }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.tenant.profile.dialect()
    }
}

/// What one request reads once, however often it needs it.
#[derive(Debug, Default)]
pub struct RequestReads {
    /// Those who were deleted, and whose memberships are still there.
    leaving: OnceCell<BTreeSet<ResourceId>>,
    /// Users whose time has come, and who are not erased yet.
    overdue: OnceCell<Vec<ResourceId>>,
    /// The groups that were asked for: `None` for one that is not there.
    groups: Mutex<BTreeMap<ResourceId, Option<GroupName>>>,
}

impl RequestReads {
    /// Notes that all users whose time has come are erased.
    pub(super) fn nobody_is_overdue(&self) {
        // A list that was read earlier stays.
        let _ = self.overdue.set(Vec::new());
    }
}

/// What a group is called.
#[derive(Debug, Clone)]
pub(super) struct GroupName(pub(super) Option<String>);

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
        let due: BTreeSet<ResourceId> =
            due.map_err(unanswered)?.into_iter().map(|(_, id)| id).collect();
        Ok(overdue.iter().filter(|id| !due.contains(*id)).count())
    }

    /// Whether somebody is gone for everybody, though rows of members name them still.
    pub(super) async fn gone<'c>(&self, call: Call<'c>) -> Result<Gone<'c>, Error> {
        let leaving = async {
            let read =
                || async { self.store.leaving(&call.tenant.key()).await.map_err(unanswered) };
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
            let mut names =
                self.store.group_names(&call.tenant.key(), &new).await.map_err(unanswered)?;
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
