//! Users: one event for each step of `docs/LIFE.md`.

use serde_json::{Map, Value};

use super::difference::View;
use super::draft::{Actor, Draft, verb};
use super::event_type::EventType;
use super::resources::{self, Moment};
use crate::directory::states::State;
use crate::store::{Change, Detail, Operation, ResourceImage, Stage, Stored, is_active};

/// The last second of the year 9999, the expiry of a user who never expires.
const NEVER: i64 = 253_402_300_799;

/// The event of a change of a user's row, if it concerns the product.
pub(super) fn event(
    view: View<'_>,
    moment: Moment,
    change: &Change<ResourceImage>,
) -> Option<Draft> {
    match (&change.before, &change.after) {
        (before, Some(after)) => {
            let event_type = event_type(before.as_ref(), after)?;
            let draft = resources::draft(view, event_type, before.as_ref(), after);
            let draft = draft.own("state", state(Some(&after.stored), moment));
            Some(explained(draft, after))
        }
        (Some(before), None) => Some(removed(view, moment, before)),
        (None, None) => None,
    }
}

/// The type of the event of a row that exists after the change.
fn event_type(before: Option<&ResourceImage>, after: &ResourceImage) -> Option<EventType> {
    let stage = before.map(|before| before.stored.state);
    match (stage, after.stored.state) {
        _ if resources::is_touched(before, after) => Some(EventType::UserSnapshot),
        // The row is as it was for the product: it tells that the user was once in a group.
        _ if before.is_some_and(|before| before.version == after.version) => None,
        (_, Stage::Unmanaged) if stage == Some(Stage::Unmanaged) => Some(EventType::UserUpdated),
        (_, Stage::Unmanaged) => Some(EventType::UserImported),
        (Some(Stage::Unmanaged), Stage::Live) => Some(EventType::UserLinked),
        (Some(Stage::Deleted), Stage::Live) => Some(EventType::UserRestored),
        // TTL has removed the row of the deleted user a moment ago.
        (None, Stage::Live) if after.trace.operation == Some(Operation::Restore) => {
            Some(EventType::UserRestored)
        }
        (None, Stage::Live) => Some(EventType::UserProvisioned),
        (Some(Stage::Deleted), Stage::Deleted) => Some(EventType::UserUpdated),
        (_, Stage::Deleted) => Some(EventType::UserDeleted),
        (Some(Stage::Live), Stage::Live) => before.map(|before| live(before, after)),
    }
}

/// The type of the event of a user who is visible before and after.
fn live(before: &ResourceImage, after: &ResourceImage) -> EventType {
    let active = |image: &ResourceImage| is_active(&image.stored.resource.attributes);
    match (active(before), active(after)) {
        (true, false) => EventType::UserSuspended,
        (false, true) => EventType::UserReactivated,
        _ if before.stored.names().name() != after.stored.names().name() => EventType::UserRenamed,
        _ => EventType::UserUpdated,
    }
}

/// The cause, and the members of the event's own type.
fn explained(draft: Draft, after: &ResourceImage) -> Draft {
    let trace = &after.trace;
    let expires = after.stored.expires;
    let cause = match (draft.event_type, trace.detail) {
        (EventType::UserSnapshot, _) => Some("resync"),
        (_, Some(Detail::NoSeat)) => Some("no_seat"),
        (EventType::UserSuspended, _) => Some("active_false"),
        (EventType::UserReactivated, _) if trace.operation != Some(Operation::Restore) => {
            Some("active_true")
        }
        (EventType::UserRestored, _) if draft.actor == Some(Actor::Operator) => Some("operator"),
        _ => verb(trace.operation),
    };
    let draft = Draft { cause, ..draft };
    match (draft.event_type, trace.detail) {
        (EventType::UserSuspended, _) => draft.own("until", date(expires)),
        (EventType::UserDeleted, _) => draft.own("mode", "soft").own("purgeAt", date(expires)),
        (EventType::UserLinked, Some(Detail::MatchedOn(attribute))) => {
            draft.own("matchedOn", attribute)
        }
        _ => draft,
    }
}

/// The event of a row that is gone.
fn removed(view: View<'_>, moment: Moment, before: &ResourceImage) -> Draft {
    let user = &before.stored;
    let named = |event_type| {
        let subject = resources::subject(view, user);
        Draft { previous_version: Some(before.version), ..Draft::new(event_type, subject) }
            .own("state", state(None, moment))
    };
    let expired = moment.by_ttl || user.expires.is_some_and(|expires| expires <= moment.time);
    match user.state {
        Stage::Unmanaged => named(EventType::UserReleased).by(Actor::Operator).caused_by("forget"),
        Stage::Live if !expired => named(EventType::UserDeleted)
            .caused_by("delete")
            .own("mode", "hard")
            .own("purgeAt", Value::Null),
        // Nothing is left but the id.
        Stage::Live | Stage::Deleted => {
            let mut draft = named(EventType::UserPurged).by(Actor::Expiry).caused_by("retention");
            draft.subject.names = Map::new();
            draft
        }
    }
}

/// The word for the state of a user.
fn state(user: Option<&Stored>, moment: Moment) -> &'static str {
    State::of(user.map(Stored::standing), moment.time).word()
}

/// A time as text; null if it never comes.
fn date(seconds: Option<i64>) -> Value {
    seconds.filter(|seconds| *seconds < NEVER).and_then(super::envelope::date).into()
}
