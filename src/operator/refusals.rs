//! What identity providers were refused, and what cures it: the answer to "why are they not in?".

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use scim_core::ResourceId;
use uuid::{NoContext, Timestamp, Uuid};

use super::deployment::Operator;
use super::error::OperatorError;
use crate::reason::{Idp, Reason};
use crate::store::{RefusalBatch, RefusedRequest, Stored, TenantKey, TenantRow};
use crate::tenant::Profile;

/// How many rows one call reads.
const ROWS_OF_A_CALL: usize = 100;

/// Which refusals are asked for.
#[derive(Debug, Clone)]
pub struct RefusalQuery {
    /// Only those that happened at or after this time, in seconds since 1970.
    pub since: Option<i64>,
    /// Only those about this person or group: an id, a userName, an externalId or a displayName.
    pub about: Option<String>,
    /// Maximum number of refusals.
    pub limit: usize,
}

/// How far back refusals are looked for, and how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct RefusalSpan {
    pub(super) since: Option<i64>,
    pub(super) limit: usize,
}

/// A refused request, or several equal ones, and what cures it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was refused.
    pub request: RefusedRequest,
    /// Why, in general; `None` if a newer release has written a code that this one does not know.
    pub reason: Option<Reason>,
    /// The tenant's identity provider.
    pub idp: Idp,
    /// The userName or displayName of the resource that it is about, if its id is known and it still
    /// exists.
    pub name: Option<String>,
}

/// Refusals, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// The refusals.
    pub refusals: Vec<Refusal>,
    /// Whether these are all that are kept.
    pub is_complete: bool,
    /// How many more requests of the same bursts were refused, of which nothing else is kept.
    pub uncounted: u64,
}

impl Refusal {
    /// What to do, and what to click in the tenant's identity provider.
    pub fn cure(&self) -> Option<String> {
        self.reason.map(|reason| reason.cure(self.idp))
    }
}

impl Operator {
    /// The refusals of a tenant, the newest first. Equal ones that follow each other are one. Those
    /// of the last second may be missing, and a person's own are found by the names that they have
    /// now and by those that the refused request had.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn refusals(
        &self,
        tenant: &TenantRow,
        query: &RefusalQuery,
    ) -> Result<Refusals, OperatorError> {
        let marks = match &query.about {
            Some(who) => {
                let users = self.users_named(tenant, who).await?;
                let groups = self.groups_named(tenant, who).await?;
                Some(marks(&tenant.key(), who, users.iter().chain(&groups)))
            }
            None => None,
        };
        let span = RefusalSpan { since: query.since, limit: query.limit };
        self.refusals_about(tenant, span, marks.as_ref()).await
    }

    /// The refusals that have one of these marks or ids, or all of them.
    ///
    /// # Errors
    /// If the table does not respond.
    pub(super) async fn refusals_about(
        &self,
        tenant: &TenantRow,
        span: RefusalSpan,
        about: Option<&BTreeSet<String>>,
    ) -> Result<Refusals, OperatorError> {
        let idp = Idp::of(Profile::read(&tenant.profile)?.dialect.idp.as_deref());
        let (mut merged, is_complete) = self.merged(tenant, span, about).await?;
        // The rows of a burst have one time, in whatever order it came.
        merged.requests.sort_by_key(|(_, request)| Reverse(request.last));
        merged.requests.truncate(span.limit);
        let names = self.names_in(tenant, &merged.requests).await?;
        let refusal = |(_, request): (_, RefusedRequest)| {
            let name = ids_in(&request).find_map(|id| names.get(&id).cloned());
            Refusal { reason: Reason::from_code(&request.code), idp, name, request }
        };
        let uncounted = if about.is_none() { merged.uncounted } else { 0 };
        let refusals = merged.requests.into_iter().map(refusal).collect();
        Ok(Refusals { refusals, is_complete, uncounted })
    }

    /// The requests that are asked for, and whether these are all.
    async fn merged(
        &self,
        tenant: &TenantRow,
        RefusalSpan { since, limit }: RefusalSpan,
        about: Option<&BTreeSet<String>>,
    ) -> Result<(Merged, bool), OperatorError> {
        let (from, now) = (first_key(since), self.clock.seconds());
        let mut merged = Merged { requests: Vec::new(), row: 0, uncounted: 0 };
        let mut after: Option<String> = None;
        loop {
            let place = (from.as_str(), after.as_deref());
            let rows = self.store.refusals(&tenant.key(), place, ROWS_OF_A_CALL, now).await?;
            let is_last = rows.len() < ROWS_OF_A_CALL;
            after = rows.last().map(|row| row.id.clone());
            rows.into_iter().for_each(|row| merged.add(row, about, since));
            let is_full = merged.requests.len() > limit;
            if is_last || is_full {
                return Ok((merged, !is_full));
            }
        }
    }

    /// The names of the users and groups that requests name by their ids.
    async fn names_in(
        &self,
        tenant: &TenantRow,
        requests: &[(usize, RefusedRequest)],
    ) -> Result<BTreeMap<ResourceId, String>, OperatorError> {
        let ids: BTreeSet<ResourceId> =
            requests.iter().flat_map(|(_, request)| ids_in(request)).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.names(&tenant.key(), ids.clone(), ids).await
    }
}

