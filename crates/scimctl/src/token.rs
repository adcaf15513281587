//! `scimctl token`: minting, listing and revoking bearer tokens.

use clap::Subcommand;
use scim_lambda::operator::Operator;
use scim_lambda::operator::tokens::{Lifetime, ListedToken, NewToken, TokenState};
use scim_lambda::store::TenantRow;
use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use crate::output::{Format, instant, print};
use crate::place::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Mint another token, which is shown once. The others stay valid
    Issue {
        /// The tenant's name
        tenant: String,
        /// How many days the token is valid [default: set by the tenant's profile, 365]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
        /// Mint a token that never expires; review such tokens every year
        #[arg(long, conflicts_with = "days")]
        no_expiry: bool,
    },
    /// Mint a token that replaces the others, which stay valid for some days
    Rotate {
        /// The tenant's name
        tenant: String,
        /// How many days the other tokens stay valid [default: set by the tenant's profile, 7]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=365))]
        overlap_days: Option<u32>,
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
}

pub(crate) async fn run(
    place: &Place,
    command: TokenCommand,
    format: Format,
) -> anyhow::Result<()> {
    let operator = &place.connect().await?.operator;
    match command {
        TokenCommand::Issue { tenant, days, no_expiry } => {
            let row = operator.tenant(&tenant).await?;
            let lifetime = match days {
                _ if no_expiry => Lifetime::Unlimited,
                Some(days) => Lifetime::Days(days),
                None => Lifetime::Profile,
            };
            print_new(operator, &row, &operator.issue_token(&row, lifetime).await?, format)
        }
        TokenCommand::Rotate { tenant, overlap_days } => {
            rotate(operator, &tenant, overlap_days, format).await
        }
        TokenCommand::Show { tenant, key_id } => {
            let row = operator.tenant(&tenant).await?;
            let shown = operator.reveal_token(&row, key_id.as_deref()).await?;
            let (key_id, token) = (&shown.key_id, &shown.token);
            let object = json!({ "tenant": tenant, "key_id": key_id, "token": token });
            print(format, &object, &format!("{key_id}  {token}"));
            Ok(())
        }
        TokenCommand::List { tenant } => list(operator, &tenant, format).await,
        TokenCommand::Revoke { tenant, key_id } => {
            let row = operator.tenant(&tenant).await?;
            operator.revoke_token(&row, &key_id).await?;
            let object = json!({ "tenant": tenant, "key_id": key_id, "revoked": true });
            let line = format!(
                "Token {key_id} of {tenant} has been revoked; it is refused within a minute."
            );
            print(format, &object, &line);
            Ok(())
        }
    }
}

async fn rotate(
    operator: &Operator,
    tenant: &str,
    overlap_days: Option<u32>,
    format: Format,
) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    let rotation = operator.rotate_tokens(&row, overlap_days).await?;
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
    let lines = if lines.is_empty() { "There are no tokens.".to_owned() } else { lines.join("\n") };
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
    let (state, created) = (word(token.state), instant(token.created));
    format!("{}  {state:7}  minted {created}  {expires}", token.key_id)
}

fn describe(token: &ListedToken) -> Value {
    json!({
        "key_id": token.key_id, "state": word(token.state),
        "created": instant(token.created), "expires": token.expires.map(instant),
    })
}

fn word(state: TokenState) -> &'static str {
    match state {
        TokenState::Good => "good",
        TokenState::Expired => "expired",
        TokenState::Revoked => "revoked",
    }
}
