//! Resources: reading and checking what clients assert, and showing it to them.

pub(crate) mod admit;
pub(crate) mod attributes;
mod closed;
pub(crate) mod draft;
pub(crate) mod identity;
mod immutable;
pub(crate) mod member;
pub(crate) mod projection;
pub(crate) mod repeats;
mod represent;
mod required;
mod unique;

pub use admit::{MAX_ELEMENTS, MAX_EXTERNAL_ID_BYTES, MAX_STRING_BYTES};
pub use attributes::Attributes;
pub use draft::Draft;
pub use identity::{Meta, Resource, ResourceId, Version};
pub use immutable::Update;
pub use projection::Projection;
pub use represent::Representation;
pub use unique::UniqueValue;
