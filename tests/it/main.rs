//! The service as its clients and operators see it: one binary, each test on its own engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod answers;
mod bad_input;
mod bounds;
mod brake;
mod bulk;
mod calls;
mod conformance;
mod cost_doc;
mod cursors;
mod deadlines;
mod discovery;
mod due;
mod endpoints;
mod etags;
mod events;
mod faults;
mod formats;
mod groups;
mod imports;
mod lambda;
mod leavers;
mod ledger;
mod leftovers;
mod life;
mod lifecycle;
mod limits;
mod limits_doc;
mod log;
mod log_reader;
mod metrics;
mod model;
mod paging;
mod parts;
mod plans;
mod policies;
mod product_ids;
mod products;
mod profiles;
mod profiles_doc;
mod races;
mod refusals;
mod refusals_doc;
mod request_ids;
mod request_line;
mod restores;
mod rfc;
mod schema_files;
mod schemas;
mod search;
mod seats;
mod secrets;
mod store_contract;
mod strict;
mod support;
mod thaw;
mod tidy;
mod tokens;
mod transcripts;
mod undo;
mod users;
mod vectors;
mod walks;
mod watch;
