//! An undo for people.

use scim_lambda::operator::undo::{
    Comeback, GroupFate, LaterChange, Named, Obstacle, PlannedGroup, PlannedUser, UndoPlan,
    UndoReport, UserFate,
};

use crate::output::{instant, visible};
use crate::table::Table;

/// All users and groups, what happens to them, and how many they are.
pub(super) fn plan(tenant: &str, plan: &UndoPlan) -> String {
    if plan.is_empty() {
        return format!("Nothing that can be undone was done in {tenant} {}.", span(plan));
    }
    let mut parts = vec![format!("What was done in {tenant} {}:", span(plan))];
    if !plan.users.is_empty() {
        let mut table = Table::new(["user", "what happens"]);
        for user in &plan.users {
            table.push([name(&user.name, user.id.as_str()), &user_line(tenant, user)]);
        }
        parts.push(table.lines());
    }
    if !plan.groups.is_empty() {
        let mut table = Table::new(["group", "member", "what happens"]);
        plan.groups.iter().for_each(|group| push_group(&mut table, group));
        parts.push(table.lines());
    }
    parts.push(summary(plan));
    parts.join("\n\n")
}

/// What the operator is asked.
pub(super) fn question(plan: &UndoPlan) -> String {
    format!("Bring back {}?", things(plan))
}

/// What was done.
pub(super) fn report(report: &UndoReport) -> String {
    let UndoReport { restored, activated, created, added, removed, .. } = report;
    let done = [
        some(*restored, "user was restored", "users were restored"),
        some(*activated, "user became active", "users became active"),
        some(*created, "group was created again", "groups were created again"),
        some(*added, "member was added", "members were added"),
        some(*removed, "member was removed", "members were removed"),
    ];
    let done: Vec<String> = done.into_iter().flatten().collect();
    let done = if done.is_empty() { "Nothing was left to do".to_owned() } else { done.join(", ") };
    let mut lines = vec![format!("{done}.")];
    lines.extend(
        report
            .without_seat
            .iter()
            .map(|user| format!("{} came back inactive, because no seat is left.", shown(user))),
    );
    let failures = report.failures.iter();
    lines.extend(failures.map(|one| format!("{}: {}", shown(&one.subject), visible(&one.reason))));
    lines.join("\n")
}

/// The span and the actor of a plan.
fn span(plan: &UndoPlan) -> String {
    let request = &plan.request;
    let time = |milliseconds: i64| instant(milliseconds.div_euclid(1_000));
    let until = request.until.map(|until| format!(" until {}", time(until))).unwrap_or_default();
    let by = request.by.as_ref().map(|by| format!(" by {}", visible(by))).unwrap_or_default();
    format!("since {}{until}{by}", time(request.since))
}

/// How many people and groups change.
fn things(plan: &UndoPlan) -> String {
    let people = some(plan.users_to_change(), "person", "people");
    let groups = some(plan.groups_to_change(), "group", "groups");
    let things: Vec<String> = people.into_iter().chain(groups).collect();
    things.join(" and ")
}

fn summary(plan: &UndoPlan) -> String {
    let users = plan.users.iter().filter(|user| is_held(user)).count();
    let kept: usize = plan.groups.iter().map(held).sum();
    let changes = plan.users_to_change() + plan.groups_to_change();
    let mut lines = vec![if changes == 0 {
        "There is nothing to bring back.".to_owned()
    } else {
        format!("An undo brings back {}.", things(plan))
    }];
    let stay =
        [some(users, "user", "users"), some(kept, "group or membership", "groups or memberships")];
    let stay: Vec<String> = stay.into_iter().flatten().collect();
    if !stay.is_empty() {
        lines.push(format!("What cannot be brought back: {}.", stay.join(", ")));
    }
    if plan.missing_seats() > 0 {
        let free = some(plan.free_seats.unwrap_or_default(), "seat is", "seats are");
        let free = free.unwrap_or_else(|| "no seat is".to_owned());
        let missing = some(plan.missing_seats(), "person stays", "people stay");
        let missing = missing.unwrap_or_default();
        lines.push(format!("Seats are limited, and {free} free: {missing} without one."));
    }
    lines.join("\n")
}

