//! `scimctl user show`: all that is known about one person, and why they are not in.

use scim_core::value::date_time;
use scim_lambda::directory::states::State;
use scim_lambda::operator::Operator;
use scim_lambda::operator::brake::BrakeState;
use scim_lambda::operator::log::LogEntry;
use scim_lambda::operator::overview::Overview;
use scim_lambda::operator::person::{KnownUser, Person};
use scim_lambda::store::{Operation, Stage};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::output::{Format, instant, print, visible};
use crate::{errors, log, when};

pub(crate) async fn show(
    operator: &Operator,
    tenant: &str,
    who: &str,
    format: Format,
) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    let person = operator.person(&row, who).await?;
    print(format, &object(tenant, who, &person), &lines(who, &person).join("\n"));
    Ok(())
}

fn lines(who: &str, person: &Person) -> Vec<String> {
    let mut lines = vec![verdict(who, person)];
    lines.extend(obstacles(&person.tenant));
    if let Some(user) = &person.user {
        lines.push(String::new());
        lines.extend(facts(user));
        lines.push(String::new());
        lines.push(if user.history.is_empty() {
            "The log has nothing about them.".to_owned()
        } else {
            "What was done, the newest first:".to_owned()
        });
        lines.extend(user.history.iter().map(|entry| format!("  {}", log::line(entry))));
        if !user.is_complete {
            let (tenant, id) = (&person.tenant.tenant.row.name, &user.id);
            lines
                .push(format!("  scimctl log {tenant} --since 90d --who {id} looks further back."));
        }
    }
    if !person.refusals.is_empty() {
        lines.push(String::new());
        lines.push("What was refused, the newest first:".to_owned());
        let refusals = person.refusals.iter().map(|refusal| errors::lines(refusal, Some(who)));
        lines.extend(refusals);
    }
    lines
}

/// One sentence about whether they are in, and what brings them in.
fn verdict(who: &str, person: &Person) -> String {
    let tenant = &person.tenant.tenant.row.name;
    let who = visible(who);
    let Some(user) = &person.user else {
        let tried = if person.refusals.is_empty() {
            "Its identity provider has sent no request about them that was refused: see whether \
             they are assigned to the application there."
        } else {
            "Its identity provider tried, and was refused."
        };
        return format!("{tenant} has no user {who}. {tried}");
    };
    let name = visible(user.text("userName").unwrap_or(&who));
    let by = cause(user).map(|entry| {
        let at = instant(entry.row.milliseconds.div_euclid(1_000));
        format!(" since {at}, by {}", visible(&log::by(entry)))
    });
    let by = by.unwrap_or_default();
    let until = user.expires.map(instant);
    match user.state {
        State::Provisioned => format!("{name} is in: active."),
        State::Suspended => format!("{name} is not in: suspended{by}."),
        State::SuspendedWithExpiry => {
            let until = until.unwrap_or_default();
            format!("{name} is not in: suspended{by}, and erased at {until}.")
        }
        State::SoftDeleted => {
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            format!(
                "{name} is not in: deleted{by}. scimctl user restore {tenant} {} brings them \
                 back{until}.",
                user.id
            )
        }
        State::Unmanaged => format!(
            "{name} is an imported user whom the identity provider has not provisioned yet."
        ),
        State::Absent | State::Expired => format!("{name} is gone: the retention has ended."),
    }
}

/// The row of the log that made the user what it is.
fn cause(user: &KnownUser) -> Option<&LogEntry> {
    let is_cause = |entry: &&LogEntry| {
        let was_active = entry.row.was.is_some_and(|was| was.state == Stage::Live && was.active);
        let is_deletion = Operation::of(&entry.row.operation) == Some(Operation::Delete);
        match user.state {
            State::SoftDeleted => is_deletion && entry.row.version.is_some(),
            _ => was_active,
        }
    };
    user.history.iter().find(is_cause)
}

/// What keeps everybody of the tenant out, or from leaving.
fn obstacles(overview: &Overview) -> Vec<String> {
    let row = &overview.tenant.row;
    let (name, now) = (&row.name, OffsetDateTime::now_utc().unix_timestamp());
    let mut lines = Vec::new();
    if !row.enabled {
        lines.push(format!("SCIM is switched off for {name}; scimctl tenant enable {name}."));
    }
    if overview.token(now).is_none() {
        lines.push(format!("{name} has no valid token; scimctl token issue {name} mints one."));
    }
    if matches!(&overview.brake, BrakeState::Window(window) if window.tripped.is_some()) {
        lines.push(format!("The brake of {name} is on; scimctl brake lift {name} lifts it."));
    }
    let limit = overview.tenant.profile.seats.limit.map(|limit| limit as usize);
    if limit.is_some_and(|limit| overview.active >= limit) {
        lines.push(format!("All seats of {name} are taken ({}).", overview.active));
    }
    let seen = overview.last_seen().map_or("never".to_owned(), |at| when::seen(at, now));
    lines.push(format!("The identity provider was last seen: {seen}."));
    lines
}

fn facts(user: &KnownUser) -> Vec<String> {
    let groups: Vec<&str> =
        user.groups.iter().map(|(id, name)| name.as_deref().unwrap_or(id.as_str())).collect();
    let facts = [
        ("Id", user.id.as_str().to_owned()),
        ("userName", user.text("userName").unwrap_or("-").to_owned()),
        ("externalId", user.text("externalId").unwrap_or("-").to_owned()),
        ("E-mail", or_dash(user.emails().join(", "))),
        ("State", user.state.word().to_owned()),
        ("Expires", user.expires.map_or("-".to_owned(), instant)),
        ("Created", date_time(user.created)),
        ("Modified", date_time(user.modified)),
        ("Groups", or_dash(groups.join(", "))),
    ];
    facts.map(|(name, value)| format!("{name:11} {}", visible(&value))).into()
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

fn object(tenant: &str, who: &str, person: &Person) -> Value {
    let user = person.user.as_ref().map(|user| {
        let groups =
            user.groups.iter().map(|(id, name)| json!({ "id": id.as_str(), "displayName": name }));
        json!({
            "id": user.id.as_str(), "userName": user.text("userName"),
            "externalId": user.text("externalId"), "emails": user.emails(),
            "state": user.state.word(), "expires": user.expires.map(instant),
            "created": date_time(user.created), "modified": date_time(user.modified),
            "groups": groups.collect::<Vec<_>>(),
            "history": user.history.iter().map(log::object).collect::<Vec<_>>(),
            "history_complete": user.is_complete,
        })
    });
    json!({
        "tenant": tenant, "who": who, "user": user,
        "refusals": person.refusals.iter().map(errors::object).collect::<Vec<_>>(),
        "last_seen": person.tenant.last_seen().map(instant),
    })
}
