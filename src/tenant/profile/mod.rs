//! Profiles: every policy in which products and identity providers differ, as plain data.
//!
//! A profile is the default one with the settings of a preset, of an identity provider's dialect
//! and of the operator laid over it; `docs/PROFILES.md` lists them all.

mod address;
mod attributes;
mod check;
mod dialect;
mod document;
mod error;
mod layers;
mod model;
mod presets;
mod service;
mod switch;
mod table;
#[cfg(test)]
mod table_tests;
mod takes;
mod types;
mod users;

pub use attributes::*;
pub use dialect::*;
pub use document::settings;
pub use error::ProfileError;
pub use model::Profile;
pub use presets::{IDPS, PRESETS, is_preset};
pub use service::*;
pub use switch::Switch;
pub use table::{SETTINGS, Setting};
pub use takes::Takes;
pub use types::{ServedType, ServedTypes};
pub use users::*;
