//! The life of a user: its states, how the same person is recognised, and what follows from a
//! refused write.

pub(super) mod adopt;
pub mod candidates;
pub(super) mod conflict;
pub(super) mod expiry;
pub(super) mod forget;
pub(super) mod identity;
pub(super) mod operator_change;
pub(super) mod operator_restore;
pub(super) mod post_conflict;
pub(super) mod restore;
pub mod states;
