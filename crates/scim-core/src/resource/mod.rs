//! Resources: how they are read from messages, checked, and shown again.

pub(crate) mod admit;
pub(crate) mod attributes;
pub(crate) mod immutable;
pub(crate) mod projection;
pub(crate) mod repeats;
mod required;

pub use admit::{MAX_ELEMENTS, MAX_EXTERNAL_ID_BYTES, MAX_STRING_BYTES};
pub use attributes::*;
pub use immutable::UniqueValue;
pub use projection::Projection;