/// Whether a user stays as it is against what the undo would do.
fn is_held(user: &PlannedUser) -> bool {
    !user.changes() && user.fate != UserFate::AlreadySo
}

/// How many things of a group stay as they are against what the undo would do.
fn held(group: &PlannedGroup) -> usize {
    let is_held = matches!(
        group.fate,
        GroupFate::ChangedSince(_) | GroupFate::NameTaken | GroupFate::NotTold
    );
    group.kept.len() + usize::from(is_held) + usize::from(group.hides_members)
}

fn user_line(tenant: &str, user: &PlannedUser) -> String {
    match &user.fate {
        UserFate::Restore(comeback) => comeback_line(comeback),
        UserFate::Activate(_) => "becomes active".to_owned(),
        UserFate::AlreadySo => "already so".to_owned(),
        UserFate::ChangedSince(later) => changed_since(later),
        UserFate::NameTaken => format!(
            "stays deleted: another user has the userName; scimctl user restore {tenant} {} \
             --user-name NAME",
            user.id
        ),
        UserFate::Lost => "lost: deleted for good, or its retention is over".to_owned(),
        UserFate::NotTold => "stays: the log does not tell how it was".to_owned(),
        UserFate::Unreadable(reason) => format!("stays: {reason}"),
    }
}

fn comeback_line(comeback: &Comeback) -> String {
    let how = match (comeback.version, comeback.standing.active) {
        (None, _) => "is back",
        (Some(_), true) => "comes back, active",
        (Some(_), false) => "comes back, suspended",
    };
    match comeback.groups.as_ref().map(std::collections::BTreeSet::len) {
        None => format!("{how}; its groups are not known"),
        Some(0) => how.to_owned(),
        Some(1) => format!("{how}, into 1 group"),
        Some(number) => format!("{how}, into {number} groups"),
    }
}

fn push_group(table: &mut Table<3>, group: &PlannedGroup) {
    let of = name(&group.name, group.id.as_str());
    let own = match &group.fate {
        GroupFate::Stays => None,
        GroupFate::Gone => Some("no longer exists".to_owned()),
        GroupFate::Create(..) => Some("is created again".to_owned()),
        GroupFate::AlreadySo => Some("already so".to_owned()),
        GroupFate::ChangedSince(later) => Some(changed_since(later)),
        GroupFate::NameTaken => Some("stays deleted: another group has the displayName".to_owned()),
        GroupFate::NotTold => Some("stays: the log does not tell how it was".to_owned()),
    };
    own.iter().for_each(|own| table.push([of, "", own]));
    let already = some(group.already_so, "membership is already so", "memberships are already so");
    already.iter().for_each(|already| table.push([of, "", already]));
    if group.hides_members {
        table.push([of, "", "the log does not tell which members changed"]);
    }
    let mut member =
        |member: &Named, what: &str| table.push([of, name(&member.name, member.id.as_str()), what]);
    group.add.iter().for_each(|one| member(one, "becomes a member again"));
    group.remove.iter().for_each(|one| member(one, "stops being a member"));
    for (one, obstacle) in &group.kept {
        match obstacle {
            Obstacle::ChangedSince(later) => member(one, &changed_since(later)),
            Obstacle::MemberGone => member(one, "stays out: the member no longer exists"),
            Obstacle::GroupGone => member(one, "stays out: the group no longer exists"),
        }
    }
}

fn changed_since(later: &LaterChange) -> String {
    let time = instant(later.milliseconds.div_euclid(1_000));
    format!("stays: changed since, {time} by {}", by(later))
}

fn by(later: &LaterChange) -> String {
    match &later.label {
        Some(label) => format!("{label} (key {})", later.actor),
        None if later.actor == "operator" => later.actor.clone(),
        None => format!("key {}", later.actor),
    }
}

/// A number of things, if there are any.
fn some(number: usize, one: &str, many: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        number => Some(format!("{number} {many}")),
    }
}

/// The name, or else the id.
fn name<'n>(name: &'n Option<String>, id: &'n str) -> &'n str {
    name.as_deref().unwrap_or(id)
}

fn shown(named: &Named) -> String {
    visible(name(&named.name, named.id.as_str()))
}
