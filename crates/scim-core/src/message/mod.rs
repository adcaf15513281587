//! The messages of the protocol: queries and lists, errors, bulk requests and discovery.

pub mod bulk;
mod bulk_operation;
mod bulk_references;
pub mod discovery;
mod list;
pub mod query;

pub use crate::envelope::{BULK_REQUEST, BULK_RESPONSE, ERROR, LIST_RESPONSE, PATCH_OP};
pub use list::{ErrorMessage, ListResponse};
pub use query::{MAX_BODY_BYTES, Query};
