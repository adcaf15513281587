//! Seats that run out, and the brake that stops deactivations.

use serde_json::json;

use super::draft::{Actor, Data, EventDraft, EventSubject};
use super::envelope::date;
use super::event_type::EventType;
use crate::store::{BeforeAfter, BrakeRow, SeatsRow, TenantCode, Trace};

/// The event of a change of the row of seats, if the last seat was taken or freed.
pub(super) fn of_seats(
    tenant: &TenantCode,
    change: &BeforeAfter<(SeatsRow, Trace)>,
) -> Option<EventDraft> {
    let is_full = |seats: &SeatsRow| seats.used >= seats.limit;
    let before = change.before.as_ref().map(|(seats, _)| seats);
    let (seats, trace) = change.after.as_ref()?;
    let event_type = match (before.is_some_and(is_full), is_full(seats)) {
        (false, true) => EventType::SeatsExhausted,
        (true, false) => EventType::SeatsFreed,
        (false, false) | (true, true) => return None,
    };
    // The row's version counts changes that have no event, so it is not told.
    let draft = EventDraft::new(event_type, EventSubject::new("Seats", tenant.as_str()));
    let data = json!({ "used": seats.used, "limit": seats.finite_limit() });
    Some(draft.with_trace(trace.clone()).data(Data::Plain(data)))
}

/// The event of a change of the brake's row, if it tripped or was lifted.
pub(super) fn of_brake(
    tenant: &TenantCode,
    change: &BeforeAfter<(BrakeRow, Trace)>,
) -> Option<EventDraft> {
    let tripped =
        |image: &Option<(BrakeRow, Trace)>| image.as_ref().and_then(|(row, _)| row.tripped);
    let subject = EventSubject::new("Brake", tenant.as_str());
    match (tripped(&change.before), tripped(&change.after), &change.after) {
        (None, Some(since), Some((row, trace))) => {
            let data = json!({
                "since": date(since),
                "windowBegan": date(row.begun),
                "deactivations": row.counted,
                "limit": row.most,
            });
            let tripped =
                EventDraft::new(EventType::BrakeTripped, subject).with_trace(trace.clone());
            Some(tripped.data(Data::Plain(data)))
        }
        (Some(_), None, _) => {
            Some(EventDraft::new(EventType::BrakeLifted, subject).by(Actor::Operator))
        }
        _ => None,
    }
}
