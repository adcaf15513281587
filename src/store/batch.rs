//! Many new resources at once: for an operator who fills a table, as fast as its engine allows.

use std::collections::BTreeSet;

use scim_core::resource::Attributes;

use super::keys::Collection;
use super::log::{self, Audit};
use super::members::MAX_ACTIONS;
use super::put::Put;
use super::resources::{State, activity};
use super::transaction::{Transaction, TransactionResult};
use super::transition::{ResourceWrite, unheld};
use super::{Store, StoreError, counters};

/// What became of the first of many new resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// How many of them the transaction was about.
    pub taken: usize,
    /// Whether they are stored: all of them, or none, if one of their names is taken.
    pub stored: bool,
}

impl Store {
    /// Stores the first of these new resources, live or unmanaged, as many as fit one transaction:
    /// the same rows as [`Store::commit`] writes, but the counters of all together: one action if
    /// they are in the order of their sort keys. They are users, or of a type without members. One
    /// call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn create_first(
        &self,
        collection: &Collection,
        new: &[ResourceWrite<'_>],
        state: State,
        audit: &Audit,
    ) -> Result<Batch, StoreError> {
        let mut transaction = Transaction::on(self);
        let mut taken = 0;
        let mut counted = BTreeSet::new();
        for new in new {
            counted.insert(counters::row(collection, &new.resource.id));
            if transaction.len() + most_actions(new) + counted.len() > MAX_ACTIONS {
                break;
            }
            let put = Put {
                collection,
                write: *new,
                state,
                from: None,
                audit,
                unique_external_id: false,
            };
            put.add(&mut transaction, unheld(audit.now))?;
            let changes =
                log::changes(&collection.tenant, &Attributes::default(), &new.resource.attributes);
            log::add(
                &mut transaction,
                &collection.tenant,
                audit,
                &new.resource.id,
                Some(1),
                &changes,
            )?;
            taken += 1;
        }
        let some = new.iter().take(taken);
        if state == State::Live {
            counters::add(
                &mut transaction,
                collection,
                some.map(|new| (&new.resource.id, 1, activity(new.resource))),
            )?;
        }
        let stored = matches!(transaction.commit(self).await?, TransactionResult::Committed);
        Ok(Batch { taken, stored })
    }
}

/// Row, claim, externalId and log, and what else its names take.
fn most_actions(new: &ResourceWrite<'_>) -> usize {
    4 + new.names.emails.len() + new.names.unique.len()
}
