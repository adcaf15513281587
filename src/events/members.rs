//! Members of groups: one event for each membership that begins or ends.

use serde_json::{Map, Value};

use super::draft::{EventDraft, EventSubject, verb};
use super::event_type::EventType;
use crate::store::{BeforeAfter, Membership, MembershipImage, Operation};

/// The event of a change of a membership's row; `pair` names the two of them in few characters.
pub(super) fn event(
    pair: String,
    membership: &Membership,
    change: BeforeAfter<MembershipImage>,
) -> Option<EventDraft> {
    let subject = subject(pair, membership);
    match (change.before, change.after) {
        (Some(before), Some(after)) if after.resync.is_some() && before.resync != after.resync => {
            let snapshot = EventDraft::new(EventType::MemberSnapshot, subject).caused_by("resync");
            Some(snapshot.extra("resync", after.resync))
        }
        // A row that an interrupted request had left behind is written again.
        (_, Some(after)) => {
            let cause = match after.trace.operation {
                Some(Operation::Restore) => Some("operator"),
                operation => verb(operation),
            };
            let added = EventDraft::new(EventType::MemberAdded, subject).with_trace(after.trace);
            Some(EventDraft { cause, ..added })
        }
        // The row is gone, and with it the place where the request could be named.
        (Some(_), None) => Some(EventDraft::new(EventType::MemberRemoved, subject)),
        (None, None) => None,
    }
}

fn subject(pair: String, membership: &Membership) -> EventSubject {
    let Membership { group, member, kind } = membership;
    let (mut parts, mut names) = (Map::new(), Map::new());
    parts.insert("group".into(), group.as_str().into());
    // An id that names no resource is a text of the client.
    let ids = if kind.is_some() { &mut parts } else { &mut names };
    ids.insert("member".into(), member.as_str().into());
    parts.insert("memberType".into(), kind.map_or(Value::Null, |kind| kind.as_str().into()));
    EventSubject { parts, names, ..EventSubject::new("Member", pair) }
}
