//! An undo for people.

use std::collections::BTreeSet;

use scim_lambda::operator::undo::{
    Comeback, GroupFate, LaterChange, Named, Obstacle, PlannedGroup, PlannedUser, RaisedBefore,
    UndoCounts, UndoHeld, UndoPlan, UndoReport, UndoRequest, UserFate,
};

use crate::output::{moment, visible};
use crate::place::Place;
use crate::table::Table;

/// All users and groups, what happens to them, how many they are, and the command that goes on.
pub(super) fn plan(place: &Place, tenant: &str, plan: &UndoPlan) -> String {
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
        let own = format!("{} user", begun(place));
        for user in &plan.users {
            let line = user_line(&own, tenant, user);
            table.push([name(&user.name, user.id.as_str()), &line]);
        }
        parts.push(table.lines());
    }
    if !plan.groups.is_empty() {
        let mut table = Table::new(["group", "member", "what happens"]);
        plan.groups.iter().for_each(|group| push_group(&mut table, group));
        parts.push(table.lines());
    }
    let mut last = summary(plan);
    if plan.changes() {
        let again = command(place, tenant, &plan.request);
        last.push_str(&format!("\nThe command for exactly this: {again}"));
    }
    parts.push(last);
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
    let until = request.until.map(|until| format!(" --until {}", moment(until)));
    let by = request.by.as_ref().map(|by| format!(" --by {}", quoted(by)));
    let (since, until, by) =
        (moment(request.since), until.unwrap_or_default(), by.unwrap_or_default());
    format!("{} undo {} --since {since}{until}{by}", begun(place), quoted(tenant))
}

/// The beginning of a command, with the options that name the place.
fn begun(place: &Place) -> String {
    let options = place.options().into_iter();
    let options = options.map(|(name, value)| format!(" {name} {}", quoted(&value)));
    format!("scimctl{}", options.collect::<String>())
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
    let UndoReport { restored, rejoined, activated, created, added, removed, .. } = report;
    let done = [
        number(*restored, "user was restored", "users were restored"),
        number(*rejoined, "user was put back into groups", "users were put back into groups"),
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
    let until = request.until.map(|until| format!(" until {}", moment(until))).unwrap_or_default();
    let keys = plan.actors.iter().flatten().filter(|key| Some(*key) != request.by.as_ref());
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    let by = request.by.as_ref().map(|by| match keys.as_slice() {
        [] => format!(" by {}", visible(by)),
        keys => format!(" by {} (key {})", visible(by), keys.join(", key ")),
    });
    format!("since {}{until}{}", moment(request.since), by.unwrap_or_default())
}

/// What is done, and to how many people and groups.
fn things(plan: &UndoPlan) -> String {
    let UndoCounts { restore, rejoin, activate, create, add, remove, came_in_span } = plan.counts();
    let things = [
        number(restore, "person", "people").map(|people| format!("bring back {people}")),
        number(rejoin, "person", "people").map(|people| format!("put {people} back into groups")),
        number(activate, "person", "people").map(|people| format!("activate {people}")),
        number(create, "group", "groups").map(|groups| format!("create {groups} again")),
        number(add, "member", "members").map(|members| format!("add {members} to groups")),
        number(remove, "member", "members").map(|members| format!("remove {members} from groups")),
    ];
    let things: Vec<String> = things.into_iter().flatten().collect();
    let things = match things.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        things => things.concat(),
    };
    match number(came_in_span, "of them came in the span", "of them came in the span") {
        Some(came) => format!("{things} ({came})"),
        None => things,
    }
}

/// What is to be known about a span that begins before the log.
fn beginning(plan: &UndoPlan) -> Option<String> {
    let begins = moment(plan.log_begins?);
    Some(format!(
        "The log begins at {begins}: what was done before is not known, so look at the states \
         closely."
    ))
}

