//! `scimctl serve`: the service that runs in Lambda, on this machine.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use scim_core::Additions;
use scim_lambda::Service;
use scim_lambda::auth::secrets_manager::{self, Secrets};
use scim_lambda::clock::Clock;
use scim_lambda::edge::BASE_PATH;
use scim_lambda::settings::Settings;
use scim_lambda::store::resources::MAX_UNIQUE_VALUES;
use scim_lambda::store::{self, Store};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cli::ServeOptions;
use crate::local::access_key::AccessKey;
use crate::local::data_dir::{DataDir, Opened, Served};
use crate::local::door::Door;
use crate::local::listener::{self, Requests};
use crate::local::{self, Local};
use crate::place::{Connection, Place};
use crate::tenant::{self, CreatedTenant, Wanted};

/// How often expired rows are removed; DynamoDB takes days.
const SWEEP: Duration = Duration::from_secs(60);

pub(crate) async fn run(place: &Place, options: &ServeOptions, json: bool) -> anyhow::Result<()> {
    let additions = match &options.schemas {
        None => Additions::default(),
        Some(path) => {
            let text = std::fs::read(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            Additions::parse(&text, MAX_UNIQUE_VALUES)
                .with_context(|| path.display().to_string())?
        }
    };
    let directory = hold(place, options).await?;
    let (local, key) = match options.ephemeral {
        true => (Local::open(None)?, AccessKey::generate()?),
        false => (Local::open(Some(directory.path()))?, directory.access_key()?),
    };
    local.create_table().await?;

    let bind = |address| async move {
        TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; choose another address"))
    };
    let scim = bind(options.listen).await?;
    let (dynamodb, secrets) =
        (bind(options.dynamodb_listen).await?, bind(options.secrets_listen).await?);
    let served = Served {
        base_url: format!("http://{}{BASE_PATH}", scim.local_addr()?),
        dynamodb: format!("http://{}", dynamodb.local_addr()?),
        secrets_manager: format!("http://{}", secrets.local_addr()?),
        access_key_id: key.as_str().to_owned(),
    };
    let table_door = Door::new(key.clone(), dynamodb.local_addr()?);
    let secrets_door = Door::new(key, secrets.local_addr()?);
    let mut settings = Settings::new(local::TABLE, local::STACK);
    settings.base_url = Some(served.base_url.clone());
    settings.additions = additions;
    settings.retention = Duration::from_secs(options.retention_days * 24 * 60 * 60);

    let sdk = local.sdk_config();
    let table = Store::new(
        aws_sdk_dynamodb::Client::from_conf(store::timeouts((&sdk).into()).build()),
        local::TABLE,
    );
    let client =
        aws_sdk_secretsmanager::Client::from_conf(secrets_manager::timeouts((&sdk).into()).build());
    let tokens = Secrets::new(client, local::STACK);
    let connection = Connection::to(table.clone(), tokens.clone(), &served.base_url);
    let first = first_tenant(&connection).await?;
    let service = Arc::new(Service::new(table, tokens, &settings, Clock::system())?);

    let interrupted = interrupted()?;
    directory.announce(&served)?;
    greet(&served, &first, place, options, json);
    let (stop, stopped) = watch::channel(());
    let log = if json { Requests::ToStandardError } else { Requests::ToStandardOutput };
    let servers = tokio::spawn({
        let (engine, vault) = (local.engine.clone(), local.secrets.clone());
        let gone = |mut stopped: watch::Receiver<()>| async move { drop(stopped.changed().await) };
        let (a, b, c) = (gone(stopped.clone()), gone(stopped.clone()), gone(stopped.clone()));
        async move {
            tokio::join!(
                listener::scim(scim, service, log, a),
                listener::dynamodb(dynamodb, table_door, engine, b),
                listener::secrets(secrets, secrets_door, vault, c),
            )
        }
    });
    let engine = local.engine.clone();
    let sweeper = tokio::spawn(async move {
        let mut every = tokio::time::interval(SWEEP);
        loop {
            every.tick().await;
            let engine = engine.clone();
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || engine.sweep()).await {
                eprintln!("scimctl: expired rows could not be removed: {error:#}");
            }
        }
    });
    interrupted.await;
    sweeper.abort();
    directory.undo_create();
    stop.send(()).ok();
    // A client that holds its connection open must not hold the server.
    let _ = tokio::time::timeout(Duration::from_secs(5), servers).await;
    if options.ephemeral {
        directory.remove();
    }
    eprintln!("Stopped.");
    Ok(())
}

