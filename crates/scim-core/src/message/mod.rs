//! The messages of the protocol: queries and lists, bulk requests, discovery and errors.

pub mod bulk;
mod bulk_references;
pub mod discovery;
pub(crate) mod list;
pub mod query;

pub use list::*;
pub use query::Query;
