//! The formats of rows: what a release keeps that it does not know, and what it leaves alone.

mod kinds;
mod newer;
pub mod scene;
mod unknown;
