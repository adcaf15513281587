//! The beginning and the end of a resync.

use serde_json::json;

use super::draft::{Data, Draft, Subject};
use super::event_type::EventType;
use crate::store::{Change, Resync, ResyncScope, Trace};

/// The event of a change of a resync's row, if it began or finished.
pub(super) fn event(change: &Change<(Resync, Trace)>) -> Option<Draft> {
    let (resync, trace) = change.after.as_ref()?;
    let before = change.before.as_ref().map(|(resync, _)| resync);
    let subject = Subject::new("Resync", resync.id.as_str());
    let draft = match (before, resync.finished) {
        (None, _) => Draft::new(EventType::ResyncStarted, subject),
        (Some(before), Some(_)) if before.finished.is_none() => {
            let counts = json!({ "counts": resync.counts });
            Draft::new(EventType::ResyncFinished, subject).data(Data::Plain(counts))
        }
        (Some(_), _) => return None,
    };
    let draft = draft.traced(trace.clone()).own("resync", resync.id.as_str());
    Some(draft.own("scope", scope(&resync.scope)))
}

/// What the resync covers; the consumer drops what it did not see of it.
fn scope(scope: &ResyncScope) -> serde_json::Value {
    let ids = |ids: &[scim_core::ResourceId]| -> Vec<_> {
        ids.iter().map(|id| id.as_str().to_owned()).collect()
    };
    match scope {
        ResyncScope::All => json!({ "kind": "all" }),
        ResyncScope::Users(users) => json!({ "kind": "users", "ids": ids(users) }),
        ResyncScope::Groups(groups) => json!({ "kind": "groups", "ids": ids(groups) }),
        ResyncScope::Since(time) => {
            json!({ "kind": "since", "time": super::envelope::date(*time) })
        }
    }
}
