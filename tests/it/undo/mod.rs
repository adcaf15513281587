//! What was done in a span of time is undone.

mod before;
mod cases;
mod oracle;
mod property;
mod seen;
mod storm;
mod trouble;