fn summary(plan: &UndoPlan) -> String {
    let mut lines = vec![if plan.changes() {
        format!("An undo would {}.", things(plan))
    } else {
        "There is nothing to bring back.".to_owned()
    }];
    lines.extend(held(plan));
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

/// How much cannot be brought back, if there is any such thing.
pub(super) fn held(plan: &UndoPlan) -> Option<String> {
    let UndoHeld { users, groups } = plan.held();
    let stay = [
        number(users, "user", "users"),
        number(groups, "group or membership", "groups or memberships"),
    ];
    let stay: Vec<String> = stay.into_iter().flatten().collect();
    (!stay.is_empty()).then(|| format!("What cannot be brought back: {}.", stay.join(", ")))
}

/// What happens to a user; `own` is the beginning of a command about one.
fn user_line(own: &str, tenant: &str, user: &PlannedUser) -> String {
    let (tenant, id) = (quoted(tenant), quoted(user.id.as_str()));
    match &user.fate {
        UserFate::Restore(comeback) => {
            let came = if user.came_in_span { "; came in the span" } else { "" };
            format!("{}{came}", comeback_line(comeback))
        }
        UserFate::Activate(_) => "becomes active".to_owned(),
        UserFate::AlreadySo => "nothing to do".to_owned(),
        UserFate::ChangedSince(later) => changed_since(later),
        UserFate::StaysOut(RaisedBefore { change, is_deleted: true }) => format!(
            "stays deleted, as before the span: was brought back at {}; {own} restore {tenant} {id}",
            when(change)
        ),
        UserFate::StaysOut(RaisedBefore { change, is_deleted: false }) => format!(
            "stays suspended, as before the span: was activated or brought back at {}; \
             {own} activate {tenant} {id}",
            when(change)
        ),
        UserFate::NameTaken => format!(
            "stays deleted: the userName is another user's; {own} restore {tenant} {id} \
             --user-name NAME, with the standing and the groups of its last deletion"
        ),
        UserFate::Lost => "lost: deleted for good, or its retention is over".to_owned(),
        UserFate::NotTold => "stays: the log does not tell how it was".to_owned(),
        UserFate::Unreadable(reason) => format!("stays: {reason}"),
    }
}

fn comeback_line(comeback: &Comeback) -> String {
    let (how, into) = match (comeback.version, comeback.standing.active) {
        (None, _) => ("is back already", ", and joins "),
        (Some(_), true) => ("comes back, active", ", into "),
        (Some(_), false) => ("comes back, suspended", ", into "),
    };
    let groups = match comeback.groups.as_ref().map(BTreeSet::len) {
        None => "; its groups are not known".to_owned(),
        Some(groups) => number(groups, "group", "groups")
            .map_or_else(String::new, |groups| format!("{into}{groups}")),
    };
    let except = number(comeback.except.len(), "group", "groups")
        .map(|groups| format!(", not into {groups} joined in the span, or left before or since"));
    format!("{how}{groups}{}", except.unwrap_or_default())
}

fn push_group(table: &mut Table<3>, group: &PlannedGroup) {
    let shown = name(&group.name, group.id.as_str());
    let own = match &group.fate {
        GroupFate::Stays => None,
        GroupFate::Gone => Some("no longer exists".to_owned()),
        GroupFate::Create(..) if group.came_in_span => {
            Some("is created again; came in the span".to_owned())
        }
        GroupFate::Create(..) => Some("is created again".to_owned()),
        GroupFate::AlreadySo => Some("exists again".to_owned()),
        GroupFate::ChangedSince(later) => Some(changed_since(later)),
        GroupFate::NameTaken => Some("stays deleted: another group has the displayName".to_owned()),
        GroupFate::NotTold => Some("stays: the log does not tell how it was".to_owned()),
        GroupFate::Unreadable(reason) => Some(format!("stays: {reason}")),
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
    format!("stays: changed since, {}", when(later))
}

fn when(change: &LaterChange) -> String {
    format!("{} by {}", moment(change.milliseconds), by(change))
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
            came_in_span: false,
            add: add.iter().map(|id| named(id)).collect(),
            remove: remove.iter().map(|id| named(id)).collect(),
            kept: Vec::new(),
            already_so: 0,
            hides_members: false,
        };
        let user = |fate: &UserFate| {
            let Named { id, name } = named("ada");
            PlannedUser { id, name, fate: fate.clone(), came_in_span: false }
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
    fn a_person_who_is_back_joins_groups() {
        let comeback = Comeback {
            standing: scim_lambda::store::Standing::of_word("active").unwrap(),
            version: None,
            groups: Some(["staff".parse().unwrap()].into()),
            except: BTreeSet::new(),
        };
        assert_eq!(comeback_line(&comeback), "is back already, and joins 1 group");
        let report = UndoReport { restored: 2, rejoined: 1, ..UndoReport::default() };
        let done = "2 users were restored, 1 user was put back into groups.";
        assert_eq!(super::report(&report), done);
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
