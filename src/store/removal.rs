//! How resources go: users softly, with an expiry on every row; all others at once.

use super::item::Row;
use super::keys::{Collection, Kind};
use super::log::{self, Act};
use super::members::Expect;
use super::put::version;
use super::refusal::Outcome;
use super::resources::{self, GROUPED, State, Stored, is_active};
use super::transaction::{Condition, Role, Transaction, number, text};
use super::unfinished::{self, Cause};
use super::{Store, StoreError, due, members};
use scim_core::resource::Attributes;

const OWN: &str = "i = :id";
const AS_SEEN: &str = "v = :seen AND st = :live";
/// As [`AS_SEEN`], and in no group that it was not in then.
const AS_SEEN_ALONE: &str = "v = :seen AND st = :live AND attribute_not_exists(g)";

impl Store {
    /// Deletes a user softly if it is still as `old`: the user, its claim and its pointers get
    /// `expires`, in seconds since 1970, and `kept` is what is kept of it. One call. Memberships
    /// that it may have are unfinished then, and ended by [`Store::leave_all`].
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn delete_softly(
        &self,
        collection: &Collection,
        old: &Stored,
        kept: Attributes,
        expires: i64,
        act: &Act,
    ) -> Result<Outcome, StoreError> {
        let mut transaction = Transaction::on(self);
        let mut user = old.resource.clone();
        user.attributes = kept;
        user.meta.version = user.meta.version.next();
        user.meta.last_modified = resources::instant(act.milliseconds)?;
        let row =
            resources::row(collection, &user, old.row_version + 1, &old.names, &old.keys, act)?
                .text("st", "deleted")
                .number("x", expires);
        let row = if old.grouped { row.flag(GROUPED, true) } else { row };
        transaction.put(Role::Resource, row, Some(as_seen(old)))?;
        for (p, s) in pointers(collection, old) {
            let own = (":id", text(user.id.as_str()));
            let values = vec![(":x", number(expires)), (":deleted", text("deleted")), own];
            transaction.update(
                Role::Other,
                Row::new(&p, &s),
                "SET x = :x, st = :deleted",
                values,
                Some(OWN),
            )?;
        }
        undue(&mut transaction, collection, old)?;
        leave_unfinished(&mut transaction, collection, old, act)?;
        let active = -i64::from(is_active(&old.resource.attributes));
        self.account(
            &mut transaction,
            collection,
            act,
            &user,
            &old.resource.attributes,
            (-1, active),
            &[],
        )?;
        self.conclude(transaction).await
    }

    /// Removes a user who was imported and is not provisioned, if it is still as `old`. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn forget(
        &self,
        collection: &Collection,
        old: &Stored,
        act: &Act,
    ) -> Result<Outcome, StoreError> {
        let id = &old.resource.id;
        let mut transaction = Transaction::on(self);
        let values = vec![(":seen", version(old.row_version)), (":unmanaged", text("unmanaged"))];
        let still = Condition("v = :seen AND st = :unmanaged", values);
        transaction.delete(
            Role::Resource,
            Row::new(&collection.rows(), &collection.key(id)),
            Some(still),
        )?;
        for (p, s) in pointers(collection, old) {
            let own = Condition(OWN, vec![(":id", text(id.as_str()))]);
            transaction.delete(Role::Other, Row::new(&p, &s), Some(own))?;
        }
        let changes =
            log::changes(&collection.tenant, &old.resource.attributes, &Attributes::default());
        log::add(&mut transaction, &collection.tenant, act, id, None, &changes)?;
        self.conclude(transaction).await
    }

    /// Deletes a resource that is not kept, if it is still as `old`; with
    /// [`Expect::RowAndMembers`], if the members of the group are too. One call. A group is gone
    /// with it for everybody; its members' rows are unfinished then, and removed by
    /// [`Store::disband`].
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn delete(
        &self,
        collection: &Collection,
        old: &Stored,
        seen: Expect,
        act: &Act,
    ) -> Result<Outcome, StoreError> {
        let id = &old.resource.id;
        let mut transaction = Transaction::on(self);
        transaction.delete(
            Role::Resource,
            Row::new(&collection.rows(), &collection.key(id)),
            Some(as_seen(old)),
        )?;
        for (p, s) in pointers(collection, old) {
            let own = Condition(OWN, vec![(":id", text(id.as_str()))]);
            transaction.delete(Role::Other, Row::new(&p, &s), Some(own))?;
        }
        undue(&mut transaction, collection, old)?;
        leave_unfinished(&mut transaction, collection, old, act)?;
        if collection.kind == Kind::Group {
            // Where it seems that there are no members, nobody may have joined meanwhile.
            let heads = if seen == Expect::RowAndMembers || old.members == 0 {
                old.heads.as_slice()
            } else {
                &[]
            };
            members::close(&mut transaction, collection, id, heads)?;
        }
        let mut gone = old.resource.clone();
        gone.meta.version = gone.meta.version.next();
        gone.attributes = Attributes::default();
        let active = -i64::from(is_active(&old.resource.attributes));
        self.account(
            &mut transaction,
            collection,
            act,
            &gone,
            &old.resource.attributes,
            (-1, active),
            &[],
        )?;
        self.conclude(transaction).await
    }
}

/// Notes that memberships are still to be ended, if there may be any.
fn leave_unfinished(
    transaction: &mut Transaction,
    collection: &Collection,
    old: &Stored,
    act: &Act,
) -> Result<(), StoreError> {
    match old.leaves_rows() {
        true => unfinished::begin(
            transaction,
            &collection.tenant,
            (&collection.kind, &old.resource.id),
            Cause::Deletion,
            act,
        ),
        false => Ok(()),
    }
}

/// Takes back the notice of when a visible user expires.
fn undue(
    transaction: &mut Transaction,
    collection: &Collection,
    old: &Stored,
) -> Result<(), StoreError> {
    match old.expires.filter(|_| old.state == State::Live) {
        Some(expires) => {
            transaction.delete(Role::Other, due::row(collection, expires, &old.resource.id), None)
        }
        None => Ok(()),
    }
}

fn as_seen(old: &Stored) -> Condition {
    let condition = if old.grouped { AS_SEEN } else { AS_SEEN_ALONE };
    Condition(condition, vec![(":seen", version(old.row_version)), (":live", text("live"))])
}

/// The rows that lead to a resource.
pub(super) fn pointers(collection: &Collection, old: &Stored) -> Vec<(String, String)> {
    let mut pointers = Vec::new();
    pointers.extend(old.keys.claim.clone().map(|key| (collection.rows(), key)));
    pointers
        .extend(old.keys.external_id.clone().map(|key| (collection.tenant.external_ids(), key)));
    pointers
        .extend(old.keys.unique.iter().map(|key| (collection.tenant.unique_values(), key.clone())));
    let emails = old.names.emails.iter();
    pointers.extend(
        emails.map(|email| (collection.tenant.emails(), collection.email(email, &old.resource.id))),
    );
    pointers
}
