//! `serve --webhook`: each event is posted to a URL, one after the other, until it is taken.

mod delivery;
mod secret;
mod target;

pub(super) use delivery::deliver;
pub(super) use secret::Secret;
pub(super) use target::{Target, parse_url};
