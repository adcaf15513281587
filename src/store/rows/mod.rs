//! The rows of `docs/DATA_MODEL.md`, one file each: attributes, keys, and how a transaction changes
//! them.

pub(crate) mod counters;
pub(crate) mod due;
pub(crate) mod heads;
pub(crate) mod identity;
pub(crate) mod ids;
pub(crate) mod kind;
pub(crate) mod log;
pub(crate) mod member;
pub(crate) mod membership;
pub(crate) mod past;
pub(crate) mod pointers;
pub(crate) mod refusal;
pub(crate) mod resource;
pub(crate) mod resync;
pub(crate) mod role;
pub(crate) mod seats_and_brake;
pub(crate) mod shared_secret;
pub(crate) mod tenant;
pub(crate) mod token;
pub(crate) mod trace;
pub(crate) mod unfinished;
