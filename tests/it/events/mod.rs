//! What the product hears.

mod life;
mod records;