/// Holds the data directory, also to keep nothing in it: there the other subcommands learn who
/// serves.
async fn hold(place: &Place, options: &ServeOptions) -> anyhow::Result<DataDir> {
    match DataDir::open(place.data()?).await? {
        Opened::Ours(directory) => Ok(directory),
        Opened::Served(served) if options.ephemeral => anyhow::bail!(
            "the data directory is being served already, on {}; give this server another place to \
            be found at, by --data DIR",
            served.base_url
        ),
        Opened::Served(served) => {
            anyhow::bail!("the data directory is being served already, on {}", served.base_url)
        }
    }
}

/// Whom the first lines are about.
enum First {
    /// The tenant `demo`, which was made with its token.
    CreatedTenant(Box<CreatedTenant>),
    /// A tenant that was there already, by name.
    Known(String),
}

/// The tenant `demo` with a token, if there is no tenant yet.
async fn first_tenant(connection: &Connection) -> anyhow::Result<First> {
    if let Some(tenant) =
        connection.store.tenants().await.context("the tenants cannot be read")?.into_iter().next()
    {
        return Ok(First::Known(tenant.name));
    }
    let wanted = Wanted { name: "demo".into(), ..Wanted::default() };
    tenant::create(connection, wanted).await.map(|made| First::CreatedTenant(Box::new(made)))
}

fn greet(served: &Served, first: &First, place: &Place, options: &ServeOptions, json: bool) {
    let base_url = &served.base_url;
    if json {
        let made = match first {
            First::CreatedTenant(made) => Some(made),
            First::Known(_) => None,
        };
        println!(
            "{}",
            json!({
                "base_url": base_url, "tenant": made.map(|made| &made.row.name),
                "token": made.map(|made| made.minted.token.reveal()), "dynamodb": served.dynamodb,
                "secrets_manager": served.secrets_manager, "table": local::TABLE, "stack": local::STACK,
                "access_key_id": served.access_key_id, "secret_access_key": local::SECRET_ACCESS_KEY,
            })
        );
        return;
    }
    println!("SCIM      {base_url}");
    println!("DynamoDB  {}   (table {})", served.dynamodb, local::TABLE);
    println!("Secrets   {}   (stack {})", served.secrets_manager, local::STACK);
    if options.ephemeral {
        println!("Everything is in memory and gone when this stops.");
    }
    match first {
        First::CreatedTenant(made) => {
            let token = made.minted.token.reveal();
            println!("Token     {token}   (tenant demo; shown this once)\n");
            println!("Try, in another terminal:\n\n{}\n", curls(base_url, token));
        }
        First::Known(tenant) => {
            let program = std::env::args().next().unwrap_or_else(|| "scimctl".into());
            let data = place.data().map(|path| path.display().to_string()).unwrap_or_default();
            println!(
                "The token of {tenant} was shown when it was made; this mints another, to put \
                into $TOKEN:\n\n{program} --data {data} token issue {tenant}\n\nThen try, in \
                another terminal:\n\n{}\n",
                curls(base_url, "$TOKEN")
            );
        }
    }
    println!(
        "The function under sam local or cargo lambda watch needs, as the aws command \
        does:\n\n{}\n",
        exports(served)
    );
    println!("Ctrl-C stops it.\n");
}

/// The environment of what works on the same data.
fn exports(served: &Served) -> String {
    let Served { base_url, dynamodb, secrets_manager, access_key_id } = served;
    let (table, stack, region, secret) =
        (local::TABLE, local::STACK, local::REGION, local::SECRET_ACCESS_KEY);
    format!(
        "export AWS_ACCESS_KEY_ID={access_key_id} AWS_SECRET_ACCESS_KEY={secret} \
        AWS_REGION={region} AWS_DEFAULT_REGION={region}\nexport \
        AWS_ENDPOINT_URL_DYNAMODB={dynamodb} \
        AWS_ENDPOINT_URL_SECRETS_MANAGER={secrets_manager}\nexport SCIM_TABLE={table} \
        SCIM_STACK={stack} SCIM_BASE_URL={base_url}"
    )
}

fn curls(base_url: &str, token: &str) -> String {
    format!(
        "curl -H \"Authorization: Bearer {token}\" {base_url}/ServiceProviderConfig\n\ncurl -H \
        \"Authorization: Bearer {token}\" -H 'Content-Type: application/scim+json' \
        {base_url}/Users -d \
        '{{\"userName\":\"bjensen@example.com\",\"externalId\":\"701984\",\"name\":{{\"givenName\":\"Barbara\",\"familyName\":\"Jensen\"}}}}'\n\ncurl \
        -H \"Authorization: Bearer {token}\" -G {base_url}/Users --data-urlencode \
        'filter=userName eq \"bjensen@example.com\"'"
    )
}

/// Ready at Ctrl-C or SIGTERM, which are caught from this call on.
fn interrupted() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupted, mut terminated) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
