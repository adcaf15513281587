//! What the product hears.

mod content;
mod life;
mod page;
pub mod passes;
mod records;
pub mod schemas;
mod story;
