//! `scimctl token`: minting, listing and revoking bearer tokens.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use scim_core::value::date_time;
use scim_lambda::auth::records::TokenRecord;
use scim_lambda::auth::secrets_manager::SecretsError;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::clock::Clock;
use scim_lambda::store::tenants::TenantRow;
use scim_lambda::tenant::Profile;
use scim_lambda::tenant::profile::Reveal;
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
            let days = (!no_expiry)
                .then_some(days.unwrap_or(Profile::read(&row.profile)?.token.lifetime_days));
            let minted = mint(&connection, &row, days, now).await?;
            show(&connection, &row, &minted, json)?;
        }
        TokenCommand::Rotate { tenant, overlap_days } => {
            let row = connection.tenant(&tenant).await?;
            let policy = Profile::read(&row.profile)?.token;
            let minted = mint(&connection, &row, Some(policy.lifetime_days), now).await?;
            let until = now + i64::from(overlap_days.unwrap_or(policy.overlap_days)) * DAY;
            change(&connection, &row, |records| {
                let others = records.iter_mut().filter(|record| !record.is(minted.token.key_id()));
                others.for_each(|record| {
                    record.expires = Some(record.expires.map_or(until, |at| at.min(until)))
                });
                Ok(())
            })
            .await?;
            show(&connection, &row, &minted, json)?;
            if !json {
                println!("The tokens before it are refused from {} on.", instant(until));
            }
        }
        TokenCommand::Show { tenant, key_id } => {
            let row = connection.tenant(&tenant).await?;
            let again = is_kept(&row)?;
            let records = connection.secrets.records(row.code()).await?;
            let good = records.iter().filter(|record| state(record, now) == "good");
            let of =
                |record: &&TokenRecord| key_id.as_ref().is_none_or(|key_id| record.kid == *key_id);
            let newest = good.filter(of).max_by_key(|record| record.created);
            let newest = newest.with_context(|| match &key_id {
                Some(key_id) => format!(
                    "tenant {tenant} has no good token {key_id}; scimctl token list {tenant}"
                ),
                None => format!(
                    "tenant {tenant} has no good token; scimctl token issue {tenant} mints one"
                ),
            })?;
            let kept = connection.secrets.kept(row.code()).await?;
            let token = kept.tokens.get(&newest.kid).filter(|_| again).context(
                "the token was shown once, and only its digest is kept; scimctl token rotate \
                mints another one, and the setting token.reveal=again keeps those that are minted \
                later",
            )?;
            let object = json!({ "tenant": tenant, "key_id": newest.kid, "token": token });
            print(json, &object, &format!("{}  {token}", newest.kid));
        }
        TokenCommand::List { tenant } => {
            let row = connection.tenant(&tenant).await?;
            let records = connection.secrets.records(row.code()).await?;
            let tokens: Vec<_> = records.iter().map(|record| describe(record, now)).collect();
            let lines = records.iter().map(|record| {
                let expires = record
                    .expires
                    .map_or("never expires".to_owned(), |at| format!("expires {}", instant(at)));
                format!(
                    "{}  {:7}  minted {}  {expires}",
                    record.kid,
                    state(record, now),
                    instant(record.created)
                )
            });
            let lines = lines.collect::<Vec<_>>().join("\n");
            let lines = if lines.is_empty() { "There are no tokens." } else { &lines };
            print(json, &json!({ "tenant": tenant, "tokens": tokens }), lines);
        }
        TokenCommand::Revoke { tenant, key_id } => {
            let row = connection.tenant(&tenant).await?;
            change(&connection, &row, |records| {
                let record = records.iter_mut().find(|record| record.kid == key_id);
                let record = record.with_context(|| {
                    format!("tenant {tenant} has no token {key_id}; scimctl token list {tenant}")
                })?;
                record.revoked = true;
                Ok(())
            })
            .await?;
            keep(&connection, &row, |tokens| drop(tokens.remove(&key_id))).await?;
            let object = json!({ "tenant": tenant, "key_id": key_id, "revoked": true });
            print(
                json,
                &object,
                &format!(
                    "Token {key_id} of tenant {tenant} is revoked; it is refused within a minute."
                ),
            );
        }
    }
    Ok(())
}

