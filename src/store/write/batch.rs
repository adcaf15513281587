//! Many new resources at once: for an operator who fills a table, as fast as its engine allows.

use std::collections::BTreeSet;

use scim_core::resource::Attributes;

use super::budget::actions_of_new;
use super::put::Put;
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::transaction::MAX_ACTIONS;
use crate::store::model::audit::Audit;
use crate::store::model::change::ResourceWrite;
use crate::store::model::collection::Collection;
use crate::store::model::stage::{Stage, activity};
use crate::store::rows::counters;
use crate::store::rows::log::{self, Entry};
use crate::store::rows::pointers::unheld;
use crate::store::rows::role::Transaction;

/// The outcome for the first of many new resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// How many of them the transaction was about.
    pub taken: usize,
    /// Whether they are stored: all of them, or none if one of their names is taken.
    pub stored: bool,
}

impl Store {
    /// Stores the first of these new resources, live or unmanaged, as many as fit one transaction.
    /// It writes the rows that [`Store::commit`] writes, but the counters of all resources
    /// together: one action if they are in the order of their sort keys. The resources are users,
    /// or of a type without members. One call.
    pub async fn create_first(
        &self,
        collection: &Collection,
        new: &[ResourceWrite<'_>],
        state: Stage,
        audit: &Audit,
    ) -> Result<Batch, StoreError> {
        let mut transaction = Transaction::on(self);
        let mut taken = 0;
        let mut counted = BTreeSet::new();
        for write in new {
            counted.insert(counters::row(collection, &write.resource.id));
            if transaction.len() + actions_of_new(write) + counted.len() > MAX_ACTIONS {
                break;
            }
            create(&mut transaction, collection, *write, state, audit)?;
            taken += 1;
        }
        if state == Stage::Live {
            let new = new.iter().take(taken);
            let changes = new.map(|new| (&new.resource.id, 1, activity(new.resource)));
            counters::add(&mut transaction, collection, changes)?;
        }
        let stored = transaction.try_commit(self).await?;
        Ok(Batch { taken, stored })
    }
}

/// Adds a new resource and its log row.
fn create(
    transaction: &mut Transaction,
    collection: &Collection,
    write: ResourceWrite<'_>,
    state: Stage,
    audit: &Audit,
) -> Result<(), StoreError> {
    let put = Put { collection, write, state, from: None, audit, unique_external_id: false };
    put.add(transaction, unheld(audit.now))?;
    let tenant = &collection.tenant;
    let ResourceWrite { resource, .. } = write;
    let entry = Entry::resource(&collection.kind, &resource.id).version(Some(1)).attributes(
        tenant,
        &Attributes::default(),
        &resource.attributes,
    );
    log::add(transaction, tenant.code(), audit, entry)
}
