//! An undo for scripts.

use std::collections::BTreeSet;

use scim_core::ResourceId;
use scim_lambda::operator::undo::{
    GroupFate, LaterChange, Named, Obstacle, PlannedGroup, PlannedUser, RaisedBefore, UndoCounts,
    UndoHeld, UndoPlan, UndoReport, UserFate,
};
use serde_json::{Value, json};

use crate::output::moment;

/// The plan, what was done (`null` if nothing was), and the command for exactly this span.
pub(super) fn of(tenant: &str, plan: &UndoPlan, done: Option<&UndoReport>, command: &str) -> Value {
    let request = &plan.request;
    let UndoCounts { restore, rejoin, activate, create, add, remove, came_in_span } = plan.counts();
    let UndoHeld { users, groups } = plan.held();
    json!({
        "tenant": tenant, "since": moment(request.since), "until": request.until.map(moment),
        "by": request.by, "actors": plan.actors, "logBegins": plan.log_begins.map(moment),
        "command": command,
        "users": plan.users.iter().map(user).collect::<Vec<_>>(),
        "groups": plan.groups.iter().map(group).collect::<Vec<_>>(),
        "usersToChange": plan.users_to_change(), "groupsToChange": plan.groups_to_change(),
        "counts": {
            "restore": restore, "rejoin": rejoin, "activate": activate, "create": create,
            "add": add, "remove": remove, "cameInSpan": came_in_span,
        },
        "held": { "users": users, "groups": groups },
        "freeSeats": plan.free_seats, "missingSeats": plan.missing_seats(),
        "done": done.map(report),
    })
}

fn user(PlannedUser { id, name, fate, came_in_span }: &PlannedUser) -> Value {
    let (what, details) = match fate {
        UserFate::Restore(comeback) => {
            let standing = comeback.standing;
            let groups = comeback.groups.as_ref().map(ids);
            let except = ids(&comeback.except);
            let details = json!({ "active": standing.active, "groups": groups, "except": except });
            (if comeback.version.is_some() { "restore" } else { "rejoin" }, details)
        }
        UserFate::Activate(_) => ("activate", json!({ "active": true })),
        UserFate::AlreadySo => ("already_so", json!({})),
        UserFate::ChangedSince(change) => ("changed_since", later(change)),
        UserFate::StaysOut(RaisedBefore { change, is_deleted }) => {
            let what = if *is_deleted { "stays_deleted" } else { "stays_suspended" };
            (what, later(change))
        }
        UserFate::NameTaken => ("name_taken", json!({})),
        UserFate::Lost => ("lost", json!({})),
        UserFate::NotTold => ("not_told", json!({})),
        UserFate::Unreadable(reason) => ("unreadable", json!({ "reason": reason })),
    };
    let user = json!({
        "id": id.as_str(), "userName": name, "what": what, "cameInSpan": came_in_span,
    });
    merged(user, details)
}

fn group(group: &PlannedGroup) -> Value {
    let (what, details) = match &group.fate {
        GroupFate::Stays => ("stays", json!({})),
        GroupFate::Create(..) => ("create", json!({})),
        GroupFate::AlreadySo => ("already_so", json!({})),
        GroupFate::ChangedSince(change) => ("changed_since", later(change)),
        GroupFate::NameTaken => ("name_taken", json!({})),
        GroupFate::Gone => ("gone", json!({})),
        GroupFate::NotTold => ("not_told", json!({})),
        GroupFate::Unreadable(reason) => ("unreadable", json!({ "reason": reason })),
    };
    let names = |members: &[Named]| members.iter().map(named).collect::<Vec<_>>();
    let object = json!({
        "id": group.id.as_str(), "displayName": group.name, "what": what, "cameInSpan": group.came_in_span,
        "add": names(&group.add), "remove": names(&group.remove),
        "kept": group.kept.iter().map(kept).collect::<Vec<_>>(),
        "alreadySo": group.already_so, "membersNotTold": group.hides_members,
    });
    merged(object, details)
}

fn kept((member, obstacle): &(Named, Obstacle)) -> Value {
    let (why, details) = match obstacle {
        Obstacle::ChangedSince(change) => ("changed_since", later(change)),
        Obstacle::MemberGone => ("member_gone", json!({})),
        Obstacle::GroupGone => ("group_gone", json!({})),
    };
    merged(merged(named(member), json!({ "why": why })), details)
}

fn later(LaterChange { milliseconds, actor, label }: &LaterChange) -> Value {
    json!({ "changed": moment(*milliseconds), "actor": actor, "label": label })
}

fn named(Named { id, name }: &Named) -> Value {
    json!({ "id": id.as_str(), "name": name })
}

fn ids(ids: &BTreeSet<ResourceId>) -> Vec<&str> {
    ids.iter().map(ResourceId::as_str).collect()
}

fn report(report: &UndoReport) -> Value {
    let failures = report.failures.iter();
    let failures = failures.map(|one| merged(named(&one.subject), json!({ "reason": one.reason })));
    json!({
        "restored": report.restored, "rejoined": report.rejoined,
        "activated": report.activated, "created": report.created,
        "added": report.added, "removed": report.removed,
        "withoutSeat": report.without_seat.iter().map(named).collect::<Vec<_>>(),
        "leftOut": report.left_out.iter().map(left_out).collect::<Vec<_>>(),
        "failures": failures.collect::<Vec<_>>(),
    })
}

fn left_out((user, attributes): &(Named, Vec<String>)) -> Value {
    merged(named(user), json!({ "attributes": attributes }))
}

/// An object with the members of another one too.
fn merged(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}
