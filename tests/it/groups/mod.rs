//! Groups: members, memberships, and what happens to them when resources are deleted.

mod faults;
mod large;
mod lifecycle;
mod lists;
mod members;
