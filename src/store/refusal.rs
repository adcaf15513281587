//! What became of a write, and why it was refused.

use scim_core::ResourceId;

use super::item::Item;
use super::transaction::{Outcome, Role, Transaction};
use super::{Store, StoreError};

/// What the holder of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Visible.
    Live,
    /// Deleted, and kept.
    Deleted,
    /// Imported, and not provisioned yet.
    Unmanaged,
}

/// Who holds a resource's names.
#[derive(Debug, Default)]
pub struct Holders {
    /// The owner of the name.
    pub name: Option<(ResourceId, Holding)>,
    /// The first owner of the externalId; take it beside that one.
    pub external_id: Option<(ResourceId, Holding)>,
}

/// What became of a write.
#[derive(Debug)]
pub enum Wrote {
    /// It is stored.
    Stored,
    /// Nothing was written.
    Refused(Refusal),
}

/// Why nothing was written. Several reasons may hold at once.
#[derive(Debug, Default)]
pub struct Refusal {
    /// The row (or, with a precondition, the membership) is not what it was: read it and decide
    /// again.
    pub changed: bool,
    /// Who holds the names that it may not take.
    pub held: Holders,
    /// An index into the further unique values: another resource has it.
    pub unique: Option<usize>,
    /// There is no such group.
    pub no_group: bool,
    /// Indices of moves that are as they should be already.
    pub moved: Vec<usize>,
    /// Indices of moves whose member does not live.
    pub unknown: Vec<usize>,
    /// No seat is left, if nothing changed.
    pub full: bool,
    /// The brake stops it, or its window must be opened first, if nothing changed.
    pub braked: bool,
}

impl Store {
    /// Commits a transaction, and reads from its answer what stands against it.
    pub(super) async fn conclude(&self, transaction: Transaction) -> Result<Wrote, StoreError> {
        let Outcome::Refused(rows) = transaction.commit(self).await? else {
            return Ok(Wrote::Stored);
        };
        let mut refusal = Refusal::default();
        for (role, item) in rows {
            let holder = item.as_ref().and_then(holder);
            match role {
                Role::Claim if holder.is_some() => refusal.held.name = holder,
                Role::ExternalId if holder.is_some() => refusal.held.external_id = holder,
                Role::Unique(index) => refusal.unique = Some(index),
                Role::Seats => refusal.full = true,
                Role::Brake => refusal.braked = true,
                Role::Head if item.is_none() => refusal.no_group = true,
                Role::Moved(index) => refusal.moved.push(index),
                Role::Alive(index) => refusal.unknown.push(index),
                _ => refusal.changed = true,
            }
        }
        if refusal.changed {
            // Perhaps it is done already, and takes no seat any more.
            (refusal.full, refusal.braked) = (false, false);
        }
        Ok(Wrote::Refused(refusal))
    }
}

/// Who holds a name's row, and what that user is.
pub(super) fn holder(item: &Item) -> Option<(ResourceId, Holding)> {
    let holding = match item.text("st") {
        Some("deleted") => Holding::Deleted,
        Some("unmanaged") => Holding::Unmanaged,
        _ => Holding::Live,
    };
    Some((item.text("i")?.parse().ok()?, holding))
}
