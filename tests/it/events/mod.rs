//! What the product hears.

mod content;
mod life;
mod records;
pub mod schemas;
mod story;
