//! Filters and sorting (RFC 7644, 3.4.2.2 and 3.4.2.3).

pub(crate) mod ast;
mod evaluate;
mod fold;
mod lexer;
mod operand;
mod parse;
mod plan;
mod print;
mod sort;

pub use ast::Filter;
pub use evaluate::OutOfWork;
pub use parse::{MAX_BYTES, MAX_DEPTH, MAX_TERMS};
pub use plan::{Equality, Interest};
pub use sort::{Sort, SortKey};
