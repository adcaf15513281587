//! What one instance of the function knows about a tenant, whichever secret it is in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::decision::LookupBudget;
use super::knowledge::Knowledge;
use crate::store::{SecretNumber, TenantCode};

/// A tenant's budget of lookups, and what is known about its record.
#[derive(Debug)]
pub(super) struct TenantKnowledge {
    tenant: TenantCode,
    budget: Arc<Mutex<LookupBudget>>,
    /// The record in the secret that the tenant's row named last.
    latest: Mutex<Option<(SecretNumber, Arc<Knowledge>)>>,
    /// Held while the tenant's row is read again, so that one read serves all that wait.
    pub(super) row_read: tokio::sync::Mutex<()>,
}

impl TenantKnowledge {
    pub(super) fn new(tenant: TenantCode, now: i64) -> Self {
        let budget = Arc::new(Mutex::new(LookupBudget::full(now)));
        Self { tenant, budget, latest: Mutex::default(), row_read: tokio::sync::Mutex::default() }
    }

    /// What is known about the record in a secret; `lookups` lookups have begun.
    pub(super) fn of(&self, secret: SecretNumber, lookups: u64) -> Arc<Knowledge> {
        let mut latest = locked(&self.latest);
        if let Some((_, knowledge)) = latest.as_ref().filter(|(number, _)| *number == secret) {
            return knowledge.clone();
        }
        let (tenant, budget) = (self.tenant.clone(), self.budget.clone());
        let knowledge = Arc::new(Knowledge::new(tenant, lookups, budget));
        // A tenant moves to greater numbers only. A request that began before a move may still ask
        // for the smaller one.
        if latest.as_ref().is_none_or(|(number, _)| *number < secret) {
            *latest = Some((secret, knowledge.clone()));
        }
        knowledge
    }

    /// Takes one lookup from the budget; `false` if none is left.
    pub(super) fn spend(&self, now: i64) -> bool {
        let mut budget = locked(&self.budget);
        let allowed = budget.allows(now);
        if allowed {
            budget.spend();
        }
        allowed
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
