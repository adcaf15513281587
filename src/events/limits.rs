//! Seats that run out, and the brake that stops deactivations.

use serde_json::json;

use super::draft::{Actor, Data, Draft, Subject};
use super::envelope::date;
use super::event_type::EventType;
use crate::store::{BrakeRow, Change, SeatsRow, TenantCode, Trace};

/// The event of a change of the row of seats, if the last seat was taken or freed.
pub(super) fn of_seats(tenant: &TenantCode, change: &Change<(SeatsRow, Trace)>) -> Option<Draft> {
    let is_full = |seats: &SeatsRow| seats.used >= seats.limit;
    let before = change.before.as_ref().map(|(seats, _)| seats);
    let (seats, trace) = change.after.as_ref()?;
    let event_type = match (before.is_some_and(is_full), is_full(seats)) {
        (false, true) => EventType::SeatsExhausted,
        (true, false) => EventType::SeatsFreed,
        (false, false) | (true, true) => return None,
    };
    let version = |seats: &SeatsRow| u64::try_from(seats.version).ok();
    let draft =
        Draft::new(event_type, Subject::new("Seats", tenant.as_str())).traced(trace.clone());
    let draft =
        draft.data(Data::Plain(json!({ "used": seats.used, "limit": seats.finite_limit() })));
    Some(Draft { version: version(seats), previous_version: before.and_then(version), ..draft })
}

/// The event of a change of the brake's row, if it tripped or was lifted.
pub(super) fn of_brake(tenant: &TenantCode, change: &Change<(BrakeRow, Trace)>) -> Option<Draft> {
    let tripped =
        |image: &Option<(BrakeRow, Trace)>| image.as_ref().and_then(|(row, _)| row.tripped);
    let subject = Subject::new("Brake", tenant.as_str());
    match (tripped(&change.before), tripped(&change.after), &change.after) {
        (None, Some(since), Some((row, trace))) => {
            let data = json!({
                "since": date(since),
                "windowBegan": date(row.begun),
                "deactivations": row.counted,
                "limit": row.most,
            });
            let tripped = Draft::new(EventType::BrakeTripped, subject).traced(trace.clone());
            Some(tripped.data(Data::Plain(data)))
        }
        (Some(_), None, _) => Some(Draft::new(EventType::BrakeLifted, subject).by(Actor::Operator)),
        _ => None,
    }
}
