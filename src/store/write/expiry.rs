//! The end of a visible user who has expired.

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{number, version};
use crate::store::engine::transaction::Condition;
use crate::store::model::audit::Audit;
use crate::store::model::collection::Collection;
use crate::store::model::refusal::Outcome;
use crate::store::model::stored::Stored;
use crate::store::rows::log::{self, Entry};
use crate::store::rows::pointers;
use crate::store::rows::role::{Role, Transaction};
use crate::store::rows::{counters, due, resource};

impl Store {
    /// Erases a user who has expired, once: the row, the rows that lead to it, and its place in the
    /// counters. DynamoDB may have removed any of the rows before, so the due row decides whether
    /// this is the first time, and not the state of the resource as in [`Store::commit`]. Two
    /// calls, and one more for each row that leads to the user.
    pub async fn expire(
        &self,
        collection: &Collection,
        expires: i64,
        id: &ResourceId,
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        let due = due::key(collection, expires, id);
        transaction.delete(Role::Other, due, Some(Condition::exists()))?;
        let row = self.get(resource::key(collection, id)).await?;
        let user = row.as_ref().map(resource::read).transpose()?;
        let mut entry = Entry::resource(&collection.kind, id);
        if let Some(user) = user.filter(|user| user.expires == Some(expires)) {
            self.erase(&mut transaction, collection, &user, audit.now).await?;
            let before = &user.resource.attributes;
            let entry_of = entry.was(Some(user.standing()));
            entry = entry_of.attributes(&collection.tenant, before, &Attributes::default());
        }
        counters::add(&mut transaction, collection, [(id, -1, 0)])?;
        log::add(&mut transaction, collection.tenant.code(), audit, entry)?;
        match self.conclude(transaction).await? {
            // If it is refused, another request did it, or will when it asks again.
            Outcome::Committed | Outcome::Refused(_) => Ok(()),
        }
    }

    /// Adds the removal of the user's row and of the rows that lead to it and are still its own.
    async fn erase(
        &self,
        transaction: &mut Transaction,
        collection: &Collection,
        user: &Stored,
        now: i64,
    ) -> Result<(), StoreError> {
        let id = &user.resource.id;
        let values = vec![(":seen", version(user.row_version)), (":now", number(now))];
        let gone = Condition("v = :seen AND x <= :now OR attribute_not_exists(p)", values);
        transaction.delete(Role::Resource, resource::key(collection, id), Some(gone))?;
        for key in pointers::keys(collection, user) {
            self.remove_if_own(transaction, key, id).await?;
        }
        Ok(())
    }
}
