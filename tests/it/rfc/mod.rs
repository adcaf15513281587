//! Requirements of the RFCs that no other test holds; `docs/CONFORMANCE.md` says which test holds
//! which.

mod attributes;
mod discovery;
mod messages;
mod queries;