/// What refusals have in place of resources of one name, and of the name itself.
pub(super) fn marks<'s>(
    tenant: &TenantKey,
    who: &str,
    named: impl Iterator<Item = &'s Stored>,
) -> BTreeSet<String> {
    let mut marks = BTreeSet::from([tenant.mark(who)]);
    marks.extend(who.parse::<ResourceId>().ok().map(|id| id.folded().to_string()));
    for Stored { resource, .. } in named {
        marks.insert(resource.id.folded().to_string());
        let names = ["userName", "externalId", "displayName"].into_iter();
        let names = names.filter_map(|name| resource.attributes.text(name));
        marks.extend(names.map(|name| tenant.mark(name)));
    }
    marks
}

/// The ids that a request is about. The marks of names are not among them.
fn ids_in(request: &RefusedRequest) -> impl Iterator<Item = ResourceId> {
    request.about.iter().filter_map(|about| about.parse().ok())
}

/// The refusals so far, with the number of the row that the last of each came from.
struct Merged {
    requests: Vec<(usize, RefusedRequest)>,
    row: usize,
    /// How many requests the rows could not hold.
    uncounted: u64,
}

impl Merged {
    fn add(&mut self, batch: RefusalBatch, about: Option<&BTreeSet<String>>, since: Option<i64>) {
        self.row += 1;
        self.uncounted = self.uncounted.saturating_add(batch.more);
        let mut entries = batch.entries;
        entries.retain(|entry| {
            about.is_none_or(|marks| entry.about.iter().any(|mark| marks.contains(mark)))
                && since.is_none_or(|since| entry.last >= since)
        });
        entries.sort_by_key(|entry| Reverse(entry.last));
        let row = self.row;
        for entry in entries {
            let known = self.requests.iter_mut().rev();
            let mut known = known.filter(|(last, known)| last + 1 >= row && known.is_like(&entry));
            match known.next() {
                Some((last, known)) => {
                    *last = row;
                    known.absorb(entry);
                }
                None => self.requests.push((row, entry)),
            }
        }
    }
}

/// The least key of a row of this time. A row has the time of its first refusal but one key for
/// all of them, so rows shortly before it are read too.
fn first_key(since: Option<i64>) -> String {
    let seconds = since.unwrap_or_default().saturating_sub(60);
    let seconds = u64::try_from(seconds).unwrap_or_default();
    let id = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0)).to_string();
    // The time is in the first 48 bits.
    id.get(..13).unwrap_or_default().to_owned()
}
