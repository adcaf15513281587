//! `scimctl tenant`: one tenant for each customer's identity provider.

use anyhow::{Context, bail, ensure};
use scim_lambda::clock::Clock;
use scim_lambda::edge::BASE_PATH;
use scim_lambda::store::tenants::TenantRow;
use scim_lambda::tenant::Profile;
use serde_json::json;

use crate::cli::TenantCommand;
use crate::place::{Connection, Place};
use crate::{print, token};

/// How long a first token is good, in days.
const TOKEN_DAYS: u32 = 365;

pub(crate) async fn run(place: &Place, command: TenantCommand, json: bool) -> anyhow::Result<()> {
    match command {
        TenantCommand::Create { name, profile, idp, base_url } => {
            let connection = place.connect().await?;
            let wanted = Wanted { name, profile, idp, base_url };
            let made = create(&connection, wanted).await?;
            let object = json!({
                "tenant": made.row.name, "base_url": made.base_url, "token": made.minted.token.reveal(),
                "code": made.row.code().as_str(), "profile": made.row.profile,
                "key_id": made.minted.token.key_id().as_str(), "expires": made.minted.expires_text(),
            });
            let lines = format!(
                "Tenant {} ({}), profile {}\n  Base URL  {}\n  Token     {}\n\
                 The token is shown this once; it is good until {}.",
                made.row.name,
                made.row.code(),
                made.row.profile,
                made.base_url,
                made.minted.token.reveal(),
                made.minted.expires_text().unwrap_or("it is revoked".into()),
            );
            print(json, &object, &lines);
        }
        TenantCommand::List => {
            let connection = place.connect().await?;
            let tenants = connection.store.tenants().await.context("the tenants cannot be read")?;
            let object = json!({ "tenants": tenants.iter().map(|tenant| json!({
                "tenant": tenant.name, "code": tenant.code().as_str(), "profile": tenant.profile, "idp": tenant.idp,
                "base_url": tenant.base_url.as_ref().or(connection.base_url.as_ref()),
            })).collect::<Vec<_>>() });
            let lines = tenants.iter().map(|tenant| format!("{}  {}  {}", tenant.code(), tenant.profile, tenant.name));
            let lines = lines.collect::<Vec<_>>().join("\n");
            print(
                json,
                &object,
                if lines.is_empty() { "There are no tenants; scimctl tenant create NAME makes one." } else { &lines },
            );
        }
    }
    Ok(())
}

/// A tenant to create.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) profile: String,
    pub(crate) idp: Option<String>,
    pub(crate) base_url: Option<String>,
}

/// A tenant that was created, with its first token.
pub(crate) struct Made {
    pub(crate) row: TenantRow,
    pub(crate) base_url: String,
    pub(crate) minted: token::Minted,
}

/// Creates a tenant and mints its first token.
pub(crate) async fn create(connection: &Connection, wanted: Wanted) -> anyhow::Result<Made> {
    let name = wanted.name;
    let fits = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    ensure!(fits, "a tenant's name has 1 to 64 letters, digits, '.', '_' or '-'");
    let profiles: Vec<_> = Profile::ALL.iter().map(|profile| profile.name).collect();
    ensure!(
        profiles.contains(&wanted.profile.as_str()),
        "there is no profile {}; take one of: {}",
        wanted.profile,
        profiles.join(", ")
    );
    let own_url = wanted.base_url.map(|url| url.trim_end_matches('/').to_owned());
    if let Some(url) = &own_url {
        let parsed: http::Uri = url.parse().context("the base URL is not a URL")?;
        let local = matches!(parsed.host(), Some("127.0.0.1" | "localhost"));
        let secure = parsed.scheme_str() == Some("https") || (parsed.scheme_str() == Some("http") && local);
        let plain = !url.contains(['?', '#']) && !parsed.authority().is_some_and(|host| host.as_str().contains('@'));
        ensure!(secure && plain && parsed.path().ends_with(BASE_PATH), "a base URL is https://HOST{BASE_PATH}");
    }
    let base_url = own_url.clone().or_else(|| connection.base_url.clone());
    let Some(base_url) = base_url else {
        bail!("give --base-url: the output BaseUrl of the stack");
    };
    let now = Clock::system().seconds();
    let mut row = TenantRow::generate(&name, &wanted.profile, now)?;
    row.idp = wanted.idp;
    row.base_url = own_url;
    let created = connection.store.create_tenant(&row).await.context("the tenant cannot be stored")?;
    ensure!(created, "there is a tenant {name} already; scimctl token issue {name} mints one more token");
    let minted = token::mint(connection, &row, Some(TOKEN_DAYS), now)
        .await
        .with_context(|| format!("tenant {name} exists, but has no token yet; scimctl token issue {name} mints one"))?;
    Ok(Made { row, base_url, minted })
}
