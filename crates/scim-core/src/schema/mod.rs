//! Schemas and resource types, and the attribute that a name stands for.

mod additions;
pub(crate) mod attribute;
pub(crate) mod dialect;
pub(crate) mod near_miss;
pub(crate) mod place;
pub mod registry;
pub(crate) mod resource_type;
mod well_formed;

pub use additions::COMMON;
pub use attribute::{Attribute, Mutability, Returned, Schema, Type, Uniqueness};
pub use dialect::{Dialect, Unknown};
pub use near_miss::NearMiss;
pub use place::{AttributeRef, Place};
pub use registry::{Additions, Overlay, SchemaError};
pub use resource_type::ResourceType;