/// A token that was minted.
pub(crate) struct NewToken {
    pub(crate) token: PlainToken,
    expires: Option<i64>,
    again: bool,
}

impl NewToken {
    /// The day from which on the token is refused.
    pub(crate) fn expires_text(&self) -> Option<String> {
        self.expires.map(instant)
    }

    /// What the operator should know about it.
    pub(crate) fn told(&self, tenant: &str) -> String {
        let until = self.expires_text().unwrap_or("it is revoked".into());
        match self.again {
            false => format!("The token is shown this once; it is good until {until}."),
            true => {
                format!("scimctl token show {tenant} shows it again; it is good until {until}.")
            }
        }
    }
}

/// Whether the tenant's tokens are kept, to be shown again.
fn is_kept(row: &TenantRow) -> anyhow::Result<bool> {
    Ok(Profile::read(&row.profile)?.token.reveal == Reveal::Again)
}

/// Mints a token and stores its digest beside the others.
pub(crate) async fn mint(
    connection: &Connection,
    row: &TenantRow,
    days: Option<u32>,
    now: i64,
) -> anyhow::Result<NewToken> {
    let expires = days.map(|days| now + i64::from(days) * DAY);
    let (token, known) = change(connection, row, |records| {
        // What can never be accepted again makes room.
        records.retain(|record| {
            !record.revoked && record.expires.is_none_or(|at| at + 30 * DAY > now)
        });
        ensure!(records.len() < MOST, "tenant {} has {MOST} tokens; revoke some first", row.name);
        let token = loop {
            let token = PlainToken::generate(row.code())?;
            if !records.iter().any(|record| record.is(token.key_id())) {
                break token;
            }
        };
        records.push(TokenRecord::of(&token, now, expires));
        Ok((token, records.iter().map(|record| record.kid.clone()).collect::<BTreeSet<_>>()))
    })
    .await?;
    let again = is_kept(row)?;
    keep(connection, row, |tokens| {
        // Nothing is kept for longer than the profile wants it, or than its digest.
        tokens.retain(|key_id, _| again && known.contains(key_id));
        if again {
            tokens.insert(token.key_id().as_str().to_owned(), token.reveal().to_owned());
        }
    })
    .await?;
    Ok(NewToken { token, expires, again })
}

/// Changes the tokens that can be shown again, if there are any or the change makes one.
async fn keep(
    connection: &Connection,
    row: &TenantRow,
    mut by: impl FnMut(&mut BTreeMap<String, String>),
) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        let mut kept = connection.secrets.kept(row.code()).await?;
        let before = kept.tokens.clone();
        by(&mut kept.tokens);
        if kept.tokens == before {
            return Ok(());
        }
        match connection.secrets.keep(row.code(), &row.name, &kept).await {
            Ok(()) => return Ok(()),
            Err(SecretsError::Changed) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("others keep changing the tokens of {}; try again", row.name)
}

fn show(
    connection: &Connection,
    row: &TenantRow,
    minted: &NewToken,
    json: bool,
) -> anyhow::Result<()> {
    let profile = Profile::read(&row.profile)?;
    let base_url = connection.base_url_of(&profile);
    let (tenant, key_id) = (&row.name, minted.token.key_id().as_str());
    let object = json!({
        "tenant": tenant, "base_url": base_url, "token": minted.token.reveal(),
        "key_id": key_id, "expires": minted.expires_text(),
    });
    let lines = format!(
        "Token of tenant {tenant}\n  Token   {}\n  Key id  {key_id}\n{}",
        minted.token.reveal(),
        minted.told(tenant)
    );
    print(json, &object, &lines);
    Ok(())
}

/// Changes a tenant's records; if somebody else was faster, on what they left. A revocation must
/// not be undone by a token that is minted at the same time.
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
