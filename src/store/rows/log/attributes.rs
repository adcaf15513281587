//! The attributes of a row of the log, and the words in them.

/// What was done.
pub(super) const OPERATION: &str = "op";
/// What the row is about: the letter of the collection, `T` for the tenant, `A` for a token.
pub(super) const SUBJECT: &str = "ty";
/// The version that the change made.
pub(super) const VERSION: &str = "v";
/// When, in seconds since 1970.
pub(super) const TIME: &str = "at";
/// Token id.
pub(super) const ACTOR: &str = "ac";
/// Request id.
pub(super) const REQUEST: &str = "rq";
/// Changed attributes as `name=digest`, changed settings by their names, and [`MEMBERS_ADD`],
/// [`MEMBERS_REMOVE`] and [`GROUPS_REMOVE`].
pub(super) const CHANGES: &str = "ch";
/// The standing of a user before a change that ends it.
pub(super) const WAS: &str = "was";
/// The members that a group got.
pub(super) const ADDED: &str = "ma";
/// The members that a group lost.
pub(super) const REMOVED: &str = "mr";
/// The groups that a resource left.
pub(crate) const GROUPS: &str = "gr";
/// How many users an export wrote.
pub(super) const COUNT: &str = "n";

/// The word for members that a group got.
pub(super) const MEMBERS_ADD: &str = "members.add";
/// The word for members that a group lost.
pub(super) const MEMBERS_REMOVE: &str = "members.remove";
/// The word for groups that a resource left.
pub(super) const GROUPS_REMOVE: &str = "groups.remove";
