//! Filters and sorting (RFC 7644, 3.4.2.2 and 3.4.2.3).

pub(crate) mod ast;
pub(crate) mod parse;
mod plan;
mod print;
pub mod sort;

pub use ast::{Filter, OutOfWork};
pub use parse::{MAX_BYTES, MAX_DEPTH, MAX_TERMS};
pub use plan::{Equality, Interest};
pub use sort::{Sort, SortKey};
