//! The customer: a tenant with its profile, and the cache in front of its row.

pub(crate) mod cache;
mod failure;
pub mod profile;
mod tenants;

pub use failure::TenantError;
pub use profile::{Profile, ProfileError, ServedType, ServedTypes};
pub use tenants::{Tenant, Tenants};
