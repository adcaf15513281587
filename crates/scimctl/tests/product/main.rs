//! What a product hears from `scimctl serve`: the webhook, and `scimctl events tail`.
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

mod delivery;
mod receiver;
mod secret;
mod tail;
