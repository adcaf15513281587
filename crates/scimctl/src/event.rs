//! `scimctl event`: what a gateway hands to the function, filled from a data directory.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use scim_core::{Projection, Query, ResourceId};
use scim_lambda::auth::token::PlainToken;
use scim_lambda::clock::Clock;
use scim_lambda::directory::Scope;
use scim_lambda::store::Kind;
use scim_lambda::store::TenantRow;
use serde_json::Value;

use crate::local::data_dir;
use crate::operator::Operator;
use crate::place::{Connection, Place};
use crate::{print, token};

/// What the fixtures say in place of a token, and of a user's id.
const TOKEN: &str = "{{token}}";
const USER_ID: &str = "{{userId}}";
/// The filter that finds the user whom the fixture `create-user` makes.
const CREATED: &str = "userName eq \"bjensen@example.com\"";
/// For how many days a token of events is good.
const DAYS: u32 = 1;

/// Print an event as API Gateway sends it, for `sam local invoke -e -` and
/// `cargo lambda invoke --data-file`
///
/// Its token and its user are those of the data directory: a token that is minted for a day and
/// kept there, and the user that create-user makes, or else the first one.
#[derive(Debug, Args)]
pub(crate) struct EventOptions {
    /// Which request the event is of
    #[arg(value_enum)]
    pub(crate) name: Fixture,
    /// The tenant [default: the only one, or demo]
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// The token, in place of one that is minted
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// The id of the user
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
}

/// The files of `events/`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Fixture {
    /// POST /Users through an HTTP API, as Entra ID sends it
    CreateUser,
    /// GET /Users/{id}
    GetUser,
    /// GET /Users?filter=userName eq "BJensen@example.com"
    FilterUsersByUserName,
    /// PATCH /Users/{id}: active is false
    DeactivateUser,
    /// DELETE /Users/{id}
    DeleteUser,
    /// GET /Users with a token that nobody issued: 401
    BadToken,
    /// POST /Users through a REST API, with payload 1.0, as Okta sends it
    CreateUserRestV1,
}

impl Fixture {
    fn text(self) -> &'static str {
        match self {
            Self::CreateUser => include_str!("../../../events/create-user.json"),
            Self::GetUser => include_str!("../../../events/get-user.json"),
            Self::FilterUsersByUserName => {
                include_str!("../../../events/filter-users-by-user-name.json")
            }
            Self::DeactivateUser => include_str!("../../../events/deactivate-user.json"),
            Self::DeleteUser => include_str!("../../../events/delete-user.json"),
            Self::BadToken => include_str!("../../../events/bad-token.json"),
            Self::CreateUserRestV1 => include_str!("../../../events/create-user-rest-v1.json"),
        }
    }
}

pub(crate) async fn run(place: &Place, options: &EventOptions, json: bool) -> anyhow::Result<()> {
    let text = options.name.text();
    let mut event = serde_json::from_str(text)?;
    let (mut token, mut user) = (options.token.clone(), options.user.clone());
    let (no_token, no_user) =
        (text.contains(TOKEN) && token.is_none(), text.contains(USER_ID) && user.is_none());
    if no_token || no_user {
        let directory = place.data()?;
        let connection = place.connect().await?;
        let row = tenant(&connection, options.tenant.as_deref()).await?;
        if no_user {
            user = Some(first_user(&connection, &row.name).await?.as_str().to_owned());
        }
        if no_token {
            token = Some(kept_token(&connection, &row, directory).await?);
        }
    }
    fill(&mut event, TOKEN, token.as_deref().unwrap_or_default());
    fill(&mut event, USER_ID, user.as_deref().unwrap_or_default());
    print(json, &event, &serde_json::to_string_pretty(&event)?);
    Ok(())
}

/// Puts a value in the place of a mark, wherever it stands in an event.
fn fill(event: &mut Value, mark: &str, value: &str) {
    match event {
        Value::String(text) => *text = text.replace(mark, value),
        Value::Array(all) => all.iter_mut().for_each(|inner| fill(inner, mark, value)),
        Value::Object(all) => all.values_mut().for_each(|inner| fill(inner, mark, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The tenant that is meant: the one that is named, the only one, or the one that `serve` makes.
async fn tenant(connection: &Connection, name: Option<&str>) -> anyhow::Result<TenantRow> {
    if let Some(name) = name {
        return connection.tenant(name).await;
    }
    let mut tenants = connection.store.tenants().await.context("the tenants cannot be read")?;
    let meant = match tenants.len() {
        0 => bail!(
            "there is no tenant yet; scimctl serve makes one, and so does scimctl tenant create \
            NAME"
        ),
        1 => Some(0),
        _ => tenants.iter().position(|row| row.name == "demo"),
    };
    let names = || tenants.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ");
    let meant =
        meant.with_context(|| format!("say by --tenant which of them is meant: {}", names()))?;
    Ok(tenants.swap_remove(meant))
}

/// The user that the fixture `create-user` makes, or else the first one.
async fn first_user(connection: &Connection, tenant: &str) -> anyhow::Result<ResourceId> {
    let operator = Operator::new(connection, tenant).await?;
    let users = operator
        .tenant
        .types
        .iter()
        .find(|of| of.kind == Kind::User)
        .context("there are no users")?;
    for filter in [Some(("filter", CREATED)), None] {
        let pairs = filter
            .into_iter()
            .chain([("count", "1")])
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let scope = Scope {
            resource_type: users,
            projection: Projection::new(&[], &[], &users.definition),
        };
        let found =
            operator.directory.query(operator.call(), &[scope], &Query::from_pairs(pairs)?).await?;
        if let Some(user) = found.resources.first() {
            let user: Value = serde_json::from_str(user.get())?;
            let id = user.get("id").and_then(Value::as_str).context("a user has no id")?;
            return id.parse().map_err(|()| anyhow!("the id of a user is not valid"));
        }
    }
    Err(anyhow!(
        "tenant {tenant} has no user yet; send the event create-user first, or name somebody by \
        --user"
    ))
}

/// The token of events. It is kept, so that not every event mints one, and minted again once it is
/// not good.
async fn kept_token(
    connection: &Connection,
    row: &TenantRow,
    directory: &Path,
) -> anyhow::Result<String> {
    let now = Clock::system().seconds();
    let kept = data_dir::event_token(directory, row.code())
        .and_then(|text| PlainToken::parse(text.trim()));
    let records = connection.secrets.records(row.code()).await?;
    if let Some(token) = kept.filter(|token| records.iter().any(|record| record.admits(token, now)))
    {
        return Ok(token.reveal().to_owned());
    }
    let minted = token::mint(connection, row, Some(DAYS), now).await?;
    data_dir::keep_event_token(directory, row.code(), minted.token.reveal())?;
    Ok(minted.token.reveal().to_owned())
}
