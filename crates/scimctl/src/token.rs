//! `scimctl token`: minting, listing, revoking and moving bearer tokens.

use clap::{Args, Subcommand};
use scim_lambda::operator::Operator;
use scim_lambda::operator::token_list::{ListedToken, TokenState};
use scim_lambda::operator::tokens::{Lifetime, MovedTenant, NewToken};
use scim_lambda::store::TenantRow;
use scim_lambda::tenant::Profile;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::output::{Format, instant, print, report_restored};
use crate::place::Place;
use crate::when;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Mint another token, which is shown once. The others stay valid
    Issue(IssueOptions),
    /// Mint a token that replaces the others, which stay valid for some days
    Rotate {
        /// The tenant's name
        tenant: String,
        /// How many days the other tokens stay valid [default: set by the tenant's profile, 7]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=365))]
        overlap_days: Option<u32>,
        /// What `token list` calls the new token, in at most 64 characters
        #[arg(long, value_name = "TEXT")]
        label: Option<String>,
    },
    /// Show a token again, if the tenant's profile keeps tokens (token.reveal=again)
    Show {
        /// The tenant's name
        tenant: String,
        /// The token's key id, as shown by `token list` [default: the newest]
        key_id: Option<String>,
    },
    /// List a tenant's tokens
    List {
        /// The tenant's name
        tenant: String,
    },
    /// Revoke a token; it is refused within a minute
    Revoke {
        /// The tenant's name
        tenant: String,
        /// The token's key id, as shown by `token list`
        key_id: String,
    },
    /// End the tokens that `token list` shows as revived, after an earlier version of the secret was
    /// made the current one
    Reconcile {
        /// The tenant's name
        tenant: String,
    },
    /// Move the digests of a tenant's tokens to another secret. The tokens stay valid
    Move {
        /// The tenant's name
        tenant: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct IssueOptions {
    /// The tenant's name
    tenant: String,
    /// How many days the token is valid [default: set by the tenant's profile, 365]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: Option<u32>,
    /// Mint a token that never expires; review such tokens every year
    #[arg(long, conflicts_with = "days")]
    no_expiry: bool,
    /// What `token list` calls the token, in at most 64 characters
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
}

pub(crate) async fn run(
    place: &Place,
    command: TokenCommand,
    format: Format,
) -> anyhow::Result<()> {
    let operator = &place.connect().await?.operator;
    let result = carry_out(operator, command, format).await;
    report_restored(operator);
    result
}

async fn carry_out(
    operator: &Operator,
    command: TokenCommand,
    format: Format,
) -> anyhow::Result<()> {
    match command {
        TokenCommand::Issue(options) => issue(operator, options, format).await,
        TokenCommand::Rotate { tenant, overlap_days, label } => {
            rotate(operator, &tenant, overlap_days, label.as_deref(), format).await
        }
        TokenCommand::Show { tenant, key_id } => {
            show(operator, &tenant, key_id.as_deref(), format).await
        }
        TokenCommand::List { tenant } => list(operator, &tenant, format).await,
        TokenCommand::Revoke { tenant, key_id } => revoke(operator, &tenant, &key_id, format).await,
        TokenCommand::Reconcile { tenant } => reconcile(operator, &tenant, format).await,
        TokenCommand::Move { tenant } => move_tokens(operator, &tenant, format).await,
    }
}

async fn issue(operator: &Operator, options: IssueOptions, format: Format) -> anyhow::Result<()> {
    let row = operator.tenant(&options.tenant).await?;
    let lifetime = match options.days {
        _ if options.no_expiry => Lifetime::Unlimited,
        Some(days) => Lifetime::Days(days),
        None => Lifetime::Profile,
    };
    let new = operator.issue_token(&row, lifetime, options.label.as_deref()).await?;
    print_new(operator, &row, &new, format)
}

async fn show(
    operator: &Operator,
    tenant: &str,
    key_id: Option<&str>,
    format: Format,
) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    let shown = operator.reveal_token(&row, key_id).await?;
    let (key_id, token) = (&shown.key_id, shown.token.reveal());
    let object = json!({ "tenant": tenant, "key_id": key_id, "token": token });
    print(format, &object, &format!("{key_id}  {token}"));
    Ok(())
}

