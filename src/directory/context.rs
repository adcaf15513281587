//! What a request carries through the directory: on whose behalf it acts, and what it has read
//! already.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use scim_core::{Dialect, ResourceId};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::store::{Audit, Collection, Guards, Kind, Operation, Store};
use crate::tenant::Tenant;

/// The resources of all tenants.
#[derive(Debug)]
pub struct Directory {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) retention: Duration,
    pub(super) audit_retention: Duration,
}

impl Directory {
    /// A directory in `store`; deleted users are kept for `retention`, the log for
    /// `audit_retention`.
    pub fn new(store: Store, clock: Clock, retention: Duration, audit_retention: Duration) -> Self {
        Self { store, clock, retention, audit_retention }
    }

    pub(super) fn audit(&self, call: Call<'_>, operation: Operation) -> Audit {
        let profile = &call.tenant.profile;
        let days = profile.audit.retention_days;
        let kept =
            days.map_or(self.audit_retention, |days| Duration::from_secs(u64::from(days) * 86_400));
        Audit::new(operation, call.by, call.request, self.clock.milliseconds(), kept)
    }

    /// The limits that the tenant's profile sets to a write.
    pub(super) fn guards(&self, call: Call<'_>) -> Guards {
        let profile = &call.tenant.profile;
        let window = || Duration::from_secs(u64::from(profile.brake.window_minutes) * 60);
        Guards {
            seats: profile.seats.limit.is_some(),
            unique_external_id: profile.attributes.unique_external_id,
            brake_window: profile.brake.is_set().then(window),
        }
    }
}

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
    pub(super) leaving: OnceCell<BTreeSet<ResourceId>>,
    /// Users whose time has come, and who are not erased yet.
    pub(super) overdue: OnceCell<Vec<ResourceId>>,
    /// The groups that were asked for: `None` for one that is not there.
    pub(super) groups: Mutex<BTreeMap<ResourceId, Option<GroupName>>>,
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
