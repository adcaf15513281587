//! From an `Authorization` header to an authenticated tenant, or 401, or 503.
//!
//! A token's records are cached for less than 60 seconds, so a revoked token is refused within that
//! time. A key id that they do not name is looked up at once, so a new token is valid as soon as it
//! is minted. Bad tokens are still cheap: their form and checksum are tested first, unknown tenants
//! are remembered, and each tenant has a small budget of lookups for key ids that its secret does
//! not hold. If a token cannot be looked up, for example because Secrets Manager is down, the
//! answer is 503, never 401: an identity provider treats 401 as a wrong password and stops. Tokens
//! that were verified before are still accepted until their records are five minutes old.

mod authorization;
mod decision;
mod knowledge;
pub mod records;
pub mod secrets_manager;
pub mod token;
mod verifier;

pub use verifier::{Caller, Verifier};
