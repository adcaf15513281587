//! Bearer tokens: which are accepted, and what happens while this cannot be determined.

mod acceptance;
pub(crate) mod helpers;
mod look_ups;
mod moves;
mod outages;
mod rows;
mod seen;
