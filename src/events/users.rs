//! Users: one event for each step of `docs/LIFE.md`.

use serde_json::{Map, Value};

use super::difference::ResourceView;
use super::draft::{Actor, EventDraft, verb};
use super::event_type::EventType;
use super::resources::{self, Moment};
use crate::directory::NEVER;
use crate::directory::states::State;
use crate::store::{
    BeforeAfter, Detail, Operation, ResourceImage, Stage, Stored, Trace, is_active,
};

/// By how many seconds the clocks of the service and of the stream may differ.
const CLOCK_SKEW: i64 = 2;

/// The event of a change of a user's row, if it concerns the product.
pub(super) fn event(
    view: ResourceView<'_>,
    moment: Moment,
    change: BeforeAfter<ResourceImage>,
) -> Option<EventDraft> {
    match (change.before, change.after) {
        (before, Some(after)) => {
            // Versions begin again with a new user, whose row has taken the place of one that had
            // expired and was not removed yet.
            let before = before.filter(|before| before.version <= after.version);
            let event_type = event_type(before.as_ref(), &after)?;
            let state = State::of(Some(after.stored.standing()), moment.time);
            let (trace, expires) = (after.trace.clone(), after.stored.expires);
            let draft = resources::draft(view, event_type, before, after);
            let draft = with_cause(draft.extra("state", state.word()), &trace);
            Some(with_times(draft, state, expires))
        }
        (Some(before), None) => Some(removed(view, moment, &before)),
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
        (Some(Stage::Unmanaged), Stage::Unmanaged) | (Some(Stage::Deleted), Stage::Deleted) => {
            Some(EventType::UserUpdated)
        }
        (_, Stage::Unmanaged) => Some(EventType::UserImported),
        (Some(Stage::Unmanaged), Stage::Live) => Some(EventType::UserLinked),
        (Some(Stage::Deleted), Stage::Live) => Some(EventType::UserRestored),
        // TTL has removed the row of the deleted user a moment ago.
        (None, Stage::Live) if after.trace.operation.is_some_and(brings_back) => {
            Some(EventType::UserRestored)
        }
        (None, Stage::Live) => Some(EventType::UserProvisioned),
        (_, Stage::Deleted) => Some(EventType::UserDeleted),
        (Some(Stage::Live), Stage::Live) => before.map(|before| live(before, after)),
    }
}

/// Whether an operation makes deleted users visible.
fn brings_back(operation: Operation) -> bool {
    matches!(operation, Operation::Restore | Operation::Undo)
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
fn with_cause(draft: EventDraft, trace: &Trace) -> EventDraft {
    let cause = match (draft.event_type, trace.detail) {
        (EventType::UserSnapshot, _) => Some("resync"),
        (_, Detail { no_seat: true, .. }) => Some("no_seat"),
        (EventType::UserSuspended, _) => Some("active_false"),
        (EventType::UserReactivated, _) if !trace.operation.is_some_and(brings_back) => {
            Some("active_true")
        }
        (EventType::UserRestored, _)
            if draft.actor == Some(Actor::Operator)
                && trace.operation == Some(Operation::Restore) =>
        {
            Some("operator")
        }
        _ => verb(trace.operation),
    };
    let draft = EventDraft { cause, ..draft };
    match trace.detail.matched_on.filter(|_| draft.event_type == EventType::UserLinked) {
        Some(attribute) => draft.extra("matchedOn", attribute),
        None => draft,
    }
}

/// When the user is erased, where the event tells it. Of someone who is gone there is no data: GET
/// would answer 404.
fn with_times(draft: EventDraft, state: State, expires: Option<i64>) -> EventDraft {
    let draft = match (draft.event_type, state) {
        (EventType::UserDeleted, _) => draft.extra("mode", "soft").extra("purgeAt", date(expires)),
        (EventType::UserSnapshot, State::SoftDeleted) => draft.extra("purgeAt", date(expires)),
        (EventType::UserSuspended, _) | (EventType::UserSnapshot, State::SuspendedWithExpiry) => {
            draft.extra("until", date(expires))
        }
        _ => draft,
    };
    match state {
        State::SoftDeleted | State::Absent | State::Expired => EventDraft { data: None, ..draft },
        State::Unmanaged | State::Provisioned | State::Suspended | State::SuspendedWithExpiry => {
            draft
        }
    }
}

/// The event of a row that is gone.
fn removed(view: ResourceView<'_>, moment: Moment, before: &ResourceImage) -> EventDraft {
    let user = &before.stored;
    let named = |event_type| {
        let subject = resources::subject(view, user);
        EventDraft {
            previous_version: Some(before.version),
            ..EventDraft::new(event_type, subject)
        }
        .extra("state", State::Absent.word())
    };
    let expired = moment.by_ttl || has_expired(user, moment);
    match user.state {
        Stage::Unmanaged => named(EventType::UserReleased).by(Actor::Operator).caused_by("forget"),
        Stage::Live if !expired => named(EventType::UserDeleted)
            .caused_by("delete")
            .extra("mode", "hard")
            .extra("purgeAt", Value::Null),
        // Nothing is left but the id.
        Stage::Live | Stage::Deleted => {
            let mut draft = named(EventType::UserPurged).by(Actor::Expiry).caused_by("retention");
            draft.subject.names = Map::new();
            draft
        }
    }
}

/// Whether the retention of a user has ended. The clocks of the service and of the stream may
/// differ a little.
fn has_expired(user: &Stored, moment: Moment) -> bool {
    user.expires.is_some_and(|expires| expires <= moment.time + CLOCK_SKEW)
}

/// A time as text; null if it never comes.
fn date(seconds: Option<i64>) -> Value {
    seconds.filter(|seconds| *seconds < NEVER).and_then(super::envelope::date).into()
}
