//! What became of a write, and why it was refused.

use scim_core::ResourceId;

use super::item::Item;
use super::transaction::{Role, Transaction, TransactionResult};
use super::{Store, StoreError};

/// What the holder of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerState {
    /// Visible.
    Live,
    /// Deleted, and kept.
    Deleted,
    /// Imported, and not provisioned yet.
    Unmanaged,
}

/// Who holds a resource's names.
#[derive(Debug, Default)]
pub struct NameOwners {
    /// The owner of the name.
    pub name: Option<(ResourceId, OwnerState)>,
    /// The first owner of the externalId; take it beside that one.
    pub external_id: Option<(ResourceId, OwnerState)>,
}

/// What became of a write.
#[derive(Debug)]
pub enum Outcome {
    /// It is stored.
    Committed,
    /// Nothing was written.
    Refused(Refusal),
}

/// Why nothing was written. Several reasons may hold at once.
#[derive(Debug, Default)]
pub struct Refusal {
    /// The row (or, with a precondition, the membership) is not what it was: read it and decide
    /// again.
    pub stale: bool,
    /// Who holds the names that it may not take.
    pub owners: NameOwners,
    /// An index into the further unique values: another resource has it.
    pub unique: Option<usize>,
    /// There is no such group.
    pub no_group: bool,
    /// Indices of moves that are as they should be already.
    pub already_applied: Vec<usize>,
    /// Indices of moves whose member does not live.
    pub missing_members: Vec<usize>,
    /// No seat is left, if nothing changed.
    pub no_seat: bool,
    /// The brake stops it, or its window must be opened first, if nothing changed.
    pub brake_on: bool,
}

impl Store {
    /// Commits a transaction, and reads from its answer what stands against it.
    pub(super) async fn conclude(&self, transaction: Transaction) -> Result<Outcome, StoreError> {
        let TransactionResult::Refused(rows) = transaction.commit(self).await? else {
            return Ok(Outcome::Committed);
        };
        let mut refusal = Refusal::default();
        for (role, item) in rows {
            let holder = item.as_ref().and_then(holder);
            match role {
                Role::Claim if holder.is_some() => refusal.owners.name = holder,
                Role::ExternalId if holder.is_some() => refusal.owners.external_id = holder,
                Role::Unique(index) => refusal.unique = Some(index),
                Role::Seats => refusal.no_seat = true,
                Role::Brake => refusal.brake_on = true,
                Role::Head if item.is_none() => refusal.no_group = true,
                Role::Moved(index) => refusal.already_applied.push(index),
                Role::Alive(index) => refusal.missing_members.push(index),
                _ => refusal.stale = true,
            }
        }
        if refusal.stale {
            // Perhaps it is done already, and takes no seat any more.
            (refusal.no_seat, refusal.brake_on) = (false, false);
        }
        Ok(Outcome::Refused(refusal))
    }
}

/// Who holds a name's row, and what that user is.
pub(super) fn holder(item: &Item) -> Option<(ResourceId, OwnerState)> {
    let holding = match item.text("st") {
        Some("deleted") => OwnerState::Deleted,
        Some("unmanaged") => OwnerState::Unmanaged,
        _ => OwnerState::Live,
    };
    Some((item.text("i")?.parse().ok()?, holding))
}
