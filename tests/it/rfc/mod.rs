//! Requirements of the RFCs that no other test covers; `docs/CONFORMANCE.md` says which test covers
//! which.

mod attributes;
mod discovery;
mod messages;
mod queries;
