//! Reads. All of them are strongly consistent, because an identity provider may act on each result.
//! A row that has expired does not exist for them, however late DynamoDB removes it.

pub(crate) mod count;
pub(crate) mod due;
pub(crate) mod known;
pub(crate) mod listed;
pub(crate) mod log;
pub(crate) mod lookup;
pub(crate) mod many;
pub(crate) mod memberships;
pub(crate) mod one;
pub(crate) mod owners;
pub(crate) mod page;
pub(crate) mod past;
pub(crate) mod ranges;
pub(crate) mod refusals;
pub(crate) mod resyncs;
pub(crate) mod roster;
pub(crate) mod row_change;
pub(crate) mod seats_and_brake;
pub(crate) mod tenants;
pub(crate) mod tokens;
pub(crate) mod touchable;
pub(crate) mod unfinished;
pub(crate) mod walk;
