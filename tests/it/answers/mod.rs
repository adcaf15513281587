//! Whole answers, as a client reads them.
//!
//! A snapshot that differs fails the test, and nothing is written. To accept a new answer, run the
//! test with `INSTA_UPDATE=new` and then `cargo insta review`, or edit the text in the test.

mod discovery;
mod resources;
