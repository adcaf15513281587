//! `scimctl event`: prints the events that a gateway sends to the function, filled in from a data
//! directory.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use scim_core::ResourceId;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::operator::Operator;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::TenantRow;
use scim_local::data_dir;
use serde_json::Value;

use crate::output::{Format, print};
use crate::place::Place;

/// The placeholders in the fixtures for a token and for a user's id.
const TOKEN: &str = "{{token}}";
const USER_ID: &str = "{{userId}}";
/// The placeholder for the tenant's code.
const TENANT: &str = "{{tenant}}";
/// The filter that finds the user of the fixture `create-user`.
const CREATED: &str = "userName eq \"bjensen@example.com\"";
/// How many days a token for events is valid.
const DAYS: u32 = 1;
/// What the list of tokens calls it.
const LABEL: &str = "scimctl event";

/// Print an event as API Gateway or the Pipe from the table's stream sends it, for `sam local invoke -e -` and
/// `cargo lambda invoke --data-file`
///
/// Its token and its user come from the data directory: a token that is valid for a day and stored
/// there, and the user that create-user creates, or otherwise the first user.
#[derive(Debug, Args)]
pub(crate) struct EventOptions {
    /// The request that the event carries
    #[arg(value_enum)]
    pub(crate) name: Fixture,
    /// The tenant [default: the only one, or demo]
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// The token to use instead of a newly minted one
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
    /// GET /Users with a token that was never issued: 401
    BadToken,
    /// POST /Users through a REST API, with payload 1.0, as Okta sends it
    CreateUserRestV1,
    /// A record of the table's stream: a user was created
    StreamUserCreated,
    /// A user became inactive
    StreamUserSuspended,
    /// A group was created, a user became a member of it, and left
    StreamGroupChanges,
    /// Rows that concern no one, a row that cannot be read, and a user who was removed by TTL
    StreamMixedBatch,
    /// The schedule has the function look at all tenants
    Watch,
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
            Self::StreamUserCreated => include_str!("../../../events/stream-user-created.json"),
            Self::StreamUserSuspended => include_str!("../../../events/stream-user-suspended.json"),
            Self::StreamGroupChanges => include_str!("../../../events/stream-group-changes.json"),
            Self::StreamMixedBatch => include_str!("../../../events/stream-mixed-batch.json"),
            Self::Watch => include_str!("../../../events/watch.json"),
        }
    }
}

pub(crate) async fn run(
    place: &Place,
    options: &EventOptions,
    format: Format,
) -> anyhow::Result<()> {
    let text = options.name.text();
    let mut event = serde_json::from_str(text)?;
    let (mut token, mut user) = (options.token.clone(), options.user.clone());
    let needs_token = text.contains(TOKEN) && token.is_none();
    let needs_user = text.contains(USER_ID) && user.is_none();
    let needs_tenant = text.contains(TENANT);
    let mut code = String::new();
    if needs_token || needs_user || needs_tenant {
        let directory = place.data()?;
        // The token is kept in the directory, so it is one of the directory's.
        let operator = &Place::Data(directory.to_owned()).connect().await?.operator;
        let row = tenant(operator, options.tenant.as_deref()).await?;
        code = row.code().to_string();
        if needs_user {
            user = Some(first_user(operator, &row).await?.as_str().to_owned());
        }
        if needs_token {
            token = Some(kept_token(operator, &row, directory).await?);
        }
    }
    fill(&mut event, TOKEN, token.as_deref().unwrap_or_default());
    fill(&mut event, USER_ID, user.as_deref().unwrap_or_default());
    fill(&mut event, TENANT, &code);
    print(format, &event, &serde_json::to_string_pretty(&event)?);
    Ok(())
}

/// Replaces a placeholder with a value, everywhere in an event.
fn fill(event: &mut Value, mark: &str, value: &str) {
    match event {
        Value::String(text) => *text = text.replace(mark, value),
        Value::Array(all) => all.iter_mut().for_each(|inner| fill(inner, mark, value)),
        Value::Object(all) => all.values_mut().for_each(|inner| fill(inner, mark, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The tenant of the event: the named one, the only one, or the one that `serve` creates.
async fn tenant(operator: &Operator, name: Option<&str>) -> anyhow::Result<TenantRow> {
    if let Some(name) = name {
        return Ok(operator.tenant(name).await?);
    }
    let mut tenants = operator.tenant_rows().await?;
    let index = match tenants.len() {
        0 => bail!(
            "there is no tenant yet; create one with scimctl serve or scimctl tenant create \
             NAME"
        ),
        1 => Some(0),
        _ => tenants.iter().position(|tenant| tenant.name == "demo"),
    };
    let names = || tenants.iter().map(|tenant| tenant.name.as_str()).collect::<Vec<_>>();
    let index =
        index.with_context(|| format!("choose one with --tenant: {}", names().join(", ")))?;
    Ok(tenants.swap_remove(index))
}

/// The user that `create-user` creates, or otherwise the first user.
async fn first_user(operator: &Operator, row: &TenantRow) -> anyhow::Result<ResourceId> {
    let created = operator.first_user(row, Some(CREATED)).await?;
    let user = match created {
        Some(created) => Some(created),
        None => operator.first_user(row, None).await?,
    };
    user.ok_or_else(|| {
        anyhow!(
            "tenant {} has no user yet; send the event create-user first, or name a user with \
             --user",
            row.name
        )
    })
}

/// The token for events. It is stored so that not every event mints one, and minted again once it
/// is no longer valid.
async fn kept_token(
    operator: &Operator,
    row: &TenantRow,
    directory: &Path,
) -> anyhow::Result<String> {
    let code = row.code().as_str();
    let kept = data_dir::event_token(directory, code);
    if let Some(token) = kept.and_then(|text| PlainToken::parse(text.trim()))
        && operator.accepts_token(row, &token).await?
    {
        return Ok(token.reveal().to_owned());
    }
    let token = operator.issue_token(row, Lifetime::Days(DAYS), Some(LABEL)).await?.token;
    data_dir::keep_event_token(directory, code, token.reveal())?;
    Ok(token.reveal().to_owned())
}