async fn revoke(
    operator: &Operator,
    tenant: &str,
    key_id: &str,
    format: Format,
) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    operator.revoke_token(&row, key_id).await?;
    let object = json!({ "tenant": tenant, "key_id": key_id, "revoked": true });
    let line =
        format!("Token {key_id} of {tenant} has been revoked; it is refused within a minute.");
    print(format, &object, &line);
    Ok(())
}

async fn reconcile(operator: &Operator, tenant: &str, format: Format) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    let ended = operator.reconcile_tokens(&row).await?;
    let line = if ended.is_empty() {
        format!("The tokens of {tenant} are valid as the list says.")
    } else {
        let key_ids = ended.join(", ");
        format!("These tokens of {tenant} end as the list says, within a minute: {key_ids}.")
    };
    print(format, &json!({ "tenant": tenant, "ended": ended }), &line);
    Ok(())
}

async fn move_tokens(operator: &Operator, tenant: &str, format: Format) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    let MovedTenant { from, to } = operator.move_tokens(&row).await?;
    let object = json!({ "tenant": tenant, "from": from, "to": to });
    let line = format!("The tokens of {tenant} have moved from {from} to {to}; they stay valid.");
    print(format, &object, &line);
    Ok(())
}

async fn rotate(
    operator: &Operator,
    tenant: &str,
    overlap_days: Option<u32>,
    label: Option<&str>,
    format: Format,
) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    let rotation = operator.rotate_tokens(&row, overlap_days, label).await?;
    print_new(operator, &row, &rotation.token, format)?;
    if format == Format::Text {
        println!("The other tokens are refused from {} on.", instant(rotation.others_expire));
    }
    Ok(())
}

async fn list(operator: &Operator, tenant: &str, format: Format) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    let tokens = operator.tokens(&row).await?;
    let lines: Vec<String> = tokens.iter().map(line).collect();
    let mut lines =
        if lines.is_empty() { "There are no tokens.".to_owned() } else { lines.join("\n") };
    if tokens.iter().any(|token| token.state == TokenState::Revived) {
        lines += &format!("\nscimctl token reconcile {tenant} ends the revived tokens.");
    }
    let tokens: Vec<Value> = tokens.iter().map(describe).collect();
    print(format, &json!({ "tenant": tenant, "tokens": tokens }), &lines);
    Ok(())
}

fn print_new(
    operator: &Operator,
    row: &TenantRow,
    new: &NewToken,
    format: Format,
) -> anyhow::Result<()> {
    let base_url = operator.base_url(&Profile::read(&row.profile)?);
    let (tenant, key_id) = (&row.name, new.token.key_id().as_str());
    let object = json!({
        "tenant": tenant, "base_url": base_url, "token": new.token.reveal(),
        "key_id": key_id, "expires": new.expires.map(instant),
    });
    let lines = format!(
        "Token of tenant {tenant}\n  Token   {}\n  Key id  {key_id}\n{}",
        new.token.reveal(),
        summary(new, tenant)
    );
    print(format, &object, &lines);
    Ok(())
}

/// How long a new token is valid, and whether it can be shown again.
pub(crate) fn summary(new: &NewToken, tenant: &str) -> String {
    let until = new.expires.map_or("it is revoked".into(), instant);
    if new.kept {
        format!("scimctl token show {tenant} shows it again; it is valid until {until}.")
    } else {
        format!("The token is shown only once; it is valid until {until}.")
    }
}

fn line(token: &ListedToken) -> String {
    let expires =
        token.expires.map_or("never expires".to_owned(), |at| format!("expires {}", instant(at)));
    let state = word(token.state);
    let created = token
        .created
        .map_or("not listed by the table".to_owned(), |at| format!("minted {}", instant(at)));
    let label = token.label.as_ref().map(|label| format!("  {label}")).unwrap_or_default();
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let seen = token
        .seen
        .map_or("never seen".to_owned(), |at| format!("last seen {}", when::seen(at, now)));
    format!("{}  {state:7}  {created}  {expires}  {seen}{label}", token.key_id)
}

fn describe(token: &ListedToken) -> Value {
    json!({
        "key_id": token.key_id, "state": word(token.state),
        "created": token.created.map(instant), "expires": token.expires.map(instant),
        "label": token.label, "revoked": token.revoked.map(instant),
        "last_seen": token.seen.map(instant),
    })
}

fn word(state: TokenState) -> &'static str {
    match state {
        TokenState::Good => "good",
        TokenState::Revived => "revived",
        TokenState::Expired => "expired",
        TokenState::Revoked => "revoked",
    }
}
