//! A resync from the first row to the last.

use scim_core::ResourceId;

use super::position::{Position, Stage};
use super::report::ResyncProgress;
use crate::operator::deployment::Operator;
use crate::operator::error::OperatorError;
use crate::store::{
    Collection, Kind, Resync, ResyncCounts, ResyncScope, TenantKey, Touchable, TouchablePage,
};

/// How many rows are touched before the position is stored. After an interruption at most as many
/// are touched twice, which makes no second snapshot.
const SAVE_EVERY: u64 = 200;

/// Touches the rows of a resync in its scope.
pub(super) struct Walk<'o> {
    operator: &'o Operator,
    tenant: TenantKey,
    resync: Resync,
    position: Position,
    /// Rows that were touched since the position was stored.
    unsaved: u64,
    /// How many rows are expected.
    expected: u64,
}

impl<'o> Walk<'o> {
    pub(super) fn new(
        operator: &'o Operator,
        tenant: TenantKey,
        resync: Resync,
    ) -> Result<Self, OperatorError> {
        let position = match &resync.position {
            Some(text) => Position::read(text)?,
            None => Position::begin(Stage::Users),
        };
        Ok(Self { operator, tenant, resync, position, unsaved: 0, expected: 0 })
    }

    /// The resync with what it has touched.
    pub(super) fn into_resync(self) -> Resync {
        self.resync
    }

    /// Touches everything that is left.
    pub(super) async fn run(
        &mut self,
        progress: &impl Fn(ResyncProgress),
    ) -> Result<(), OperatorError> {
        if self.resync.scope == ResyncScope::All {
            for kind in [Kind::User, Kind::Group] {
                let (store, collection) = (&self.operator.store, self.collection(kind));
                let count = self.operator.patiently(async || store.count(&collection).await);
                self.expected += count.await? as u64;
            }
        }
        for stage in self.stages().await? {
            if self.position.stage > stage {
                continue;
            }
            if self.position.stage < stage {
                self.position = Position::begin(stage.clone());
            }
            match stage {
                Stage::Users => self.resources(Kind::User, progress).await?,
                Stage::Groups => self.resources(Kind::Group, progress).await?,
                Stage::Others(name) => self.resources(Kind::Other(name), progress).await?,
                Stage::Members => self.members(progress).await?,
            }
        }
        Ok(())
    }

    /// The stages of the scope, in order.
    async fn stages(&self) -> Result<Vec<Stage>, OperatorError> {
        Ok(match &self.resync.scope {
            ResyncScope::Users(_) => vec![Stage::Users, Stage::Members],
            ResyncScope::Groups(_) => vec![Stage::Groups, Stage::Members],
            ResyncScope::All | ResyncScope::Since(_) => {
                let others = async || self.operator.store.other_kinds(&self.tenant).await;
                let others = self.operator.patiently(others).await?;
                let kinds = [Kind::User, Kind::Group].into_iter().chain(others);
                kinds.map(Stage::of).chain([Stage::Members]).collect()
            }
        })
    }

    fn collection(&self, kind: Kind) -> Collection {
        Collection { tenant: self.tenant.clone(), kind }
    }

    /// Touches the resources of one kind.
    async fn resources(
        &mut self,
        kind: Kind,
        progress: &impl Fn(ResyncProgress),
    ) -> Result<(), OperatorError> {
        let collection = self.collection(kind);
        loop {
            let page = self.page(&collection).await?;
            let rows: Vec<_> = page.rows.into_iter().filter(|row| self.covers(row)).collect();
            self.expected += rows.iter().map(|row| row.members as u64).sum::<u64>();
            let touched = self.touch(rows).await?;
            *count_of(&mut self.resync.counts, &collection.kind) += touched;
            self.report(touched, progress);
            let Some(next) = page.next else { return Ok(()) };
            self.position.after = Some(next);
            self.save().await?;
        }
    }

    /// The next resources of a collection; of listed ids, all at once.
    async fn page(&self, collection: &Collection) -> Result<TouchablePage, OperatorError> {
        let (store, now) = (&self.operator.store, self.operator.clock.seconds());
        let after = self.position.after.as_deref();
        let page = async || match &self.resync.scope {
            ResyncScope::All | ResyncScope::Since(_) => {
                store.touchable(collection, after, now).await
            }
            ResyncScope::Users(ids) | ResyncScope::Groups(ids) => {
                let rows = store.touchable_by_ids(collection, ids, now).await?;
                Ok(TouchablePage { rows, next: None })
            }
        };
        self.operator.patiently(page).await
    }

