//! Resyncs: rows are touched, and the product hears through the table's stream what they hold.
//!
//! A resync is a row of the table, which tells the product that it begins, and with the number of
//! touched rows that it has finished. The row also keeps how far the resync has come, so that an
//! interrupted one continues.

mod position;
mod report;
mod walk;

use std::time::Duration;

use scim_core::ResourceId;

use super::deployment::Operator;
use super::error::OperatorError;
use crate::store::{
    Collection, Kind, Operation, Resync, ResyncCounts, ResyncScope, TenantKey, TenantRow,
};
use crate::tenant::Profile;
pub use report::{ResyncProgress, ResyncReport};
use walk::Walk;

/// Maximum number of ids that one resync names: its events stay small.
pub const MAX_IDS: usize = 100;
/// How long a resync waits after its beginning before it touches rows. A consumer compares times in
/// whole seconds: what it heard of later than the beginning is not dropped at the end.
const SETTLE: Duration = Duration::from_secs(2);
/// How long after its last progress was stored an interrupted resync can be continued, in seconds:
/// less than the five minutes after which a consumer gives it up.
const CONTINUED_FOR: i64 = 4 * 60;

impl Operator {
    /// Has the product told what the tenant's directory holds. `progress` is called as rows are
    /// touched.
    ///
    /// Each row that is in the directory from the beginning to the end makes a snapshot. Versions
    /// and times stay as they are.
    ///
    /// # Errors
    /// If the scope names no id or more than [`MAX_IDS`], or if the table does not answer for
    /// minutes; [`Operator::continue_resync`] then continues.
    pub async fn resync(
        &self,
        tenant: &TenantRow,
        scope: &ResyncScope,
        progress: impl Fn(ResyncProgress),
    ) -> Result<ResyncReport, OperatorError> {
        let scope = self.spelled(&tenant.key(), scope).await?;
        let resync = self.begin_resync(tenant, scope).await?;
        self.walk(tenant, resync, &progress).await
    }

    /// Like [`Operator::resync`], but continues the last resync of the same scope if it was
    /// interrupted in the last four minutes. The rows that it has shown before are not shown again,
    /// and the counts are those of both calls.
    ///
    /// # Errors
    /// As for [`Operator::resync`].
    pub async fn continue_resync(
        &self,
        tenant: &TenantRow,
        scope: &ResyncScope,
        progress: impl Fn(ResyncProgress),
    ) -> Result<ResyncReport, OperatorError> {
        let scope = self.spelled(&tenant.key(), scope).await?;
        let (resync, is_continued) = match self.interrupted(&tenant.key(), &scope).await? {
            Some(resync) => (resync, true),
            None => (self.begin_resync(tenant, scope).await?, false),
        };
        let report = self.walk(tenant, resync, &progress).await?;
        Ok(ResyncReport { is_continued, ..report })
    }

    /// Touches what a resync has not touched yet.
    async fn walk(
        &self,
        tenant: &TenantRow,
        resync: Resync,
        progress: &impl Fn(ResyncProgress),
    ) -> Result<ResyncReport, OperatorError> {
        let key = tenant.key();
        if resync.position.is_none() {
            self.pause.wait(SETTLE).await;
        }
        let mut walk = Walk::new(self, key.clone(), resync)?;
        walk.run(progress).await?;
        let resync = self.finish_resync(&key, walk.into_resync()).await?;
        let Resync { id, counts, scope, .. } = resync;
        let missing = match scope {
            ResyncScope::Users(ids) => (ids.len() as u64).saturating_sub(counts.users),
            ResyncScope::Groups(ids) => (ids.len() as u64).saturating_sub(counts.groups),
            ResyncScope::All | ResyncScope::Since(_) => 0,
        };
        Ok(ResyncReport { id, counts, missing, is_continued: false })
    }

