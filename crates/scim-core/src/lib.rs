//! SCIM 2.0 without I/O: what RFC 7643 and RFC 7644 say about resources, paths, filters, PATCH
//! and messages, for any service provider to stand on.
//!
//! The way of a resource through this crate:
//!
//! ```text
//! JSON text --json::parse--> object --ResourceType::parse--> Draft
//! Resource --ResourceType::represent--> Representation
//! ```
//!
//! Names are rewritten to the schema's spelling at that border; behind it nobody compares names
//! ignoring case.

pub mod bulk;
mod bulk_references;
pub mod canonical;
pub mod characteristics;
pub mod discovery;
pub mod error;
pub mod filter;
mod filter_parse;
pub mod filter_plan;
mod filter_print;
mod gate;
pub mod json;
pub mod members;
pub mod message;
mod near_miss;
pub mod patch;
mod patch_apply;
pub mod path;
pub mod projection;
pub mod query;
mod repeats;
mod required;
pub mod resource;
pub mod resource_type;
pub mod resource_types;
pub mod schema;
pub mod shape;
pub mod sort;

pub use error::{Error, ErrorKind};
pub use filter::{Filter, OutOfWork};
pub use filter_plan::{Equality, Interest};
pub use members::{Member, MembersPatch};
pub use near_miss::NearMiss;
pub use patch::PatchRequest;
pub use projection::Projection;
pub use query::Query;
pub use resource::{Attributes, Draft, Meta, Representation, Resource, ResourceId, Version};
pub use resource_type::{Dialect, ResourceType, Unknown};
pub use resource_types::Additions;
pub use schema::{Attribute, Schema};
pub use sort::{Sort, SortKey};
