//! The tool on a deployment in AWS: how it finds the stack, what it says about credentials and
//! rights, and which rights it needs.
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

mod account;
mod calls;
mod connect;
mod credentials;
mod denials;
mod import;
mod rights;
