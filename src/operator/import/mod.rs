//! Import of users that the product had before SCIM. They are stored as *unmanaged*: an identity
//! provider does not see them until it provisions them.
//!
//! A record is judged by itself and among the other records (`judge`), then against the tenant's
//! users (`known`), and stored if it is new (`run`).

mod attributes;
mod context;
mod judge;
mod known;
mod patience;
mod pending;
mod record;
mod report;
mod run;

pub use crate::directory::candidates::Key;
pub use context::Import;
pub use judge::MAX_ALIKE;
pub use patience::Progress;
pub use record::Record;
pub use report::{Conflict, Counts, Line, Mode, RecordOutcome, Report};
