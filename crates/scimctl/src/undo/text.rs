//! An undo for people.

use std::collections::BTreeSet;

use scim_lambda::operator::undo::{
    Comeback, GroupFate, LaterChange, Named, Obstacle, PlannedGroup, PlannedUser, UndoCounts,
    UndoPlan, UndoReport, UndoRequest, UserFate,
};

use crate::output::{instant, visible};
use crate::place::Place;
use crate::table::Table;

/// All users and groups, what happens to them, and how many they are.
pub(super) fn plan(tenant: &str, plan: &UndoPlan) -> String {
    if plan.is_empty() {
        let nothing = format!("Nothing that can be undone was done in {tenant} {}.", span(plan));
        return [Some(nothing), beginning(plan)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("\n");
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
    let things = things(plan);
    let mut letters = things.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("{}?", first.into_iter().chain(letters).collect::<String>())
}

/// The command that undoes exactly this.
pub(super) fn command(place: &Place, tenant: &str, request: &UndoRequest) -> String {
    let place =
        place.options().into_iter().map(|(name, value)| format!("{name} {}", quoted(&value)));
    let place = place.collect::<Vec<_>>().join(" ");
    let until = request.until.map(|until| format!(" --until {}", time(until)));
    let by = request.by.as_ref().map(|by| format!(" --by {}", quoted(by)));
    let (since, until, by) =
        (time(request.since), until.unwrap_or_default(), by.unwrap_or_default());
    format!("scimctl {place} undo {} --since {since}{until}{by}", quoted(tenant))
}

/// A word of a command.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", visible(word).replace('\'', r"'\''"))
}

/// What was done.
pub(super) fn report(report: &UndoReport) -> String {
    let UndoReport { restored, activated, created, added, removed, .. } = report;
    let done = [
        number(*restored, "user was restored", "users were restored"),
        number(*activated, "user became active", "users became active"),
        number(*created, "group was created again", "groups were created again"),
        number(*added, "member was added", "members were added"),
        number(*removed, "member was removed", "members were removed"),
    ];
    let done: Vec<String> = done.into_iter().flatten().collect();
    let done = if done.is_empty() { "Nothing was done".to_owned() } else { done.join(", ") };
    let mut lines = vec![format!("{done}.")];
    let inactive = report.without_seat.iter();
    lines.extend(
        inactive
            .map(|user| format!("{} came back inactive, because no seat is left.", shown(user))),
    );
    lines.extend(report.left_out.iter().map(|(user, attributes)| {
        let attributes = attributes.join(" and ");
        format!("{} came back without {attributes}: another user has the value.", shown(user))
    }));
    let failures = report.failures.iter();
    lines.extend(failures.map(|one| format!("{}: {}", shown(&one.subject), visible(&one.reason))));
    lines.join("\n")
}

/// The span and the actor of a plan, with the key ids that a label names.
fn span(plan: &UndoPlan) -> String {
    let request = &plan.request;
    let until = request.until.map(|until| format!(" until {}", time(until))).unwrap_or_default();
    let keys = plan.actors.iter().flatten().filter(|key| Some(*key) != request.by.as_ref());
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    let by = request.by.as_ref().map(|by| match keys.as_slice() {
        [] => format!(" by {}", visible(by)),
        keys => format!(" by {} (key {})", visible(by), keys.join(", key ")),
    });
    format!("since {}{until}{}", time(request.since), by.unwrap_or_default())
}

fn time(milliseconds: i64) -> String {
    instant(milliseconds.div_euclid(1_000))
}

/// What is done, and to how many people and groups.
fn things(plan: &UndoPlan) -> String {
    let UndoCounts { restore, rejoin, activate, create, add, remove } = plan.counts();
    let things = [
        number(restore, "person", "people").map(|people| format!("bring back {people}")),
        number(rejoin, "person", "people").map(|people| format!("put {people} back into groups")),
        number(activate, "person", "people").map(|people| format!("activate {people}")),
        number(create, "group", "groups").map(|groups| format!("create {groups} again")),
        number(add, "member", "members").map(|members| format!("add {members} to groups")),
        number(remove, "member", "members").map(|members| format!("remove {members} from groups")),
    ];
    let things: Vec<String> = things.into_iter().flatten().collect();
    match things.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        things => things.concat(),
    }
}

/// What is to be known about a span that begins before the log.
fn beginning(plan: &UndoPlan) -> Option<String> {
    let begins = time(plan.log_begins?);
    Some(format!(
        "The log is kept since {begins} only: what was done before is not known, so look at the \
         states closely."
    ))
}

