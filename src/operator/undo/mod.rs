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
use crate::store::TenantRow;

pub use self::plan::{
    Comeback, GroupFate, LaterChange, Named, Obstacle, PlannedGroup, PlannedUser, UndoFailure,
    UndoPlan, UndoReport, UndoRequest, UserFate,
};

impl Operator {
    /// What an undo would do: nothing is written. It reads the log from the beginning of the span
    /// to now, page by page, and then what is there of the users and groups that it names.
    ///
    /// # Errors
    /// If the span ends before it begins, or the table does not respond.
    pub async fn plan_undo(
        &self,
        tenant: &TenantRow,
        request: &UndoRequest,
    ) -> Result<UndoPlan, OperatorError> {
        let until = request.until.unwrap_or_else(|| self.clock.milliseconds() + 1);
        if until < request.since {
            return Err(OperatorError::Unexpected("the span ends before it begins"));
        }
        let key = tenant.key();
        let labels = self.labels(&key).await?;
        let actors = request.by.as_ref().map(|by| actors(by, &labels));
        let selection = Selection { since: request.since, until, actors };
        let trails = self.undo_trails(tenant, &selection).await?;
        let session = Session::open(self, tenant).await?;
        let present = Reader::new(self, &session, &trails).present(labels).await?;
        let (users, groups) = Judge { trails: &trails, present: &present }.plan();
        let seats = self.store.seats(&key).await?;
        let free_seats = seats.and_then(|seats| {
            let free = seats.finite_limit()?.saturating_sub(seats.used);
            Some(usize::try_from(free).unwrap_or_default())
        });
        let request = UndoRequest { until: Some(until), ..request.clone() };
        Ok(UndoPlan { request, users, groups, free_seats })
    }
}

/// The actors whom a key id, a label or `operator` names.
fn actors(by: &str, labels: &BTreeMap<String, String>) -> BTreeSet<String> {
    let labelled = labels.iter().filter(|(_, label)| *label == by).map(|(key, _)| key.clone());
    labelled.chain([by.to_owned()]).collect()
}
