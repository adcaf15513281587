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

pub mod canonical;
mod error;
pub mod filter;
pub mod json;
pub mod message;
pub mod patch;
pub mod resource;
pub mod schema;

pub use error::{Error, ErrorKind};
pub use filter::{Equality, Filter, Interest, OutOfWork, Sort, SortKey};
pub use message::{Query, bulk, discovery, query};
pub use patch::members::{self, Member};
pub use patch::{MembersPatch, PatchRequest};
pub use resource::{
    Attributes, Draft, Meta, Projection, Representation, Resource, ResourceId, Version,
};
pub use schema::registry::Additions;
pub use schema::{Attribute, Dialect, NearMiss, ResourceType, Schema, Unknown};
