//! `scimctl token`: minting, listing and revoking bearer tokens.

use anyhow::{Context, bail, ensure};
use scim_core::resource::date_time;
use scim_lambda::auth::records::TokenRecord;
use scim_lambda::auth::secrets_manager::SecretsError;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::clock::Clock;
use scim_lambda::store::tenants::TenantRow;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::cli::TokenCommand;
use crate::place::{Connection, Place};
use crate::print;

/// Most tokens of a tenant, so that its secret stays far below 64 KB.
const MOST: usize = 50;
/// How often a change is tried on what others left.
const TRIES: usize = 10;
const DAY: i64 = 24 * 60 * 60;

pub(crate) async fn run(place: &Place, command: TokenCommand, json: bool) -> anyhow::Result<()> {
    let connection = place.connect().await?;
    let now = Clock::system().seconds();
    match command {
        TokenCommand::Issue { tenant, days, no_expiry } => {
            let row = connection.tenant(&tenant).await?;
            let minted = mint(&connection, &row, (!no_expiry).then_some(days), now).await?;
            let base_url = row.base_url.as_ref().or(connection.base_url.as_ref());
            let object = json!({
                "tenant": tenant, "base_url": base_url, "token": minted.token.reveal(),
                "key_id": minted.token.key_id().as_str(), "expires": minted.expires_text(),
            });
            let lines = format!(
                "Token of tenant {tenant}\n  Token   {}\n  Key id  {}\nIt is shown this once; it is good until {}.",
                minted.token.reveal(),
                minted.token.key_id().as_str(),
                minted.expires_text().unwrap_or("it is revoked".into()),
            );
            print(json, &object, &lines);
        }
        TokenCommand::List { tenant } => {
            let row = connection.tenant(&tenant).await?;
            let records = connection.secrets.records(row.code()).await?;
            let tokens: Vec<_> = records.iter().map(|record| describe(record, now)).collect();
            let lines = records.iter().map(|record| {
                let expires =
                    record.expires.map_or("never expires".to_owned(), |at| format!("expires {}", instant(at)));
                format!("{}  {:7}  minted {}  {expires}", record.kid, state(record, now), instant(record.created))
            });
            let lines = lines.collect::<Vec<_>>().join("\n");
            let lines = if lines.is_empty() { "There are no tokens." } else { &lines };
            print(json, &json!({ "tenant": tenant, "tokens": tokens }), lines);
        }
        TokenCommand::Revoke { tenant, key_id } => {
            let row = connection.tenant(&tenant).await?;
            change(&connection, &row, |records| {
                let record = records.iter_mut().find(|record| record.kid == key_id);
                let record = record
                    .with_context(|| format!("tenant {tenant} has no token {key_id}; scimctl token list {tenant}"))?;
                record.revoked = true;
                Ok(())
            })
            .await?;
            let object = json!({ "tenant": tenant, "key_id": key_id, "revoked": true });
            print(
                json,
                &object,
                &format!("Token {key_id} of tenant {tenant} is revoked; it is refused within a minute."),
            );
        }
    }
    Ok(())
}

/// A token that was minted.
pub(crate) struct Minted {
    pub(crate) token: PlainToken,
    expires: Option<i64>,
}

impl Minted {
    /// The day from which on the token is refused.
    pub(crate) fn expires_text(&self) -> Option<String> {
        self.expires.map(instant)
    }
}

/// Mints a token and stores its digest beside the others.
pub(crate) async fn mint(
    connection: &Connection,
    row: &TenantRow,
    days: Option<u32>,
    now: i64,
) -> anyhow::Result<Minted> {
    let expires = days.map(|days| now + i64::from(days) * DAY);
    let token = change(connection, row, |records| {
        // What can never be accepted again makes room.
        records.retain(|record| !record.revoked && record.expires.is_none_or(|at| at + 30 * DAY > now));
        ensure!(records.len() < MOST, "tenant {} has {MOST} tokens; revoke some first", row.name);
        let token = loop {
            let token = PlainToken::generate(row.code())?;
            if !records.iter().any(|record| record.is(token.key_id())) {
                break token;
            }
        };
        records.push(TokenRecord::of(&token, now, expires));
        Ok(token)
    })
    .await?;
    Ok(Minted { token, expires })
}

/// Changes a tenant's records; if somebody else was faster, on what they left. A revocation must not
/// be undone by a token that is minted at the same time.
async fn change<T>(
    connection: &Connection,
    row: &TenantRow,
    mut by: impl FnMut(&mut Vec<TokenRecord>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    for _ in 0..TRIES {
        let current = connection.secrets.current(row.code()).await?;
        let mut records = current.records.clone();
        let result = by(&mut records)?;
        match connection.secrets.put(row.code(), &row.name, &current, &records).await {
            Ok(()) => return Ok(result),
            Err(SecretsError::Changed) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("others keep changing the tokens of {}; try again", row.name)
}

fn describe(record: &TokenRecord, now: i64) -> Value {
    json!({
        "key_id": record.kid, "state": state(record, now),
        "created": instant(record.created), "expires": record.expires.map(instant),
    })
}

fn state(record: &TokenRecord, now: i64) -> &'static str {
    match record {
        record if record.revoked => "revoked",
        record if record.expires.is_some_and(|at| at <= now) => "expired",
        _ => "good",
    }
}

fn instant(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map(date_time).unwrap_or_default()
}
