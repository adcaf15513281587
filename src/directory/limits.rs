//! The limits of what one request may ask for; `docs/OPERATIONS.md` lists them. [`crate::budget`]
//! limits how much a request uses of DynamoDB.

/// Maximum number of bytes of an answer as it is sent. Lambda takes six megabytes, headers
/// included.
pub const MAX_ANSWER_BYTES: usize = 4 * 1_024 * 1_024;
/// Maximum number of members of a group in one answer.
pub const MAX_MEMBERS_SHOWN: usize = 15_000;
/// Maximum number of groups of a user in one answer.
pub const MAX_GROUPS_SHOWN: usize = 1_000;
/// Maximum number of changes of members in a request.
pub const MAX_MEMBER_CHANGES: usize = 1_000;
/// Maximum number of resources that one request looks at for a filter without an index, or for a
/// sort.
pub const MAX_SCANNED: usize = 5_000;
/// Maximum number of resources that it looks at if the filter needs members or groups, which are in
/// other rows.
pub const MAX_SCANNED_WITH_MORE: usize = 500;
/// Maximum number of reads of those other rows. If a filter names many values, a request judges
/// fewer resources.
pub(super) const MAX_READS: usize = 1_000;
/// Maximum number of index look-ups for one filter.
pub const MAX_LOOK_UPS: usize = 50;
/// Maximum number of members of a group that `groups.value eq` looks up. For a larger group it
/// looks at all users.
pub const MAX_MEMBERS_LOOKED_UP: usize = 1_000;
/// Maximum number of bytes of documents and sort keys that a sort holds.
pub const MAX_SORTED_BYTES: usize = 8 * 1_024 * 1_024;
/// How many users who have expired one request erases.
pub const ERASED_AT_ONCE: usize = 10;
/// How many unfinished pieces of work one request takes over from earlier requests.
pub const FINISHED_AT_ONCE: usize = 5;
