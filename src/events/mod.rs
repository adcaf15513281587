//! What the product hears: an event for each change of a row that concerns it, made from the
//! table's stream. `docs/EVENTS.md` shows each type.
//!
//! One record of the stream gives at most one event, and each event is made from the two images of
//! one row, because the stream does not keep the rows of a transaction together. Nothing here
//! writes.

mod difference;
mod draft;
mod envelope;
mod event_type;
mod limits;
mod members;
mod resources;
mod resyncs;
mod room;
mod tenants;
mod users;

pub use envelope::MAX_EVENT_BYTES;
pub use event_type::EventType;
pub use room::Events;
