//! What one request may take, so that no request takes everything: DynamoDB calls, read units,
//! comparisons.
//!
//! Each request has one account, and every path draws on it. A read asks before it is sent, and is
//! refused if it could take more than is left. Work that reads much looks at what is left first,
//! and ends a page or a walk before it is refused. The operator's tool has no account and no bound.

mod account;
mod limits;
mod shares;

pub use account::{Balance, counted};
pub(crate) use account::{
    OutOfBudget, commits, committed, comparing, comparisons, left, may_write, refusals, reserve,
    writes,
};
pub use limits::*;
pub(crate) use shares::{apart, within};
