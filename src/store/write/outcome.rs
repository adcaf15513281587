//! The outcome of a write, read from the rows that refused it.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::refusal::{Outcome, Refusal};
use crate::store::rows::pointers::owner;
use crate::store::rows::role::{Role, Transaction, TransactionResult};

impl Store {
    /// Commits a transaction, and reads from its answer why it was refused, if it was.
    pub(in crate::store) async fn conclude(
        &self,
        transaction: Transaction,
    ) -> Result<Outcome, StoreError> {
        let TransactionResult::Refused(rows) = transaction.commit(self).await? else {
            return Ok(Outcome::Committed);
        };
        let mut refusal = Refusal::default();
        for (role, item) in rows {
            let owner = item.as_ref().and_then(owner);
            match role {
                Role::Claim if owner.is_some() => refusal.owners.name = owner,
                Role::ExternalId if owner.is_some() => refusal.owners.external_id = owner,
                Role::Unique(index) => refusal.unique = Some(index),
                Role::Seats => refusal.no_seat = true,
                Role::Brake => refusal.brake_on = true,
                Role::Head if item.is_none() => refusal.no_group = true,
                Role::Member(index) => refusal.already_applied.push(index),
                Role::NewMember(index) => refusal.missing_members.push(index),
                Role::Claim
                | Role::ExternalId
                | Role::Head
                | Role::Resource
                | Role::Creating
                | Role::Leaver
                | Role::Other => refusal.stale = true,
            }
        }
        if refusal.stale {
            // The change may already be done, and then needs no seat.
            (refusal.no_seat, refusal.brake_on) = (false, false);
        }
        Ok(Outcome::Refused(refusal))
    }
}
