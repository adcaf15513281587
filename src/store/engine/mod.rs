//! DynamoDB: one table, rows of attributes, queries and transactions. It knows nothing of SCIM.

pub(crate) mod batch_get;
pub(crate) mod client;
pub(crate) mod error;
pub(crate) mod format;
pub(crate) mod item;
pub(crate) mod pause;
pub(crate) mod query;
pub(crate) mod ranges;
pub(crate) mod stream;
pub mod table;
pub(crate) mod time;
pub(crate) mod transaction;