    /// Touches the memberships of the users or groups in the scope.
    async fn members(&mut self, progress: &impl Fn(ResyncProgress)) -> Result<(), OperatorError> {
        if let ResyncScope::Users(ids) | ResyncScope::Groups(ids) = &self.resync.scope {
            let after = self.position.after.as_deref();
            let done = ids.iter().position(|id| Some(id.as_str()) == after);
            let rest = ids.iter().skip(done.map_or(0, |done| done + 1)).cloned();
            for id in rest.collect::<Vec<_>>() {
                self.memberships(&id, progress).await?;
                self.position.after = Some(id.as_str().to_owned());
                self.save().await?;
            }
            return Ok(());
        }
        let groups = self.collection(Kind::Group);
        // A group may have been created before the one that an interruption left half done.
        if let Some(id) = self.position.open.as_ref().and_then(|(id, _)| id.parse().ok()) {
            self.memberships(&id, progress).await?;
            self.position.after = Some(groups.behind(&id));
        }
        loop {
            let page = self.page(&groups).await?;
            let rows = page.rows.into_iter().filter(|group| group.members > 0);
            for group in rows.filter(|group| self.covers(group)).collect::<Vec<_>>() {
                self.memberships(&group.id, progress).await?;
                self.position.after = Some(groups.behind(&group.id));
                self.save().await?;
            }
            let Some(next) = page.next else { return Ok(()) };
            self.position.after = Some(next);
        }
    }

    /// Touches the members of a group, or the memberships of a user.
    async fn memberships(
        &mut self,
        id: &ResourceId,
        progress: &impl Fn(ResyncProgress),
    ) -> Result<(), OperatorError> {
        loop {
            let store = &self.operator.store;
            let after = self.position.within(id);
            let page = async || match &self.resync.scope {
                ResyncScope::Users(_) => store.touchable_memberships(&self.tenant, id, after).await,
                _ => store.touchable_members(&self.tenant, id, after).await,
            };
            let page = self.operator.patiently(page).await?;
            let touched = self.touch(page.rows).await?;
            self.resync.counts.members += touched;
            self.report(touched, progress);
            self.position.open = page.next.map(|next| (id.folded(), next));
            if self.position.open.is_none() {
                return Ok(());
            }
            self.save().await?;
        }
    }

    /// Whether a row is in the scope.
    fn covers(&self, row: &Touchable) -> bool {
        match self.resync.scope {
            ResyncScope::Since(since) => row.changed >= since.saturating_mul(1_000),
            ResyncScope::All | ResyncScope::Users(_) | ResyncScope::Groups(_) => true,
        }
    }

    /// Touches these rows, and returns how many there still were.
    async fn touch(&self, rows: Vec<Touchable>) -> Result<u64, OperatorError> {
        let Operator { store, clock, .. } = self.operator;
        let touch = async || store.touch(rows.clone(), &self.resync.id, clock.seconds()).await;
        self.operator.patiently(touch).await
    }

    /// Reports that more rows are done.
    fn report(&mut self, touched: u64, progress: &impl Fn(ResyncProgress)) {
        self.unsaved += touched;
        let ResyncCounts { users, groups, members, resources } = self.resync.counts;
        let touched = users + groups + members + resources;
        progress(ResyncProgress { touched, expected: self.expected.max(touched) });
    }

    /// Stores the position and the counts, which fit together, now and then.
    async fn save(&mut self) -> Result<(), OperatorError> {
        if self.unsaved < SAVE_EVERY {
            return Ok(());
        }
        let Operator { store, clock, .. } = self.operator;
        self.resync.position = Some(self.position.write()?);
        self.resync.saved = clock.seconds();
        let save = async || store.save_resync(&self.tenant, &self.resync).await;
        if !self.operator.patiently(save).await? {
            return Err(OperatorError::Unexpected("another command has finished this resync"));
        }
        self.unsaved = 0;
        Ok(())
    }
}

/// The number of touched rows of a kind.
fn count_of<'c>(counts: &'c mut ResyncCounts, kind: &Kind) -> &'c mut u64 {
    match kind {
        Kind::User => &mut counts.users,
        Kind::Group => &mut counts.groups,
        Kind::Other(_) => &mut counts.resources,
    }
}
