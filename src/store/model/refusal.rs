//! What happened to a write, and why it was refused.

use scim_core::ResourceId;

/// The state of the owner of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerState {
    /// Visible.
    Live,
    /// Deleted, but can be restored.
    Deleted,
    /// Imported, but not provisioned yet.
    Unmanaged,
}

/// The owners of a resource's names.
#[derive(Debug, Default)]
pub struct NameOwners {
    /// The owner of the name.
    pub name: Option<(ResourceId, OwnerState)>,
    /// The first owner of the externalId; a resource may become a further one.
    pub external_id: Option<(ResourceId, OwnerState)>,
}

/// What happened to a write.
#[derive(Debug)]
pub enum Outcome {
    /// The resource is stored.
    Committed,
    /// Nothing was written.
    Refused(Refusal),
}

/// Why nothing was written. Several reasons may hold at once.
#[derive(Debug, Default)]
pub struct Refusal {
    /// The row (or, with a precondition, the membership) changed since it was read: read it again
    /// and decide again.
    pub stale: bool,
    /// The owners of names that the write may not take.
    pub owners: NameOwners,
    /// The index of a further unique value that another resource has.
    pub unique: Option<usize>,
    /// The group does not exist.
    pub no_group: bool,
    /// Indices of changes of members that are in effect already.
    pub already_applied: Vec<usize>,
    /// Indices of changes of members whose resource is not visible.
    pub missing_members: Vec<usize>,
    /// No seat is left. Set only if the row is as it was read.
    pub no_seat: bool,
    /// The brake stops the change, or a new window must be opened first. Set only if the row is as
    /// it was read.
    pub brake_on: bool,
}
