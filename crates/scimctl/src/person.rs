//! `scimctl user show`: all that is known about one person, and why they are not in.

use anyhow::ensure;
use scim_core::value::date_time;
use scim_lambda::directory::states::State;
use scim_lambda::operator::Operator;
use scim_lambda::operator::log::LogEntry;
use scim_lambda::operator::overview::Overview;
use scim_lambda::operator::person::{KnownUser, Person};
use scim_lambda::operator::refusals::Refusal;
use scim_lambda::reason::{Idp, Reason};
use scim_lambda::store::{EXPIRY, OPERATOR};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::output::{Format, instant, moment, print, visible};
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
    ensure!(person.user.is_some(), "{tenant} has no user {}", visible(who));
    Ok(())
}

fn lines(who: &str, person: &Person) -> Vec<String> {
    let mut lines = vec![verdict(who, person)];
    lines.extend(braked(person));
    lines.extend(
        person
            .others
            .iter()
            .map(|(id, state)| format!("Another user has this name too: {id}, {}.", state.word())),
    );
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
        lines.extend(
            user.history.iter().map(|entry| format!("  {}", log::in_history(entry, &user.id))),
        );
        if !user.is_complete {
            let (tenant, id) = (&person.tenant.tenant.row.name, &user.id);
            lines
                .push(format!("  scimctl log {tenant} --since 90d --who {id} looks further back."));
        }
    }
    if !person.refusals.refusals.is_empty() {
        lines.push(String::new());
        lines.push("What was refused, the newest first:".to_owned());
        lines.extend(errors::page(&person.refusals, Some(who)));
    }
    lines
}

/// One sentence about whether they are in, and what brings them in.
fn verdict(who: &str, person: &Person) -> String {
    let tenant = &person.tenant.tenant.row.name;
    let Some(user) = &person.user else {
        return format!("{tenant} has no user {}. {}", visible(who), never_came(person));
    };
    let name = visible(user.text("userName").unwrap_or(who));
    let by = since(user, &person.tenant);
    let until = user.expires.map(|expires| format!(" until {}", instant(expires)));
    let until = until.unwrap_or_default();
    match user.state {
        State::Provisioned => format!("{name} is in: active."),
        State::Suspended => format!("{name} is not in: suspended{by}."),
        State::SuspendedWithExpiry => format!("{name} is not in: suspended{by}, and kept{until}."),
        State::SoftDeleted => format!(
            "{name} is not in: deleted{by}. scimctl user restore {tenant} {} brings them \
             back{until}.",
            user.id
        ),
        State::Unmanaged => {
            format!("{name} is imported, and the identity provider has not provisioned them yet.")
        }
        State::Absent | State::Expired => format!("{name} is gone: the retention has ended."),
    }
}

/// Why there is no such user, as far as it is known.
fn never_came(person: &Person) -> String {
    let tenant = &person.tenant.tenant.row.name;
    if person.is_group {
        return format!("It has a group of this name: scimctl group show {tenant}.");
    }
    if !person.refusals.refusals.is_empty() {
        return "Its identity provider tried, and was refused.".to_owned();
    }
    "No refused request about them is on record either, so see whether they are assigned to the \
     application in the identity provider. The last refusals of a burst may be recorded with its \
     next request."
        .to_owned()
}

/// Since when the user is as it is, and by whom.
fn since(user: &KnownUser, tenant: &Overview) -> String {
    // The row of the log that made the user what it is.
    let Some(cause) = user.history.iter().find(|entry| entry.row.was.is_some()) else {
        return String::new();
    };
    let at = moment(cause.row.milliseconds);
    format!(" since {at}, by {}", visible(&by(cause, tenant)))
}

/// The actor; a token without a label by the name of the identity provider.
fn by(entry: &LogEntry, tenant: &Overview) -> String {
    let idp = tenant.tenant.profile.dialect.idp.as_deref().map(|idp| Idp::of(Some(idp)).name());
    match (idp, &entry.label, entry.row.actor.as_str()) {
        (Some(idp), None, key) if !matches!(key, OPERATOR | EXPIRY) => format!("{idp} (key {key})"),
        _ => log::by(entry),
    }
}

/// That the brake kept the person in.
fn braked(person: &Person) -> Option<String> {
    let tenant = &person.tenant.tenant.row.name;
    let is_braked = |refusal: &&Refusal| refusal.reason == Some(Reason::BrakeOn);
    let refusal = person.refusals.refusals.iter().find(is_braked)?;
    let at = instant(refusal.request.last);
    Some(format!(
        "Their deactivation was refused by the brake at {at}; see scimctl brake show {tenant}."
    ))
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
    let others: Vec<Value> = person
        .others
        .iter()
        .map(|(id, state)| json!({ "id": id.as_str(), "state": state.word() }))
        .collect();
    json!({
        "tenant": tenant, "who": who, "user": user,
        "others": others, "group": person.is_group,
        "refusals": person.refusals.refusals.iter().map(errors::object).collect::<Vec<_>>(),
        "last_seen": person.tenant.last_seen().map(instant),
    })
}
