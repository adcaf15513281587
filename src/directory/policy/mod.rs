//! What a tenant's profile says of a request before and beside the store.

pub(super) mod admit;
pub(super) mod brake;
pub(super) mod seats;