    /// The scope with its ids in order, each once, and spelled as the directory has them.
    async fn spelled(
        &self,
        tenant: &TenantKey,
        scope: &ResyncScope,
    ) -> Result<ResyncScope, OperatorError> {
        let (kind, ids) = match scope {
            ResyncScope::All | ResyncScope::Since(_) => return Ok(scope.clone()),
            ResyncScope::Users(ids) => (Kind::User, ids),
            ResyncScope::Groups(ids) => (Kind::Group, ids),
        };
        if ids.is_empty() || ids.len() > MAX_IDS {
            return Err(OperatorError::Unexpected("a resync names 1 to 100 ids, or everything"));
        }
        let collection = Collection { tenant: tenant.clone(), kind };
        let now = self.clock.seconds();
        let known = async || self.store.touchable_by_ids(&collection, ids, now).await;
        let known = self.patiently(known).await?;
        let spelled = |id: &ResourceId| {
            let known = known.iter().find(|known| known.id == *id);
            known.map_or(id, |known| &known.id).clone()
        };
        let mut ids: Vec<ResourceId> = ids.iter().map(spelled).collect();
        ids.sort();
        ids.dedup();
        Ok(match collection.kind {
            Kind::Group => ResyncScope::Groups(ids),
            Kind::User | Kind::Other(_) => ResyncScope::Users(ids),
        })
    }

    /// The last resync of this scope, if it was interrupted a short time ago.
    async fn interrupted(
        &self,
        tenant: &TenantKey,
        scope: &ResyncScope,
    ) -> Result<Option<Resync>, OperatorError> {
        let since = self.clock.seconds() - CONTINUED_FOR;
        let resyncs = self.patiently(async || self.store.resyncs(tenant).await).await?.into_iter();
        let same = resyncs.filter(|resync| serves(&resync.scope, scope));
        let last = same.max_by_key(|resync| resync.begun);
        Ok(last.filter(|resync| resync.finished.is_none() && resync.saved > since))
    }

    /// Writes the row of a new resync, which the product hears of.
    async fn begin_resync(
        &self,
        tenant: &TenantRow,
        scope: ResyncScope,
    ) -> Result<Resync, OperatorError> {
        let profile = Profile::read(&tenant.profile)?;
        let audit = self.audit_under(&profile, Operation::Resync);
        let resync = Resync {
            id: uuid::Uuid::now_v7().to_string(),
            scope,
            begun: audit.now,
            counts: ResyncCounts::default(),
            position: None,
            saved: audit.now,
            finished: None,
        };
        let key = tenant.key();
        let begin = async || self.store.begin_resync(&key, &resync, &audit).await;
        // After a lost answer the second try finds the row of the first one.
        self.patiently(begin).await?;
        Ok(resync)
    }

    /// Writes that a resync has finished, which the product hears of.
    async fn finish_resync(
        &self,
        tenant: &TenantKey,
        resync: Resync,
    ) -> Result<Resync, OperatorError> {
        let now = self.clock.seconds();
        let finished = Resync { finished: Some(now), saved: now, ..resync };
        let saved =
            self.patiently(async || self.store.save_resync(tenant, &finished).await).await?;
        if saved {
            return Ok(finished);
        }
        // Another call was faster, or the answer to an earlier try was lost.
        let resyncs = self.patiently(async || self.store.resyncs(tenant).await).await?.into_iter();
        let stored = resyncs.filter(|stored| stored.finished.is_some());
        let stored = stored.into_iter().find(|stored| stored.id == finished.id);
        stored.ok_or(OperatorError::Unexpected("the row of the resync is gone"))
    }
}

/// Whether a resync of one scope can be continued for another one. "An hour ago" is a little later
/// when the same command is run again; then the earlier time covers more.
fn serves(begun: &ResyncScope, wanted: &ResyncScope) -> bool {
    match (begun, wanted) {
        (ResyncScope::Since(begun), ResyncScope::Since(wanted)) => {
            (0..=CONTINUED_FOR).contains(&wanted.saturating_sub(*begun))
        }
        (begun, wanted) => begun == wanted,
    }
}
