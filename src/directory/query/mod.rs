//! Queries: by index where one answers, by a bounded look at all resources where none does.

mod cursor;
pub(super) mod facts;
mod gather;
mod listing;
mod lookup;
mod page;
pub(super) mod plan;
mod position;
mod represent;
pub(super) mod search;
mod source;
