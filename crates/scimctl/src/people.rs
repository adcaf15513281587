//! `scimctl user list`: the users of a tenant in any state.

use anyhow::ensure;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use scim_core::value::date_time;
use scim_lambda::directory::states::State;
use scim_lambda::operator::Operator;
use scim_lambda::operator::export::ExportedUser;
use serde_json::{Value, json};

use crate::export::{STATES, word};
use crate::output::{Format, print};
use crate::table::Table;

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// The tenant's name
    tenant: String,
    /// Only users in this state
    #[arg(long, value_name = "STATE", value_parser = states())]
    state: Option<String>,
    /// Only visible users that match this SCIM filter, such as 'userName sw "a"'
    #[arg(long, value_name = "FILTER", conflicts_with = "state")]
    filter: Option<String>,
    /// How many users to list
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_most_a_thousand)]
    limit: usize,
}

/// The states by the words of exports, and by those of `user show`.
fn states() -> PossibleValuesParser {
    PossibleValuesParser::new(
        STATES.map(|state| PossibleValue::new(word(state)).alias(state.word())),
    )
}

/// More users than these are an export, of which the log tells.
fn at_most_a_thousand(text: &str) -> anyhow::Result<usize> {
    let limit: usize = text.parse()?;
    ensure!((1..=1_000).contains(&limit), "1 to 1000; scimctl export writes all users");
    Ok(limit)
}

/// A user in the list.
struct Listed {
    state: &'static str,
    expires: Option<String>,
    user: Value,
}

pub(crate) async fn list(
    operator: &Operator,
    options: &ListOptions,
    format: Format,
) -> anyhow::Result<()> {
    let (mut users, mut is_complete) = match &options.filter {
        Some(filter) => matching(operator, options, filter).await?,
        None => in_state(operator, options).await?,
    };
    is_complete &= users.len() <= options.limit;
    users.truncate(options.limit);
    let mut lines = if users.is_empty() {
        format!("{} has no such users.", options.tenant)
    } else {
        table(&users)
    };
    if !is_complete {
        lines += "\nThere are more; a larger --limit or scimctl export shows them.";
    }
    let objects: Vec<Value> = users.iter().map(object).collect();
    let all = json!({ "tenant": options.tenant, "users": objects, "complete": is_complete });
    print(format, &all, &lines);
    Ok(())
}

/// The first users in a state, or in all states, and whether these are all.
async fn in_state(
    operator: &Operator,
    options: &ListOptions,
) -> anyhow::Result<(Vec<Listed>, bool)> {
    let row = operator.tenant(&options.tenant).await?;
    let is_wanted = |state: &State| {
        options.state.as_deref().is_some_and(|text| text == word(*state) || text == state.word())
    };
    let state = STATES.into_iter().find(is_wanted);
    let mut walk = operator.users(&row, state).await?;
    let mut users = Vec::new();
    while let Some(batch) = walk.next_batch().await? {
        users.extend(batch.into_iter().map(Listed::of));
        if users.len() > options.limit {
            return Ok((users, false));
        }
    }
    Ok((users, true))
}

/// The first visible users that match a filter, and whether these are all.
async fn matching(
    operator: &Operator,
    options: &ListOptions,
    filter: &str,
) -> anyhow::Result<(Vec<Listed>, bool)> {
    let row = operator.tenant(&options.tenant).await?;
    let (users, is_complete) = operator.users_matching(&row, Some(filter), options.limit).await?;
    let listed = |user: Value| {
        let is_active = user.get("active") == Some(&Value::Bool(true));
        let state = if is_active { State::Provisioned } else { State::Suspended };
        Listed { state: word(state), expires: None, user }
    };
    Ok((users.into_iter().map(listed).collect(), is_complete))
}

impl Listed {
    fn of(user: ExportedUser) -> Self {
        Self { state: word(user.state), expires: user.expires.map(date_time), user: user.user }
    }

    fn text(&self, name: &str) -> &str {
        self.user.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

fn table(users: &[Listed]) -> String {
    let mut table = Table::new(["user", "state", "expires", "external id", "id"]);
    for user in users {
        let expires = user.expires.as_deref().unwrap_or_default();
        let (name, external_id) = (user.text("userName"), user.text("externalId"));
        table.push([name, user.state, expires, external_id, user.text("id")]);
    }
    table.lines()
}

fn object(user: &Listed) -> Value {
    json!({ "state": user.state, "expires": user.expires, "user": user.user })
}
