//! What was done in a span of time is undone.

mod cases;
