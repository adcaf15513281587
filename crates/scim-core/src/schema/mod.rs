//! Schemas and resource types, and how a name finds the attribute that it stands for.

pub(crate) mod attribute;
pub(crate) mod near_miss;
pub mod registry;
pub(crate) mod resource_type;

pub use crate::patch::path::{AttributeRef, Place};
pub use attribute::{Attribute, Mutability, Returned, Schema, Type, Uniqueness};
pub use near_miss::NearMiss;
pub use resource_type::{Dialect, ResourceType, Unknown};
