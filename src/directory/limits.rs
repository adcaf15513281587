//! The bounds of what one request may ask for; `docs/OPERATIONS.md` lists them. [`crate::budget`]
//! bounds what a request takes of DynamoDB.

/// Most bytes of an answer as it is sent. Lambda takes six megabytes, headers included.
pub const MAX_ANSWER_BYTES: usize = 4 * 1_024 * 1_024;
/// Most members of a group in one answer.
pub const MAX_MEMBERS_SHOWN: usize = 15_000;
/// Most groups of a user in one answer.
pub const MAX_GROUPS_SHOWN: usize = 1_000;
/// Most changes of members in a request.
pub const MAX_MEMBER_CHANGES: usize = 1_000;
/// Most resources that one request looks at for a filter without index, or a sort.
pub const MAX_SCANNED: usize = 5_000;
/// Most resources that it looks at if the filter needs members or groups, which are other rows.
pub const MAX_SCANNED_WITH_MORE: usize = 500;
/// Most reads of those other rows. If a filter names many values, a request judges fewer resources.
pub(super) const MAX_READS: usize = 1_000;
/// Most index look-ups for one filter.
pub const MAX_LOOK_UPS: usize = 50;
/// Most members of a group that `groups.value eq` looks up. For a larger group it looks at all users.
pub const MAX_MEMBERS_LOOKED_UP: usize = 1_000;
/// Most bytes of documents and sort keys that a sort holds.
pub const MAX_SORTED_BYTES: usize = 8 * 1_024 * 1_024;
/// How many users whose time has come one request erases.
pub const ERASED_AT_ONCE: usize = 10;
/// How many unfinished pieces of work of earlier requests one request goes on with.
pub const FINISHED_AT_ONCE: usize = 5;
