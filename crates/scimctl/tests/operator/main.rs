//! What an operator does to tenants, their users and their tokens: the binary, its output and its
//! exit status.
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

mod drift;
mod errors;
mod files;
mod groups;
mod guide;
mod import;
mod import_and_provisioning;
mod lines;
mod log;
mod person;
mod profiles;
mod resync;
mod stories;
mod tenants;
mod tokens;
mod transcript;
mod users;
