//! Changes of a resource: its row, claim, pointers, counter and log in one transaction each.

use std::borrow::Cow;

use scim_core::resource::Attributes;

use super::condition::{condition, impossible};
use super::members;
use super::put::Put;
use super::removal::{delete, delete_softly};
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::Key;
use crate::store::model::change::{Expect, ResourceWrite, Target, Transition};
use crate::store::model::collection::Kind;
use crate::store::model::refusal::Outcome;
use crate::store::model::stage::Stage;
use crate::store::model::stored::Stored;
use crate::store::rows::log::{self, Entry};
use crate::store::rows::pointers::is_own;
use crate::store::rows::role::Transaction;
use crate::store::rows::{counters, heads, member, seats_and_brake, unfinished};

impl Store {
    /// Changes one resource, if it is still as it was read: row, claim, externalId, e-mails,
    /// further unique values, members of a group, counters, limits and log. This takes one call.
    /// Restoring a deleted user takes one more for each name under which it does not come back.
    ///
    /// * A refusal means a lost race. If a new resource already has the claim, because the answer
    ///   was lost and the request was sent again, the write counts as committed.
    /// * All rows of a restored user are written: TTL may have removed any of them meanwhile.
    /// * A deletion may leave memberships behind, which [`Store::leave_all`] removes, and a deleted
    ///   group the rows of its members, which [`Store::disband`] removes.
    ///
    /// # Errors
    /// [`StoreError::Broken`] for a change that is not possible.
    pub async fn commit(&self, transition: Transition<'_>) -> Result<Outcome, StoreError> {
        let mut transaction = Transaction::on(self);
        self.change_rows(&mut transaction, &transition).await?;
        change_members(&mut transaction, &transition)?;
        account(&mut transaction, &transition)?;
        match self.conclude(transaction).await? {
            Outcome::Refused(refusal)
                if transition.from.is_none()
                    && refusal
                        .owners
                        .name
                        .as_ref()
                        .is_some_and(|(owner, _)| Some(owner) == transition.id()) =>
            {
                Ok(Outcome::Committed)
            }
            outcome => Ok(outcome),
        }
    }

    /// Adds the changes of the resource's row and of the rows that lead to it.
    async fn change_rows(
        &self,
        transaction: &mut Transaction,
        transition: &Transition<'_>,
    ) -> Result<(), StoreError> {
        let condition = condition(transition)?;
        match (transition.from, &transition.to) {
            (Some(from), Target::Live(write)) if from.state == Stage::Deleted => {
                let from = self.without_lost_names(transaction, transition, from, write).await?;
                Put::new(transition, *write, Some(&from)).add(transaction, condition)
            }
            (from, Target::Live(write)) => {
                Put::new(transition, *write, from).add(transaction, condition)
            }
            (Some(from), Target::Deleted { attributes, expires }) => {
                delete_softly(transaction, transition, from, (attributes, *expires), condition)
            }
            (Some(from), Target::Gone) => delete(transaction, transition, from, condition),
            (None, Target::Deleted { .. } | Target::Gone) => Err(impossible()),
        }
    }

    /// The deleted user as the owner of the names that are its own still; others may have taken
    /// some of them over. Adds the removal of a claim under which it does not come back.
    async fn without_lost_names<'a>(
        &self,
        transaction: &mut Transaction,
        transition: &Transition<'_>,
        from: &'a Stored,
        write: &ResourceWrite<'_>,
    ) -> Result<Cow<'a, Stored>, StoreError> {
        let collection = transition.collection;
        let id = &from.resource.id;
        let claim = write.names.name.as_ref().map(|name| collection.claim(name, None));
        if let Some(left) = from.keys.claim.as_ref().filter(|left| Some(*left) != claim.as_ref()) {
            // The name that the user had is now free, or already belongs to another user.
            let key = Key::new(collection.partition(), left);
            self.remove_if_own(transaction, key, id).await?;
        }
        let mut from = Cow::Borrowed(from);
        let may_be_lost = write.takeover.external_id || write.names.external_id().is_none();
        if let Some(left) = from.keys.external_id.as_ref().filter(|_| may_be_lost) {
            let row = self.get(Key::new(collection.tenant.external_ids(), left)).await?;
            if row.is_some_and(|row| !is_own(&row, id)) {
                // The value was unique for a while, and another user took it over.
                from.to_mut().keys.external_id = None;
            }
        }
        Ok(from)
    }
}

/// Adds the changes of a group's members and heads.
fn change_members(
    transaction: &mut Transaction,
    transition: &Transition<'_>,
) -> Result<(), StoreError> {
    let Transition { collection, from, to, members, prepared, expect, audit, .. } = transition;
    if collection.kind != Kind::Group {
        return Ok(());
    }
    match (from, to) {
        (None, Target::Live(write)) => {
            let group = &write.resource.id;
            let all = members.iter().chain(*prepared);
            heads::open(transaction, collection, group, all, audit.milliseconds)?;
            member::change(transaction, &collection.tenant, group, members, audit)?;
            if !prepared.is_empty() {
                unfinished::end_creation(transaction, &collection.tenant, group)?;
            }
            Ok(())
        }
        (Some(from), Target::Live(_)) => {
            let as_read = *expect == Expect::RowAndMembers;
            let heads = if as_read { from.heads.as_slice() } else { &[] };
            let group = &from.resource.id;
            members::change(transaction, collection, group, (members, heads), audit)
        }
        (Some(from), Target::Gone) => {
            // A group that seems to have no members must not have got one in the meantime.
            let as_read = *expect == Expect::RowAndMembers || from.members == 0;
            let heads = if as_read { from.heads.as_slice() } else { &[] };
            heads::close(transaction, collection, &from.resource.id, heads)
        }
        (_, Target::Deleted { .. }) | (None, Target::Gone) => Err(impossible()),
    }
}

/// Adds what every change needs: the counters, the limits of active users, and the log row.
fn account(transaction: &mut Transaction, transition: &Transition<'_>) -> Result<(), StoreError> {
    let Transition { collection, to, audit, guards, .. } = transition;
    let id = transition.id().ok_or_else(impossible)?;
    let (live, active) = transition.count_change();
    counters::add(transaction, collection, [(id, live, active)])?;
    if collection.kind == Kind::User {
        seats_and_brake::add(transaction, &collection.tenant, *guards, audit, active)?;
    }
    let nothing = Attributes::default();
    let after = match to {
        Target::Live(write) => &write.resource.attributes,
        Target::Deleted { attributes, .. } => attributes,
        Target::Gone => &nothing,
    };
    let entry = Entry::transition(id, transition, after)?;
    log::add(transaction, collection.tenant.code(), audit, entry)
}
