//! Who expires while visible: a row for each, in the order of time, so that whoever is due is found
//! with one read and leaves lists and counts in the moment it should.

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use super::item::Row;
use super::keys::Collection;
use super::log::Audit;
use super::refusal::Outcome;
use super::removal::pointers;
use super::transaction::{Condition, Role, Transaction, number, text, version};
use super::{Query, Rows, Store, StoreError, counters, log};

/// The row of somebody who expires at this second since 1970.
pub(super) fn row(collection: &Collection, expires: i64, id: &ResourceId) -> Row {
    Row::new(&collection.tenant.due(), &format!("{}#{id}", moment(expires)))
}

/// Seconds as text whose order is that of time.
fn moment(seconds: i64) -> String {
    format!("{seconds:012}")
}

impl Store {
    /// Those whose time has come by `now`, at most `most`, with when that was. One call for some
    /// thousand.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn due(
        &self,
        collection: &Collection,
        now: i64,
        most: usize,
    ) -> Result<Vec<(i64, ResourceId)>, StoreError> {
        let (partition, end) = (collection.tenant.due(), format!("{}~", moment(now)));
        let (rows, _) =
            self.query_some(Query::of(Rows::Between(&partition, "0", &end)), most).await?;
        let read = |s: &str| {
            let (moment, id) = s.split_once('#')?;
            Some((moment.parse().ok()?, id.parse().ok()?))
        };
        let due = rows
            .iter()
            .map(|row| read(row.s()).ok_or_else(|| StoreError::broken("a due row names nobody")));
        due.collect()
    }

    /// Erases a user whose time came, once: the row, what leads to it, its place in the counters.
    /// DynamoDB may have removed any of the rows before. One or two calls.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn expire(
        &self,
        collection: &Collection,
        expires: i64,
        id: &ResourceId,
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::on(self);
        let once = Condition("attribute_exists(p)", Vec::new());
        transaction.delete(Role::Other, row(collection, expires, id), Some(once))?;
        let left = self.get(&collection.rows(), &collection.key(id)).await?;
        let left = left.as_ref().map(super::Stored::read).transpose()?;
        let mut changes = Vec::new();
        if let Some(left) = left.filter(|left| left.expires == Some(expires)) {
            let values = vec![(":seen", version(left.row_version)), (":now", number(audit.now))];
            let gone = Condition("v = :seen AND x <= :now OR attribute_not_exists(p)", values);
            transaction.delete(
                Role::Resource,
                Row::new(&collection.rows(), &collection.key(id)),
                Some(gone),
            )?;
            for (p, s) in pointers(collection, &left) {
                let own = Condition(
                    "attribute_not_exists(p) OR i = :id",
                    vec![(":id", text(id.as_str()))],
                );
                // Somebody else may have the name by now.
                if self.get(&p, &s).await?.is_some_and(|row| row.text("i") == Some(id.as_str())) {
                    transaction.delete(Role::Other, Row::new(&p, &s), Some(own))?;
                }
            }
            changes =
                log::changes(&collection.tenant, &left.resource.attributes, &Attributes::default());
        }
        counters::add(&mut transaction, collection, [(id, -1, 0)])?;
        log::add(&mut transaction, &collection.tenant, audit, id, None, &changes)?;
        match self.conclude(transaction).await? {
            // Another request did it, or will when it asks again.
            Outcome::Committed | Outcome::Refused(_) => Ok(()),
        }
    }
}
