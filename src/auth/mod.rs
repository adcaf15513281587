//! From an `Authorization` header to an authenticated tenant, or 401, or 503.
//!
//! Many tenants share a secret, which holds the digests of their tokens; a tenant's row names its
//! secret. One lookup of a secret serves all of its tenants for less than 60 seconds. A key id that
//! the records do not name is looked up at once, so a new token is valid as soon as it is minted.
//! Bad tokens are still cheap: their form and checksum are tested first, unknown tenants are
//! remembered, and each tenant has a small budget of lookups for key ids that its record does not
//! hold. If a token cannot be looked up, for example because Secrets Manager is down, or the secret
//! or the tenant's record in it is missing, the answer is 503, never 401: an identity provider
//! treats 401 as a wrong password and stops. Tokens that were verified before are still accepted
//! until the record that verified them is five minutes old.
//!
//! # A revoked token is refused within 60 seconds
//!
//! *In place.* A revocation removes the digest from the tenant's secret at one moment. A copy of
//! the secret that still holds it was read before that moment, and is trusted for less than 60
//! seconds from the time at which its read began.
//!
//! *By a move.* If the secret was changed too often that day, the revocation moves the tenant: the
//! record without the digest is written to a secret with a greater number, and the moment of the
//! revocation is that at which the tenant's row names it. The old secret may still hold the digest,
//! and may be read again. But a row that names it was read before that moment and is trusted for
//! less than 60 seconds, even if the token had to wait for a lookup in between (`Verifier::owner`).
//! A copy of the new secret that holds an older record of the tenant does not exist: a tenant never
//! comes back to a secret that it was in, and never moves to one with a record that a move left
//! behind unless that record is the same.
//!
//! A record that is older than a minute, or that has left the latest copy of its secret, accepts a
//! token only after the tenant's row was read again and still names that secret.
//!
//! Both arguments assume that a read of a secret that begins after a write has ended finds it. AWS
//! calls Secrets Manager eventually consistent; a revocation is late by as much as a read is.
//!
//! # A token that was minted in a move is valid at once
//!
//! Its record is in the new secret before the tenant's row names it. If a lookup that was made
//! after the token arrived does not find it, the row is read again, and if it names another secret,
//! that one decides. Only that read lets a token be remembered as not found. If a copy of it that was read earlier lacks the tenant's record, the secret is
//! looked up before anything is decided. So a flood of invented tokens costs at most one
//! read of the row for each lookup of the secret. A lookup fetches and parses up to 64 KiB, and one
//! that fails rests all tenants of the secret for two seconds.

mod authorization;
mod decision;
pub mod kept_tokens;
mod knowledge;
mod last_seen;
pub mod records;
mod secret_copy;
pub mod secrets_manager;
pub mod shared_records;
pub mod shared_secrets;
mod tenant_knowledge;
pub mod token;
mod verifier;

pub use verifier::{Caller, Verifier};
