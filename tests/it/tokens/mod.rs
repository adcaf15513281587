//! Bearer tokens: which are accepted, and what happens while nothing can tell.

mod acceptance;
mod helpers;
mod look_ups;
mod outages;
