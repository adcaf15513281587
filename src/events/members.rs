//! Members of groups: one event for each membership that begins or ends.

use serde_json::{Map, Value};

use super::draft::{Draft, Subject, verb};
use super::event_type::EventType;
use crate::store::{Change, Membership, MembershipImage};

/// The event of a change of a membership's row.
pub(super) fn event(membership: &Membership, change: &Change<MembershipImage>) -> Option<Draft> {
    let subject = subject(membership);
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if after.resync.is_some() && before.resync != after.resync => {
            let snapshot = Draft::new(EventType::MemberSnapshot, subject).caused_by("resync");
            Some(snapshot.own("resync", after.resync.clone()))
        }
        // A row that an interrupted request had left behind is written again.
        (_, Some(after)) => {
            let added = Draft::new(EventType::MemberAdded, subject).traced(&after.trace);
            Some(Draft { cause: verb(after.trace.operation), ..added })
        }
        // The row is gone, and with it the place where the request could be named.
        (Some(_), None) => Some(Draft::new(EventType::MemberRemoved, subject)),
        (None, None) => None,
    }
}

fn subject(membership: &Membership) -> Subject {
    let Membership { group, member, kind } = membership;
    let mut parts = Map::new();
    parts.insert("group".into(), group.as_str().into());
    parts.insert("member".into(), member.as_str().into());
    parts.insert("memberType".into(), kind.map_or(Value::Null, |kind| kind.as_str().into()));
    Subject { parts, ..Subject::new("Member", format!("{group}/{member}")) }
}
