//! The guides under each preset.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod documents;
mod profiles;
mod safety;
mod support;
mod text;
