//! What the product hears.

mod content;
mod life;
mod page;
mod passes;
mod records;
pub mod schemas;
mod story;
