//! Writes, one file for each use case. Every write is one transaction with a token of ours, so that
//! a lost answer never becomes a false duplicate.

pub(crate) mod batch;
pub(crate) mod budget;
pub(crate) mod commit;
pub(crate) mod condition;
pub(crate) mod disband;
pub(crate) mod expiry;
pub(crate) mod export;
pub(crate) mod members;
pub(crate) mod memberships;
pub(crate) mod outcome;
pub(crate) mod past;
pub(crate) mod progress;
pub(crate) mod put;
pub(crate) mod refusals;
pub(crate) mod removal;
pub(crate) mod resync;
pub(crate) mod seats_and_brake;
pub(crate) mod tenants;
pub(crate) mod tokens;
pub(crate) mod touch;
pub(crate) mod unfinished;
