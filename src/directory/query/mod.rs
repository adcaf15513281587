//! Queries. An index answers them if possible. Otherwise a bounded number of resources is looked
//! at, one by one.

mod cursor;
mod facts;
mod gather;
mod judge;
mod listing;
mod lookup;
pub(super) mod need;
mod page;
pub(super) mod plan;
mod position;
mod represent;
pub(super) mod search;
mod source;
