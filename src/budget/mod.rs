//! What one request may use, so that no request uses everything: DynamoDB calls, read units and
//! comparisons.
//!
//! Each request has one account, and every path draws on it. A read asks before it is sent, and is
//! refused if it could take more than is left. Work that reads a lot checks first what is left, and
//! ends a page or a walk before it is refused. The operator's tool has no account and no limit.

mod account;
mod limits;
mod shares;

pub use account::{Balance, counted};
pub(crate) use account::{
    OutOfBudget, attempted, commits, committed, comparing, comparisons, conflicted, failed, left,
    may_write, refusals, reserve, throttled, writes,
};
pub use limits::*;
pub(crate) use shares::{apart, within};
