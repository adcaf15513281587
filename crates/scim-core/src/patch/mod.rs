//! PATCH (RFC 7644, 3.5.2): requests, their paths, and what they do to a resource.

mod apply;
mod change;
mod elements;
pub(crate) mod members;
mod merge;
mod narrow;
pub(crate) mod path;
mod reader;
mod request;
mod target;
mod work;

pub use path::{MAX_PATH_BYTES, Path};
pub use request::{MAX_OPERATIONS, PatchRequest};
pub use work::MAX_WORK;
