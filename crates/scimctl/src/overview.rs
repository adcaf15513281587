//! `scimctl tenant list` and `scimctl tenant show`.

use scim_lambda::operator::Operator;
use scim_lambda::operator::brake::BrakeState;
use scim_lambda::operator::overview::Overview;
use scim_lambda::operator::tenants::ConnectionState;
use scim_lambda::store::TokenRow;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::output::{Format, counted, instant, print, visible};
use crate::table::Table;
use crate::when;

pub(crate) async fn list(operator: &Operator, format: Format) -> anyhow::Result<()> {
    let tenants = operator.overviews().await?;
    let objects: Vec<Value> = tenants.iter().map(|tenant| object(operator, tenant)).collect();
    let lines = if tenants.is_empty() {
        "There are no tenants; scimctl tenant create NAME creates one.".to_owned()
    } else {
        table(&tenants)
    };
    print(format, &json!({ "tenants": objects }), &lines);
    Ok(())
}

pub(crate) async fn show(operator: &Operator, name: &str, format: Format) -> anyhow::Result<()> {
    let tenant = operator.listed(operator.tenant(name).await?)?;
    let tenant = operator.overview(tenant).await?;
    print(format, &object(operator, &tenant), &lines(operator, &tenant));
    Ok(())
}

fn table(tenants: &[Overview]) -> String {
    let mut table = Table::new([
        "tenant",
        "code",
        "state",
        "idp",
        "users",
        "seats",
        "last seen",
        "token ends",
        "brake",
        "profile",
        "customer",
    ]);
    for overview in tenants {
        let (row, profile) = (&overview.tenant.row, &overview.tenant.profile);
        table.push([
            &row.name,
            row.code().as_str(),
            word(overview.tenant.state()),
            profile.dialect.idp.as_deref().unwrap_or_default(),
            &overview.users.to_string(),
            &seats(overview).unwrap_or_default(),
            &last_seen(overview.last_seen()),
            &token_ends(overview),
            brake(overview),
            &profile.preset,
            row.customer.as_deref().unwrap_or_default(),
        ]);
    }
    table.lines()
}

fn lines(operator: &Operator, overview: &Overview) -> String {
    let (row, profile) = (&overview.tenant.row, &overview.tenant.profile);
    let customer = row.customer.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let connected = row.connected.map_or("no request has succeeded yet".to_owned(), |at| {
        format!("first request {}", instant(at))
    });
    let mut rows = vec![
        ("Tenant", format!("{} ({}){customer}", row.name, row.code())),
        ("State", format!("{}, {connected}", word(overview.tenant.state()))),
        ("Base URL", overview.tenant.base_url.clone().unwrap_or_default()),
        ("Profile", format!("{}, version {}", profile.preset, row.profile_version)),
        ("Identity provider", profile.dialect.idp.clone().unwrap_or_else(|| "not named".into())),
        ("Users", people(overview)),
        ("Groups", overview.groups.to_string()),
        ("Seats", seats(overview).unwrap_or_else(|| "no limit".into())),
        ("Brake", brake_line(overview)),
        ("Secret", operator.secret_of(row).unwrap_or_else(|| "no token was minted yet".into())),
    ];
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let tokens = overview.tokens.iter().map(|token| ("Token", token_line(token, now)));
    rows.extend(tokens);
    let line = |(name, value): &(&str, String)| format!("{name:18} {}", visible(value));
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn people(overview: &Overview) -> String {
    let inactive = overview.users.saturating_sub(overview.active);
    let users = counted(overview.users as u64, "user");
    format!("{users}, {} active and {inactive} inactive", overview.active)
}

/// The active users and their maximum, if there is one.
fn seats(overview: &Overview) -> Option<String> {
    let limit = overview.tenant.profile.seats.limit?;
    Some(format!("{}/{limit}", overview.active))
}

fn brake(overview: &Overview) -> &'static str {
    match &overview.brake {
        BrakeState::NotSet => "",
        BrakeState::Window(row) if row.tripped.is_some() => "TRIPPED",
        BrakeState::Idle | BrakeState::Window(_) => "ready",
    }
}

fn brake_line(overview: &Overview) -> String {
    let name = &overview.tenant.row.name;
    match &overview.brake {
        BrakeState::NotSet => "not set".to_owned(),
        BrakeState::Idle => "ready".to_owned(),
        BrakeState::Window(row) => match row.tripped {
            Some(at) => {
                format!("tripped at {}; see scimctl brake show {name}", instant(at))
            }
            None => format!("ready; {} of at most {} in this window", row.counted, row.most),
        },
    }
}

/// How long ago a token was last used.
fn last_seen(seen: Option<i64>) -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    seen.map_or("never".to_owned(), |at| when::seen(at, now))
}

/// When the token in use expires, as a date.
fn token_ends(overview: &Overview) -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let Some(token) = overview.token(now) else { return "no token".to_owned() };
    let day = |at| instant(at).split('T').next().unwrap_or_default().to_owned();
    let ends = token.expires.map_or("never".to_owned(), day);
    let note = if overview.has_unused_token(now) { " (a new one is unused)" } else { "" };
    format!("{ends}{note}")
}

fn token_line(token: &TokenRow, now: i64) -> String {
    let label = token.label.as_ref().map(|label| format!(" {label}")).unwrap_or_default();
    let state = match (token.revoked, token.expires) {
        (Some(at), _) => format!("revoked {}", instant(at)),
        (None, Some(at)) if at <= now => format!("expired {}", instant(at)),
        (None, Some(at)) => format!("expires {}", instant(at)),
        (None, None) => "never expires".to_owned(),
    };
    let seen = last_seen(token.seen);
    format!("{}{label}, {state}, last seen {seen}", token.key_id)
}

fn object(operator: &Operator, overview: &Overview) -> Value {
    let Overview { tenant, users, active, groups, brake, tokens } = overview;
    let (row, profile) = (&tenant.row, &tenant.profile);
    let tripped = match brake {
        BrakeState::Window(row) => row.tripped.map(instant),
        BrakeState::NotSet | BrakeState::Idle => None,
    };
    let tokens: Vec<Value> = tokens.iter().map(token_object).collect();
    json!({
        "tenant": row.name, "code": row.code().as_str(), "state": word(tenant.state()),
        "profile": profile.preset, "profile_version": row.profile_version,
        "idp": profile.dialect.idp, "customer": row.customer, "base_url": tenant.base_url,
        "secret": operator.secret_of(row), "connected": row.connected.map(instant),
        "users": users, "active": active, "groups": groups,
        "seats": profile.seats.limit, "last_seen": overview.last_seen().map(instant),
        "brake": brake_word(brake), "brake_on_since": tripped,
        "tokens": tokens,
    })
}

fn brake_word(brake: &BrakeState) -> &'static str {
    match brake {
        BrakeState::NotSet => "not_set",
        BrakeState::Window(row) if row.tripped.is_some() => "on",
        BrakeState::Idle | BrakeState::Window(_) => "off",
    }
}

fn token_object(token: &TokenRow) -> Value {
    json!({
        "key_id": token.key_id, "label": token.label, "expires": token.expires.map(instant),
        "revoked": token.revoked.map(instant), "last_seen": token.seen.map(instant),
    })
}

fn word(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Inactive => "inactive",
        ConnectionState::Active => "active",
        ConnectionState::Connected => "connected",
    }
}
