//! `scimctl tenant`: one tenant for each customer's identity provider.

use anyhow::{Context, bail, ensure};
use scim_lambda::clock::Clock;
use scim_lambda::edge::BASE_PATH;
use scim_lambda::store::TenantRow;
use scim_lambda::tenant::Profile;
use scim_lambda::tenant::profile::PRESETS;
use serde_json::{Value, json};

use crate::cli::TenantCommand;
use crate::place::{Connection, Place};
use crate::profile::Source;
use crate::{print, token};

pub(crate) async fn run(place: &Place, command: TenantCommand, json: bool) -> anyhow::Result<()> {
    let connection = place.connect().await?;
    match command {
        TenantCommand::Create { name, settings, source, customer, base_url } => {
            let wanted = Wanted { name, settings, source, customer, base_url };
            let made = create(&connection, wanted).await?;
            let object = json!({
                "tenant": made.row.name, "base_url": made.base_url, "token": made.minted.token.reveal(),
                "code": made.row.code().as_str(), "profile": made.preset,
                "key_id": made.minted.token.key_id().as_str(), "expires": made.minted.expires_text(),
            });
            let lines = format!(
                "Tenant {} ({}), profile {}\n  Base URL  {}\n  Token     {}\n{}",
                made.row.name,
                made.row.code(),
                made.preset,
                made.base_url,
                made.minted.token.reveal(),
                made.minted.told(&made.row.name),
            );
            print(json, &object, &lines);
        }
        TenantCommand::List => {
            let tenants = connection.store.tenants().await.context("the tenants cannot be read")?;
            let listed: Vec<Value> =
                tenants.iter().map(|row| describe(&connection, row)).collect::<Result<_, _>>()?;
            let text = |tenant: &Value, name: &str| tenant[name].as_str().unwrap_or("-").to_owned();
            let lines = listed.iter().map(|tenant| {
                let [code, state, profile, name, customer] =
                    ["code", "state", "profile", "tenant", "customer"]
                        .map(|field| text(tenant, field));
                let customer =
                    if customer == "-" { String::new() } else { format!("  of {customer}") };
                format!("{code}  {state:9}  {profile:12}  {name}{customer}")
            });
            let lines = lines.collect::<Vec<_>>().join("\n");
            let none = "There are no tenants; scimctl tenant create NAME makes one.";
            print(
                json,
                &json!({ "tenants": listed }),
                if lines.is_empty() { none } else { &lines },
            );
        }
        TenantCommand::Disable { name } => switch(&connection, &name, false, json).await?,
        TenantCommand::Enable { name } => switch(&connection, &name, true, json).await?,
    }
    Ok(())
}

async fn switch(connection: &Connection, name: &str, on: bool, json: bool) -> anyhow::Result<()> {
    let row = connection.tenant(name).await?;
    ensure!(connection.store.enable(row.code(), on).await?, "the tenant is gone");
    let lines = match on {
        true => format!("SCIM is on for {name} within a minute."),
        false => format!(
            "SCIM is off for {name} within a minute: requests are refused, and no user changes."
        ),
    };
    print(json, &json!({ "tenant": name, "enabled": on }), &lines);
    Ok(())
}

/// A tenant and the state of its connection: inactive (switched off), active (nobody came yet),
/// connected.
fn describe(connection: &Connection, row: &TenantRow) -> anyhow::Result<Value> {
    let profile = Profile::read(&row.profile)?;
    let state = match (row.enabled, row.connected) {
        (false, _) => "inactive",
        (true, None) => "active",
        (true, Some(_)) => "connected",
    };
    Ok(json!({
        "tenant": row.name, "code": row.code().as_str(), "state": state, "profile": profile.preset,
        "profile_version": row.profile_version, "idp": profile.dialect.idp, "customer": row.customer,
        "base_url": connection.base_url_of(&profile),
    }))
}

/// A tenant to create.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) settings: Vec<String>,
    pub(crate) source: Source,
    pub(crate) customer: Option<String>,
    pub(crate) base_url: Option<String>,
}

/// A tenant that was created, with its first token.
pub(crate) struct CreatedTenant {
    pub(crate) row: TenantRow,
    pub(crate) preset: String,
    pub(crate) base_url: String,
    pub(crate) minted: token::NewToken,
}

/// Creates a tenant and mints its first token.
pub(crate) async fn create(
    connection: &Connection,
    wanted: Wanted,
) -> anyhow::Result<CreatedTenant> {
    let name = wanted.name;
    ensure!(is_name(&name), "a tenant's name has 1 to 64 letters, digits, '.', '_' or '-'");
    ensure!(
        PRESETS.iter().all(|(preset, _)| *preset != name),
        "{name} is the name of a profile; give the tenant another one, and the profile by \
        --profile {name}"
    );
    ensure!(
        wanted.customer.as_deref().is_none_or(is_name),
        "a customer's name has 1 to 64 letters, digits, '.', '_' or '-'"
    );
    let mut profile = wanted.source.over(Profile::preset("default", None)?, &wanted.settings)?;
    if let Some(url) = wanted.base_url {
        let url = at_path_of(&profile, url.trim_end_matches('/'));
        profile = profile.with("address.base_url", &json!(url).to_string())?;
    }
    let Some(base_url) = connection.base_url_of(&profile) else {
        bail!("give --base-url: the output BaseUrl of the stack");
    };
    crate::profile::check_host(&profile, Some(&base_url))?;
    let now = Clock::system().seconds();
    let mut row = TenantRow::generate(&name, &profile.write()?, now)?;
    row.customer = wanted.customer;
    row.expiring = profile.deprovision.is_expiring();
    let created = connection
        .store
        .create_tenant(&row, profile.seats.limit)
        .await
        .context("the tenant cannot be stored")?;
    ensure!(
        created,
        "there is a tenant {name} already; scimctl token issue {name} mints one more token"
    );
    let minted = token::mint(connection, &row, Some(profile.token.lifetime_days), now)
        .await
        .with_context(|| {
            format!(
                "tenant {name} exists, but has no token yet; scimctl token issue {name} mints one"
            )
        })?;
    Ok(CreatedTenant { row, preset: profile.preset, base_url, minted })
}

/// A base URL that the operator gives. That of the stack leads to it under every path: where the
/// profile has a path of the product's own, the tenant gets that.
fn at_path_of(profile: &Profile, url: &str) -> String {
    match (url.strip_suffix(BASE_PATH), &profile.address.base_path) {
        (Some(origin), Some(path)) => format!("{origin}{path}"),
        _ => url.to_owned(),
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
