//! PATCH (RFC 7644, 3.5.2): requests, their paths, and what they do to a resource.

mod apply;
pub mod members;
mod narrow;
pub(crate) mod path;
pub(crate) mod request;

pub use members::MembersPatch;
pub use path::{MAX_PATH_BYTES, Path};
pub use request::{MAX_OPERATIONS, MAX_WORK, PatchRequest};
