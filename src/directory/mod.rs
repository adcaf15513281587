//! The service provider: what create, retrieve, query, replace, patch and delete mean for a tenant.
//!
//! Each of the protocol's verbs has a file: `create.rs`, `retrieve.rs`, `change.rs` (PUT and
//! PATCH), `delete.rs`, and `query/`. They use `lifecycle/`, `groups/` and `policy/`.

mod change;
mod context;
mod create;
mod delete;
mod groups;
mod leftovers;
mod lifecycle;
pub mod limits;
mod policy;
mod precondition;
mod price;
mod query;
mod reads;
mod resource;
mod retrieve;
mod size;
mod stint;

pub use context::{Call, Directory, RequestReads};
pub use create::{Creation, Origin};
pub use groups::again::MembersAgain;
pub use groups::expand::{Expanded, View};
pub use lifecycle::expiry::NEVER;
pub use lifecycle::operator_change::ChangedByOperator;
pub use lifecycle::operator_restore::{
    RestoreOptions, RestoredByOperator, RestoredGroups, UndoneDeletion,
};
pub use lifecycle::{candidates, states};
pub use precondition::Precondition;
pub use query::need::price_of_judging;
pub use query::plan::Plan;
pub use query::search::{Found, Scope};
