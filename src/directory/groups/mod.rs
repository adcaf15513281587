//! Members of groups, and groups of users.

pub(super) mod again;
pub(super) mod expand;
pub(super) mod members;
pub(super) mod resolve;
pub(super) mod shown;
