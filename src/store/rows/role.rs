//! The roles of the rows in a transaction, so that refusals can be told apart.

use crate::store::engine::transaction;

/// The role of a row in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The resource's own row.
    Resource,
    Claim,
    ExternalId,
    /// A further unique value, by its index.
    Unique(usize),
    /// A head of a group.
    Head,
    /// A member's row, or the head that it steps when all memberships of a resource end, by the
    /// index of the change.
    Member(usize),
    /// The row of the resource that becomes a member, by the index of the change.
    NewMember(usize),
    /// The row that says that a group is being created.
    Creating,
    /// The row of the resource that leaves all groups.
    Leaver,
    Seats,
    Brake,
    Other,
}

/// A write of rows in these roles.
pub(crate) type Transaction = transaction::Transaction<Role>;
/// What happened to it.
pub(crate) type TransactionResult = transaction::TransactionResult<Role>;
