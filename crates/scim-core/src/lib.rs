//! SCIM 2.0 without I/O: the resources, attribute paths, filters, PATCH requests and messages of
//! RFC 7643 and RFC 7644, for any service provider to build on.
//!
//! A resource takes this path through the crate:
//!
//! ```text
//! JSON text --json::parse--> object --ResourceType::parse--> Draft
//! Resource --ResourceType::represent--> Representation
//! ```
//!
//! Reading a message rewrites all names to the spelling of the schema. Code that works on parsed
//! resources never needs to compare names ignoring case.
//!
//! The modules are layers, and each uses only those listed before it: [`Error`], [`json`],
//! [`canonical`] and [`value`], then [`schema`], [`resource`], [`filter`], [`patch`] and
//! [`message`].

pub mod canonical;
mod envelope;
mod error;
pub mod filter;
pub mod json;
pub mod message;
pub mod patch;
pub mod resource;
pub mod schema;
pub mod value;

pub use error::{Error, ErrorKind};
pub use filter::{Equality, Filter, Interest, OutOfWork, Sort, SortKey};
pub use message::{Query, bulk, discovery, query};
pub use patch::PatchRequest;
pub use patch::members::MembersPatch;
pub use resource::member::Member;
pub use resource::{
    Attributes, Draft, Meta, Projection, Representation, Resource, ResourceId, Version,
};
pub use schema::{Additions, Attribute, Dialect, NearMiss, ResourceType, Schema, Unknown};

/// The members of a group: as values of a resource, and as PATCH operations change them.
pub mod members {
    pub use crate::patch::members::{Delta, MAX_WORK, MembersPatch};
    pub use crate::resource::member::{MAX_DISPLAY_BYTES, MEMBERS, Member, MemberType, take};
}
