//! One DynamoDB table, and nothing else; `docs/DATA_MODEL.md` shows its rows.
//!
//! Five layers, each of which uses only those below it:
//!
//! * `write`: one file for each use case that writes;
//! * `read`: everything that can be read;
//! * `rows`: one file for each row of the table;
//! * `model`: plain values, without DynamoDB;
//! * `engine`: DynamoDB, without SCIM.
//!
//! Three rules hold for all of them:
//!
//! * every write is one `TransactWriteItems` with a token of ours, so that a lost answer never
//!   becomes a false duplicate;
//! * every read after which an identity provider may act is strongly consistent;
//! * a row whose expiry has passed is gone, however late DynamoDB removes it.

mod engine;
mod model;
mod read;
mod rows;
mod write;

pub use engine::client::{Store, timeouts};
pub use engine::error::StoreError;
pub use engine::ranges::KeyRange;
pub use engine::table;
pub use model::audit::{Audit, Detail, EXPIRY, OPERATOR, Operation};
pub use model::change::{Expect, MemberChange, ResourceWrite, Takeover, Target, Transition};
pub use model::collection::{Collection, Kind};
pub use model::departure::{Departure, PastMemberships, SoftDeletion};
pub use model::guards::Guards;
pub use model::log_row::{LogRow, Subject};
pub use model::names::{MAX_EMAILS, MAX_UNIQUE_VALUES, Names};
pub use model::refusal::{NameOwners, Outcome, OwnerState, Refusal};
pub use model::refused::{MAX_ENTRIES, RefusalBatch, RefusedRequest};
pub use model::resync::{Resync, ResyncCounts, ResyncScope};
pub use model::secret_number::SecretNumber;
pub use model::stage::{Stage, Standing, is_active};
pub use model::stored::{MAX_DOCUMENT_BYTES, Stored};
pub(crate) use model::tenant_key::is_made;
pub use model::tenant_key::{TenantCode, TenantKey};
pub use model::trace::Trace;
pub use read::known::MatchBy;
pub use read::listed::Listed;
pub use read::log::{LogPage, LogRange};
pub use read::page::{MAX_PAGE_BYTES, Page, PageRoom, Portion};
pub use read::ranges::Ranges;
pub use read::roster::price_of_members;
pub use read::row_change::{
    BeforeAfter, Content, Membership, MembershipImage, ResourceImage, RowChange,
};
pub use read::touchable::{Touchable, TouchablePage};
pub use read::walk::{CALLS_OF_A_PAGE, UNITS_OF_A_PAGE, Walk};
pub use rows::seats_and_brake::{BrakeRow, SeatsRow};
pub use rows::tenant::TenantRow;
pub use rows::token::TokenRow;
pub use rows::unfinished::{Cause, Unfinished};
pub use write::batch::Batch;
pub use write::budget::that_fit;
pub use write::progress::{Note, Progress};
pub use write::refusals::MAX_REFUSAL_ROWS;
pub use write::seats_and_brake::Bounds;
