//! How users live: their states, who is the same person, and what follows from a refused write.

pub(super) mod adopt;
pub(super) mod conflict;
pub(super) mod expiry;
pub(super) mod identity;
pub(super) mod restore;
pub mod states;
