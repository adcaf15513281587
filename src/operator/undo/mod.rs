//! Bringing back what was deleted, deactivated or taken out of groups in a span of time.
//!
//! `trail.rs` and `course.rs` take in the rows of the log, one after the other; `judge.rs` compares what they tell
//! with what is there now. Neither reads or writes anything: `read.rs` and `write.rs` do.
//!
//! An undo keeps no record of its progress: what it has brought back needs nothing when it is
//! planned again. So an interrupted one is simply started again, and two at once do no harm.

mod course;
mod judge;
mod plan;
mod read;
mod selection;
#[cfg(test)]
mod tests;
mod trail;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use self::judge::Judge;
use self::read::Reader;
use self::selection::Selection;
use super::deployment::Operator;
use super::error::OperatorError;
use super::session::Session;
use crate::store::{LogRange, LogRow, OPERATOR, Operation, Subject, TenantKey, TenantRow};

pub use self::plan::{
    Comeback, GroupFate, LaterChange, Named, Obstacle, PlannedGroup, PlannedUser, RaisedBefore,
    UndoCounts, UndoFailure, UndoHeld, UndoPlan, UndoReport, UndoRequest, UndoStopped, UserFate,
};

impl Operator {
    /// What an undo would do: nothing is written. It reads the log from the beginning of the span
    /// to now, page by page, and then what is there of the users and groups that it names.
    ///
    /// Without an end, the span ends with the second of the newest row of the log that is undone,
    /// whose clock may differ from that of the caller.
    ///
    /// # Errors
    /// [`OperatorError::UnknownActor`] if no token has this key id or label, and the log has no such
    /// key id since the beginning of the span; if the span ends before it begins; or if
    /// the table does not respond.
    pub async fn plan_undo(
        &self,
        tenant: &TenantRow,
        request: &UndoRequest,
    ) -> Result<UndoPlan, OperatorError> {
        if request.until.is_some_and(|until| until < request.since) {
            return Err(OperatorError::Unexpected("the span ends before it begins"));
        }
        let key = tenant.key();
        let labels = self.labels(&key).await?;
        let actors = request.by.as_ref().map(|by| actors(by, &labels));
        let until = request.until.unwrap_or(i64::MAX);
        let selection = Selection { since: request.since, until, actors };
        let trails = self.undo_trails(tenant, &selection).await?;
        let Selection { actors, .. } = selection;
        if !trails.knows_actor {
            self.require_actors(tenant, actors.iter().flatten()).await?;
        }
        let session = Session::open(self, tenant).await?;
        let present = Reader::new(self, &session, &trails).present(labels).await?;
        let (users, groups) = Judge { trails: &trails, present: &present }.plan();
        let free_seats = self.free_seats(&key).await?;
        let newest = trails.newest_selected.unwrap_or(trails.newest);
        let until = request.until.unwrap_or_else(|| end_of_second(newest));
        let request = UndoRequest { until: Some(until.max(request.since)), ..request.clone() };
        let log_begins = self.log_begins(tenant, request.since).await?;
        Ok(UndoPlan { request, actors, log_begins, users, groups, free_seats })
    }
}

impl Operator {
    /// When the log begins, in milliseconds since 1970; `None` if it has all since `since`.
    async fn log_begins(
        &self,
        tenant: &TenantRow,
        since: i64,
    ) -> Result<Option<i64>, OperatorError> {
        let kept = self.clock.milliseconds().saturating_sub(self.log_kept(tenant));
        let range = LogRange { from: 0, until: i64::MAX, newest_first: false, after: None };
        let now = self.clock.seconds();
        let oldest = self.store.log(&tenant.key(), &range, 1, now).await?.rows.into_iter().next();
        // The row of the tenant's creation is the first one that there ever was.
        let is_first = |row: &LogRow| {
            row.subject == Some(Subject::Tenant) && row.operation == Operation::Create.as_str()
        };
        let oldest = oldest.filter(|row| !is_first(row));
        let begins = oldest.map_or(kept, |row| row.milliseconds.max(kept));
        Ok(Some(begins).filter(|begins| *begins > since))
    }

    /// How many seats are free; `None` if they are not limited.
    async fn free_seats(&self, tenant: &TenantKey) -> Result<Option<usize>, OperatorError> {
        let seats = self.store.seats(tenant).await?;
        Ok(seats.and_then(|seats| {
            let free = seats.finite_limit()?.saturating_sub(seats.used);
            Some(usize::try_from(free).unwrap_or_default())
        }))
    }

    /// Requires actors to be the operator or tokens of the tenant, if the log has nothing of them.
    async fn require_actors(
        &self,
        tenant: &TenantRow,
        actors: impl Iterator<Item = &String>,
    ) -> Result<(), OperatorError> {
        let tokens = self.tokens(tenant).await?;
        let is_known =
            |actor: &String| actor == OPERATOR || tokens.iter().any(|token| token.key_id == *actor);
        let unknown = actors.into_iter().find(|actor| !is_known(actor));
        unknown.map_or(Ok(()), |actor| Err(OperatorError::UnknownActor(actor.clone())))
    }
}

/// The actors whom a key id, a label or `operator` names.
fn actors(by: &str, labels: &BTreeMap<String, String>) -> BTreeSet<String> {
    let labelled = labels.iter().filter(|(_, label)| *label == by).map(|(key, _)| key.clone());
    let labelled: BTreeSet<String> = labelled.filter(|_| by != OPERATOR).collect();
    if labelled.is_empty() { BTreeSet::from([by.to_owned()]) } else { labelled }
}

/// The beginning of the next second, so that times in whole seconds name the same span.
fn end_of_second(milliseconds: i64) -> i64 {
    milliseconds.div_euclid(1_000).saturating_add(1).saturating_mul(1_000)
}
