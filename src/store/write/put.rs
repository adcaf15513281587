//! A resource's row, its due row, and the rows that lead to it.

use crate::store::engine::error::StoreError;
use crate::store::engine::item::Row;
use crate::store::engine::transaction::Condition;
use crate::store::model::audit::{Audit, OPERATOR, Operation};
use crate::store::model::change::{ResourceWrite, Transition};
use crate::store::model::collection::Collection;
use crate::store::model::departure::Departure;
use crate::store::model::stage::Stage;
use crate::store::model::stored::Stored;
use crate::store::rows::due;
use crate::store::rows::pointers::{Pointers, as_owner, name_keys, remove_old};
use crate::store::rows::resource::{self, GROUPED, OPTIONAL, departed, marked};
use crate::store::rows::role::{Role, Transaction};

/// A resource's row and the rows that lead to it, written over the existing ones.
pub(crate) struct Put<'a> {
    pub(crate) collection: &'a Collection,
    pub(crate) write: ResourceWrite<'a>,
    /// The state that the resource should have.
    pub(crate) state: Stage,
    /// The resource whose rows they replace.
    pub(crate) from: Option<&'a Stored>,
    pub(crate) audit: &'a Audit,
    pub(crate) unique_external_id: bool,
}

impl<'a> Put<'a> {
    /// The rows of a visible target; `from` is the resource without the names that it has
    /// lost.
    pub(crate) fn new(
        transition: &'a Transition<'a>,
        write: ResourceWrite<'a>,
        from: Option<&'a Stored>,
    ) -> Self {
        Self {
            collection: transition.collection,
            write,
            state: Stage::Live,
            from,
            audit: transition.audit,
            unique_external_id: transition.guards.unique_external_id,
        }
    }

    /// Adds the rows; `condition` is that on the resource's own.
    pub(crate) fn add(
        &self,
        transaction: &mut Transaction,
        condition: Condition,
    ) -> Result<(), StoreError> {
        let Self { collection, write, state, from, audit, unique_external_id } = *self;
        let ResourceWrite { resource, names, takeover, expires } = write;
        let is_further_owner = takeover.external_id && !unique_external_id;
        let owner = from.and_then(as_owner);
        let keys = name_keys(collection, &resource.id, names, is_further_owner, owner);
        // A group that is created again goes on after the version that it had.
        let row_version =
            from.map_or(resource.meta.version.0, |from| from.row_version.saturating_add(1));
        let row = resource::row(collection, resource, row_version, (names, &keys), audit)?;
        let row = departed(marked(row, state, expires), self.departure());
        self.put_own(transaction, row, condition)?;
        self.set_due(transaction)?;
        let now = audit.now;
        let pointers =
            Pointers { collection, write, keys: &keys, state, from, unique_external_id, now };
        pointers.add(transaction)?;
        from.map_or(Ok(()), |from| remove_old(transaction, collection, from, (names, &keys)))
    }

    /// What the row keeps of the user's last deletion. It is kept while the operator's restore may
    /// still have to bring the user back into its groups.
    fn departure(&self) -> Option<Departure> {
        let from = self.from?;
        let restores = matches!(self.audit.operation, Operation::Restore | Operation::Undo);
        let by_operator = restores && self.audit.actor == OPERATOR;
        match from.state {
            Stage::Live | Stage::Unmanaged => from.departure,
            Stage::Deleted if by_operator => from.departed(),
            Stage::Deleted => None,
        }
    }

    /// Adds the resource's own row.
    fn put_own(
        &self,
        transaction: &mut Transaction,
        row: Row,
        condition: Condition,
    ) -> Result<(), StoreError> {
        match self.from.map(|from| from.state) {
            None => transaction.put(Role::Resource, row, Some(condition)),
            Some(Stage::Live | Stage::Unmanaged) => {
                transaction.set(Role::Resource, row, &OPTIONAL, Some(condition))
            }
            // A deleted user has left all groups before it is restored.
            Some(Stage::Deleted) => {
                let removed = [&OPTIONAL[..], &[GROUPED]].concat();
                transaction.set(Role::Resource, row, &removed, Some(condition))
            }
        }
    }

    /// Moves the due row of a visible user to the time at which it expires now.
    fn set_due(&self, transaction: &mut Transaction) -> Result<(), StoreError> {
        let ResourceWrite { resource, expires, .. } = self.write;
        if self.from.and_then(Stored::due) == expires {
            return Ok(());
        }
        if let Some(from) = self.from {
            due::remove(transaction, self.collection, from)?;
        }
        match expires {
            Some(expires) => due::set(transaction, self.collection, expires, &resource.id),
            None => Ok(()),
        }
    }
}
