//! The operator's use cases: tenants, tokens, profiles, the brake, users, import, export, resyncs,
//! drift and the log.
//!
//! The tool `scimctl` calls them today, and an admin API may later. Arguments and results are
//! typed, nothing is printed, no file is read, and an error is an [`OperatorError`] with a sentence
//! that does not depend on the caller. Users change by the same rules as for an identity provider,
//! and the log names `operator` as the actor.
//!
//! Each use case is a method of [`Operator`], in the file of its subject.

mod audit;
pub mod brake;
mod deployment;
pub mod drift;
mod error;
pub mod explain;
pub mod export;
pub mod groups;
pub mod import;
mod kept_tokens;
pub mod log;
mod names;
pub mod overview;
mod pause;
pub mod person;
pub mod profiles;
pub mod provisioning;
mod records;
pub mod refusals;
mod restoration;
pub mod resync;
pub mod room;
pub mod seed;
mod session;
pub mod tenants;
pub mod token_list;
pub mod tokens;
pub mod users;
mod waiting;
pub mod watch;
mod who;

pub use deployment::{Deployment, Operator};
pub use error::OperatorError;
pub use waiting::Pause;
