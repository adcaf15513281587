//! Profiles that contradict themselves are refused, with what to change.

mod address;
mod attributes;
mod definitions;
mod profile;
