//! What the product hears.

mod content;
mod convergence;
mod drift;
mod interruptions;
mod life;
mod page;
pub mod passes;
mod races;
mod records;
mod resync;
pub mod schemas;
mod story;
