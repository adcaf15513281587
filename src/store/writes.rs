//! The writes of a resource: its row, claim, pointers, counter and log in one transaction each.

use std::borrow::Cow;

use scim_core::Resource;
use scim_core::resource::Attributes;

use super::item::Row;
use super::keys::{Collection, Kind};
use super::log::{self, Act};
use super::members::{self, Expect, MemberChange};
use super::put::{UNHELD, activity, put, version};
use super::refusal::Outcome;
use super::resources::{Names, State, Stored};
use super::transaction::{Condition, Role, Transaction, number, text};
use super::{Store, StoreError, counters, guards, unfinished};

/// Whose names a write may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Takeover {
    /// Take the name of a deleted user that can still be restored.
    pub name: bool,
    /// Be one more owner of the externalId, beside its first; where it is unique, take it from who
    /// was deleted.
    pub external_id: bool,
}

/// A resource to be written.
#[derive(Debug, Clone, Copy)]
pub struct ResourceWrite<'a> {
    /// As it shall be.
    pub resource: &'a Resource,
    /// The names in its attributes.
    pub names: &'a Names,
    /// Whose names it may take.
    pub takeover: Takeover,
    /// When it expires while it is visible, in seconds since 1970.
    pub expires: Option<i64>,
}

impl Store {
    /// Stores a new resource, a group with these members and those that are prepared. One call:
    /// row, claim, externalId, e-mails, counter, log, and the end of the preparation.
    ///
    /// Losing a race shows as a refusal; a claim that is this resource's own already (a lost
    /// answer, sent again) counts as stored.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn create(
        &self,
        collection: &Collection,
        new: ResourceWrite<'_>,
        members: &[MemberChange],
        prepared: &[MemberChange],
        act: &Act,
    ) -> Result<Outcome, StoreError> {
        let unheld = Condition(UNHELD, vec![(":now", number(act.now))]);
        let mut transaction = Transaction::on(self);
        put(&mut transaction, collection, new, State::Live, None, unheld, act)?;
        if collection.kind == Kind::Group {
            members::open(&mut transaction, collection, &new.resource.id, members, prepared, act)?;
            if !prepared.is_empty() {
                unfinished::end_creation(&mut transaction, &collection.tenant, &new.resource.id)?;
            }
        }
        self.account(
            &mut transaction,
            collection,
            act,
            new.resource,
            &Attributes::default(),
            (1, activity(new.resource)),
            members,
        )?;
        match self.conclude(transaction).await? {
            Outcome::Refused(refusal)
                if refusal
                    .owners
                    .name
                    .as_ref()
                    .is_some_and(|(owner, _)| *owner == new.resource.id) =>
            {
                Ok(Outcome::Committed)
            }
            wrote => Ok(wrote),
        }
    }

    /// Stores a deleted user anew, live and whole. Rows are put, not updated: TTL may have removed
    /// any of them meanwhile. One call, and one more for each name under which it does not come
    /// back.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn restore(
        &self,
        collection: &Collection,
        old: &Stored,
        new: ResourceWrite<'_>,
        act: &Act,
    ) -> Result<Outcome, StoreError> {
        let seen = Condition(
            "attribute_not_exists(p) OR v = :seen",
            vec![(":seen", version(old.row_version))],
        );
        let mut transaction = Transaction::on(self);
        let claim = new.names.name.as_ref().map(|name| collection.claim(name, None));
        if let Some(left) = old.keys.claim.as_ref().filter(|left| Some(*left) != claim.as_ref()) {
            let own = text(old.resource.id.as_str());
            // The name that the user had is free now, or somebody else's already.
            if self
                .get(&collection.rows(), left)
                .await?
                .is_some_and(|row| row.0.get("i") == Some(&own))
            {
                let own = Condition("attribute_not_exists(p) OR i = :id", vec![(":id", own)]);
                transaction.delete(Role::Other, Row::new(&collection.rows(), left), Some(own))?;
            }
        }
        let mut old = Cow::Borrowed(old);
        if let Some(left) = old
            .keys
            .external_id
            .as_ref()
            .filter(|_| new.takeover.external_id || new.names.external_id().is_none())
        {
            let own = Some(text(old.resource.id.as_str()));
            let row = self.get(&collection.tenant.external_ids(), left).await?;
            if row.is_some_and(|row| row.0.get("i") != own.as_ref()) {
                // It was unique for a while, and another took it over.
                old.to_mut().keys.external_id = None;
            }
        }
        self.enter(transaction, collection, &old, new, seen, act).await
    }

    /// Stores an imported user as provisioned, if it is still as `old`: its id and what leads to it
    /// stay.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn link(
        &self,
        collection: &Collection,
        old: &Stored,
        new: ResourceWrite<'_>,
        act: &Act,
    ) -> Result<Outcome, StoreError> {
        let seen = vec![(":seen", version(old.row_version)), (":unmanaged", text("unmanaged"))];
        let seen = Condition("v = :seen AND st = :unmanaged", seen);
        self.enter(Transaction::on(self), collection, old, new, seen, act).await
    }

    /// Stores as visible who was not.
    async fn enter(
        &self,
        mut transaction: Transaction,
        collection: &Collection,
        old: &Stored,
        new: ResourceWrite<'_>,
        condition: Condition,
        act: &Act,
    ) -> Result<Outcome, StoreError> {
        put(&mut transaction, collection, new, State::Live, Some(old), condition, act)?;
        let more = (1, activity(new.resource));
        self.account(
            &mut transaction,
            collection,
            act,
            new.resource,
            &old.resource.attributes,
            more,
            &[],
        )?;
        self.conclude(transaction).await
    }

    /// Stores a changed resource if it is still as `old`, with changes of a group's members. One
    /// call; claims, pointers and counters only where they change. With [`Expect::RowAndMembers`]
    /// the members must be as they were too.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn update(
        &self,
        collection: &Collection,
        old: &Stored,
        new: ResourceWrite<'_>,
        moves: &[MemberChange],
        seen: Expect,
        act: &Act,
    ) -> Result<Outcome, StoreError> {
        // The whole row is put: a first membership that came meanwhile must not be written over.
        let unchanged = match old.grouped {
            true => "v = :seen AND st = :live AND (attribute_not_exists(x) OR x > :now)",
            false => {
                "v = :seen AND st = :live AND (attribute_not_exists(x) OR x > :now) AND \
                attribute_not_exists(g)"
            }
        };
        let values = vec![
            (":seen", version(old.row_version)),
            (":live", text("live")),
            (":now", number(act.now)),
        ];
        let mut transaction = Transaction::on(self);
        put(
            &mut transaction,
            collection,
            new,
            State::Live,
            Some(old),
            Condition(unchanged, values),
            act,
        )?;
        if collection.kind == Kind::Group {
            let heads =
                if seen == Expect::RowAndMembers { Some(old.heads.as_slice()) } else { None };
            members::push(&mut transaction, collection, &new.resource.id, moves, heads, act)?;
        }
        let active = activity(new.resource) - activity(&old.resource);
        self.account(
            &mut transaction,
            collection,
            act,
            new.resource,
            &old.resource.attributes,
            (0, active),
            moves,
        )?;
        self.conclude(transaction).await
    }

    /// What every write adds: the counters by (live, active) resources more, and the log row.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the account")]
    pub(super) fn account(
        &self,
        transaction: &mut Transaction,
        collection: &Collection,
        act: &Act,
        resource: &Resource,
        before: &Attributes,
        (live, active): (i64, i64),
        moves: &[MemberChange],
    ) -> Result<(), StoreError> {
        counters::add(transaction, collection, [(&resource.id, live, active)])?;
        if collection.kind == Kind::User {
            guards::add(transaction, &collection.tenant, act, active)?;
        }
        let mut changes = log::changes(&collection.tenant, before, &resource.attributes);
        changes.extend(log::moves(&collection.tenant, moves));
        log::add(
            transaction,
            &collection.tenant,
            act,
            &resource.id,
            Some(resource.meta.version.0),
            &changes,
        )
    }
}