fn summary(plan: &UndoPlan) -> String {
    let users = plan.users.iter().filter(|user| is_held(user)).count();
    let kept: usize = plan.groups.iter().map(held).sum();
    let mut lines = vec![if plan.changes() {
        format!("An undo would {}.", things(plan))
    } else {
        "There is nothing to bring back.".to_owned()
    }];
    let stay = [
        number(users, "user", "users"),
        number(kept, "group or membership", "groups or memberships"),
    ];
    let stay: Vec<String> = stay.into_iter().flatten().collect();
    if !stay.is_empty() {
        lines.push(format!("What cannot be brought back: {}.", stay.join(", ")));
    }
    if plan.missing_seats() > 0 {
        let free = number(plan.free_seats.unwrap_or_default(), "seat is", "seats are");
        let free = free.unwrap_or_else(|| "no seat is".to_owned());
        let missing = number(plan.missing_seats(), "person stays", "people stay");
        let missing = missing.unwrap_or_default();
        lines.push(format!("Seats are limited, and {free} free: {missing} without one."));
    }
    lines.extend(beginning(plan));
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
        UserFate::AlreadySo => "nothing to do".to_owned(),
        UserFate::ChangedSince(later) => changed_since(later),
        UserFate::NameTaken => format!(
            "stays deleted: the userName is another user's; scimctl user restore {tenant} {} \
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
        (None, _) => "is back already",
        (Some(_), true) => "comes back, active",
        (Some(_), false) => "comes back, suspended",
    };
    let groups = match comeback.groups.as_ref().map(BTreeSet::len) {
        None => "; its groups are not known".to_owned(),
        Some(groups) => number(groups, "group", "groups")
            .map_or_else(String::new, |groups| format!(", into {groups}")),
    };
    let except = number(comeback.except.len(), "group", "groups")
        .map(|groups| format!(", not into {groups} joined in the span or left since"));
    format!("{how}{groups}{}", except.unwrap_or_default())
}

fn push_group(table: &mut Table<3>, group: &PlannedGroup) {
    let shown = name(&group.name, group.id.as_str());
    let own = match &group.fate {
        GroupFate::Stays => None,
        GroupFate::Gone => Some("no longer exists".to_owned()),
        GroupFate::Create(..) => Some("is created again".to_owned()),
        GroupFate::AlreadySo => Some("exists again".to_owned()),
        GroupFate::ChangedSince(later) => Some(changed_since(later)),
        GroupFate::NameTaken => Some("stays deleted: another group has the displayName".to_owned()),
        GroupFate::NotTold => Some("stays: the log does not tell how it was".to_owned()),
    };
    own.iter().for_each(|own| table.push([shown, "", own]));
    let already = number(group.already_so, "membership is as before", "memberships are as before");
    already.iter().for_each(|already| table.push([shown, "", already]));
    if group.hides_members {
        table.push([shown, "", "the log does not tell which members changed"]);
    }
    let mut member = |member: &Named, what: &str| {
        table.push([shown, name(&member.name, member.id.as_str()), what])
    };
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
fn number(number: usize, one: &str, many: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::AwsOptions;

    fn named(id: &str) -> Named {
        Named { id: id.parse().unwrap(), name: Some(id.to_owned()) }
    }

    fn plan_of(users: &[UserFate], add: &[&str], remove: &[&str]) -> UndoPlan {
        let group = PlannedGroup {
            id: "staff".parse().unwrap(),
            name: None,
            fate: GroupFate::Stays,
            add: add.iter().map(|id| named(id)).collect(),
            remove: remove.iter().map(|id| named(id)).collect(),
            kept: Vec::new(),
            already_so: 0,
            hides_members: false,
        };
        let user = |fate: &UserFate| {
            let Named { id, name } = named("ada");
            PlannedUser { id, name, fate: fate.clone() }
        };
        UndoPlan {
            request: UndoRequest { since: 0, until: Some(1_000), by: Some("night job".to_owned()) },
            actors: None,
            log_begins: None,
            users: users.iter().map(user).collect(),
            groups: vec![group],
            free_seats: None,
        }
    }

    #[test]
    fn the_question_says_what_an_undo_gives_and_what_it_takes() {
        let taken = plan_of(&[], &[], &["ada", "bob"]);
        assert_eq!(question(&taken), "Remove 2 members from groups?");
        let both = plan_of(&[UserFate::Activate(3)], &["eve"], &["ada"]);
        let asked = "Activate 1 person, add 1 member to groups and remove 1 member from groups?";
        assert_eq!(question(&both), asked);
    }

    #[test]
    fn a_command_names_the_place_and_the_whole_span() {
        let place = Place::new(
            None,
            AwsOptions { stack: Some("prod".to_owned()), ..AwsOptions::default() },
        )
        .unwrap();
        let shown = command(&place, "acme", &plan_of(&[], &[], &[]).request);
        let span = "--since 1970-01-01T00:00:00Z --until 1970-01-01T00:00:01Z";
        assert_eq!(shown, format!("scimctl --stack prod undo acme {span} --by 'night job'"));
    }
}
