//! How the 100 actions of a transaction are allocated.

use crate::store::engine::transaction::MAX_ACTIONS;
use crate::store::model::change::{MemberChange, ResourceWrite};
use crate::store::model::names::MAX_EMAILS;
use crate::store::rows::heads::HEADS;

/// Actions that a change of a resource takes at most without its e-mail addresses and members: row,
/// claims, externalIds, due rows, counter, seats, brake and log.
const OWN_ACTIONS: usize = 12;

/// A change of a user may put all of its addresses and remove as many others.
const _: () = assert!(OWN_ACTIONS + 2 * MAX_EMAILS <= MAX_ACTIONS);

/// How many memberships one transaction ends: three actions each, and a check, the log row, the row
/// of past memberships and the row of unfinished work.
pub(crate) const MEMBERSHIPS: usize = (MAX_ACTIONS - 4) / 3;

/// How many members' rows of a deleted group one transaction removes: two actions each, and the log
/// row and the row of unfinished work, which is checked or removed.
pub(crate) const MEMBERS: usize = (MAX_ACTIONS - 2) / 2;

/// How many of the first changes of members fit into one transaction together with a change of the
/// group itself.
pub fn that_fit(changes: &[MemberChange]) -> usize {
    let mut left = MAX_ACTIONS - OWN_ACTIONS - HEADS;
    let fitting = changes.iter().take_while(|change| {
        let actions = actions_of_change(change);
        let fits = actions <= left;
        left = left.saturating_sub(actions);
        fits
    });
    fitting.count()
}

/// Actions of a change of one member: both rows, and the row of a resource that becomes a member.
fn actions_of_change(change: &MemberChange) -> usize {
    match change {
        MemberChange::Add(_) => 3,
        MemberChange::AddUnknown(_) | MemberChange::Remove(_) => 2,
    }
}

/// Maximum number of actions of a new resource without its counter: row, claim, externalId and log,
/// and a row for each of its other names.
pub(crate) fn actions_of_new(new: &ResourceWrite<'_>) -> usize {
    4 + new.names.emails.len() + new.names.unique.len()
}
