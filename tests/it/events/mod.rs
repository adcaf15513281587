//! What the product hears.

mod drift;
mod life;
mod races;
mod records;
mod resync;
