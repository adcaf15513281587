//! The directory, and the context of a request: on whose behalf it acts, by when it must end, and
//! what it has already read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use scim_core::{Dialect, ResourceId};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::store::{Audit, Collection, Guards, Kind, Operation, Store};
use crate::tenant::Tenant;
use crate::tenant::profile::Profile;

/// The minimum time between the end of the work and the deadline of the request.
const TIME_TO_ANSWER: Duration = Duration::from_millis(500);

/// The resources of all tenants.
#[derive(Debug)]
pub struct Directory {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) retention: Duration,
    audit_retention: Duration,
}

impl Directory {
    /// A directory in `store`. It keeps deleted users for `retention` and the log for
    /// `audit_retention`, unless the profile of a tenant says otherwise.
    pub fn new(store: Store, clock: Clock, retention: Duration, audit_retention: Duration) -> Self {
        Self { store, clock, retention, audit_retention }
    }

    /// What the log says about a change that this call makes now.
    pub(super) fn audit(&self, call: Call<'_>, operation: Operation) -> Audit {
        let kept = call.tenant.profile.audit.retention_days.map_or(self.audit_retention, days);
        let now = self.clock.milliseconds();
        Audit::new(operation, call.actor, call.request_id, now, kept)
    }

    /// The limits that the tenant's profile sets for a write.
    pub(super) fn guards(&self, call: Call<'_>) -> Guards {
        let profile = &call.tenant.profile;
        Guards {
            seats: profile.seats.limit.is_some(),
            unique_external_id: profile.attributes.unique_external_id,
            brake_window: profile.brake.is_set().then(|| brake_window(profile)),
        }
    }
}

/// For whom a request acts, and how much time it has.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The tenant that owns the resources.
    pub tenant: &'a Tenant,
    /// The actor as the log names it: the key id of a token, or `operator`.
    pub actor: &'a str,
    /// The id of the request, as the log names it.
    pub request_id: &'a str,
    /// The base URL with which the locations of resources begin.
    pub base_url: &'a str,
    /// When the request is ended, whatever it is doing.
    pub deadline: Instant,
    /// When to stop work that another request can continue, so that the answer is in time.
    pub soft_deadline: Instant,
    /// What the request has already read.
    pub reads: &'a RequestReads,
}

impl Call<'_> {
    /// When the work of the request must end, so that its answer comes before the deadline.
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

/// Data that one request reads only once, however often it needs it.
#[derive(Debug, Default)]
pub struct RequestReads {
    /// Resources that were deleted but still have memberships.
    pub(super) leaving: OnceCell<BTreeSet<ResourceId>>,
    /// Users who have expired but are not erased yet.
    pub(super) overdue: OnceCell<Vec<ResourceId>>,
    /// The groups that were asked for; `None` for a group that does not exist.
    pub(super) groups: Mutex<BTreeMap<ResourceId, Option<GroupName>>>,
}

impl RequestReads {
    /// Records that all users who have expired are erased.
    pub(super) fn nobody_is_overdue(&self) {
        // A list that was read earlier is kept.
        let _ = self.overdue.set(Vec::new());
    }
}

/// The displayName of a group, if it has one.
#[derive(Debug, Clone)]
pub(super) struct GroupName(pub(super) Option<String>);

/// The window in which the brake counts deactivations.
pub(super) fn brake_window(profile: &Profile) -> Duration {
    Duration::from_secs(u64::from(profile.brake.window_minutes) * 60)
}

/// This number of days.
pub(super) fn days(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * 24 * 60 * 60)
}

/// A duration in whole seconds, for adding to a time in seconds since 1970.
pub(super) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
