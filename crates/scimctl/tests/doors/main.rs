//! The doors of a laptop: which requests `serve` answers, and which users can read its files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod bodies;
mod endpoints;
mod files;
