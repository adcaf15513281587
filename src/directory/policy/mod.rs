//! What a tenant's profile restricts, in addition to what the store enforces.

pub(super) mod admit;
pub(super) mod brake;
pub(super) mod seats;
