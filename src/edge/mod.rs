//! The edge: `http::Request<Bytes>` in, `http::Response<Bytes>` out, the same in Lambda and on a
//! laptop.

mod bulk;
mod discover;
mod dropped;
pub mod gateway;
mod line;
mod refusals;
mod refused;
mod request;
mod request_id;
mod resources;
mod response;
mod route;
mod service;
mod watch;

pub use line::RequestLine;
pub use request::{Deadline, MAX_BODY_BYTES, TIMEOUT, too_large};
pub use request_id::RequestId;
pub use route::BASE_PATH;
pub use service::Service;
