//! `scimctl serve`: runs the service that also runs in Lambda, on this machine.

mod access_key;
mod background;
mod body;
mod door;
mod feed;
mod greeting;
mod kept;
mod lines;
mod listener;
mod pause;
mod sockets;
mod tail;
mod webhook;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use http::Uri;
use scim_core::Additions;
use scim_lambda::Service;
use scim_lambda::auth::secrets_manager::Secrets;
use scim_lambda::clock::Clock;
use scim_lambda::operator::tenants::NewTenant;
use scim_lambda::settings::{EventSettings, Settings};
use scim_lambda::store::Store;
use scim_local::Local;
use scim_local::data_dir::{DataDir, Opened, Served};
use tokio::sync::watch;

use crate::interruption::interrupted;
use crate::output::Format;
use crate::place::{self, Place};
use access_key::AccessKey;
use background::Background;
use feed::Source;
use greeting::{FirstTenant, Greeting};
use kept::Kept as _;
use lines::RequestLog;
use sockets::{Addresses, Backends, Sockets};
pub(crate) use tail::{Answer, Question, TAIL_TARGET};
use webhook::{Secret, Target};

/// How long open connections may delay the end of the server.
const STOP_WITHIN: Duration = Duration::from_secs(5);
const DAY: u64 = 24 * 60 * 60;

#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    /// Where to serve SCIM; port 0 picks a free port
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Keep everything in memory until the server stops. Other subcommands with the same --data can
    /// reach it
    #[arg(long)]
    ephemeral: bool,

    /// Where to serve the engine's DynamoDB endpoint, for `sam local` and `cargo lambda watch`
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    dynamodb_listen: SocketAddr,

    /// Where to serve a Secrets Manager endpoint with the token digests, for the same tools
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    secrets_listen: SocketAddr,

    /// How many days a deleted user can be restored
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=3650))]
    retention_days: u64,

    /// Serve additional schemas and resource types, from a file with the arrays schemas and
    /// resourceTypes
    #[arg(long, value_name = "FILE")]
    schemas: Option<PathBuf>,

    /// Post each event to this URL, signed as Standard Webhooks says, in order, and again until it
    /// is taken
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,

    /// Print no line for each request
    #[arg(long)]
    quiet: bool,
}

impl ServeOptions {
    fn addresses(&self) -> Addresses {
        let (dynamodb, secrets) = (self.dynamodb_listen, self.secrets_listen);
        Addresses { scim: self.listen, dynamodb, secrets }
    }

    fn log(&self, format: Format) -> RequestLog {
        RequestLog::of(format, self.quiet)
    }

    fn settings(&self, base_url: Option<String>, additions: Additions) -> Settings {
        let retention = Duration::from_secs(self.retention_days * DAY);
        let settings = Settings::new(scim_local::TABLE, scim_local::STACK);
        let region = Some(scim_local::REGION.to_owned());
        let events = EventSettings { region, ..settings.events };
        Settings { base_url, additions, retention, events, ..settings }
    }
}

pub(crate) async fn run(
    place: &Place,
    options: &ServeOptions,
    format: Format,
) -> anyhow::Result<()> {
    let additions = additions(options)?;
    let webhook = options.webhook.as_deref().map(webhook::parse_url).transpose()?;
    let directory = hold(place, options).await?;
    let (local, key) = open(&directory, options)?;
    let (store, secrets) = place::open_local(&local).await?;
    let target = webhook.map(|url| target(url, &directory, options)).transpose()?;
    let sockets = Sockets::bind(options.addresses()).await?;
    let served = sockets.served(&key)?;
    // A server that cannot start forgets nothing.
    let changes = background::changes(&local.engine, target.is_some())?;
    let tenant = first_tenant(&store, &secrets, &served).await?;
    let settings = options.settings(Some(served.base_url.clone()), additions);
    let service = Arc::new(Service::new(store, secrets, &settings, Clock::system())?);
    let interrupted = interrupted()?;
    directory.announce(&served)?;
    let webhook = target.as_ref();
    Greeting { served: &served, tenant: &tenant, place, ephemeral: options.ephemeral, webhook }
        .print(format);
    let (stop, stopped) = watch::channel(());
    let source = Source { changes, service: service.clone() };
    let background = Background::start(source, local.engine.clone(), target, stopped.clone());
    let backends = Backends { service, local, key, tail: background.tail() };
    let servers = tokio::spawn(sockets.serve(backends, options.log(format), stopped));
    interrupted.await;
    directory.withdraw();
    stop.send(()).ok();
    // A client that holds its connection open must not keep the server from stopping.
    let _ = tokio::time::timeout(STOP_WITHIN, servers).await;
    background.end(STOP_WITHIN).await;
    if options.ephemeral {
        directory.remove();
    }
    eprintln!("Stopped.");
    Ok(())
}

fn additions(options: &ServeOptions) -> anyhow::Result<Additions> {
    let Some(path) = &options.schemas else { return Ok(Additions::default()) };
    let text = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Additions::parse(&text, scim_lambda::store::MAX_UNIQUE_VALUES)
        .with_context(|| path.display().to_string())
}

/// Holds the data directory. A server that keeps everything in memory holds it too, because other
/// subcommands find the server there.
async fn hold(place: &Place, options: &ServeOptions) -> anyhow::Result<DataDir> {
    match DataDir::open(place.data()?).await? {
        Opened::Ours(directory) => Ok(directory),
        Opened::Served(served) if options.ephemeral => bail!(
            "the data directory is already being served on {}; choose another one for this \
             server with --data DIR",
            served.base_url
        ),
        Opened::Served(served) => {
            bail!("the data directory is already being served on {}", served.base_url)
        }
    }
}

fn open(directory: &DataDir, options: &ServeOptions) -> anyhow::Result<(Local, AccessKey)> {
    if options.ephemeral {
        return Ok((Local::open(None)?, AccessKey::generate()?));
    }
    let key = kept::open(&directory.path().join("access-key"))?;
    Ok((Local::open(Some(directory.path()))?, key))
}

/// The webhook, with the secret of the data directory.
fn target(url: Uri, directory: &DataDir, options: &ServeOptions) -> anyhow::Result<Target> {
    let secret = if options.ephemeral {
        Secret::generate()?
    } else {
        kept::open(&directory.path().join("webhook-secret"))?
    };
    Target::new(url, secret)
}

/// The first existing tenant, or the tenant `demo`, created with its token.
async fn first_tenant(
    store: &Store,
    secrets: &Secrets,
    served: &Served,
) -> anyhow::Result<FirstTenant> {
    let base_url = Some(served.base_url.clone());
    let operator = place::operator(store.clone(), secrets.clone(), base_url, place::REQUEST);
    if let Some(tenant) = operator.tenant_rows().await?.into_iter().next() {
        return Ok(FirstTenant::Existing(tenant.name));
    }
    let demo = NewTenant { name: "demo".into(), ..NewTenant::default() };
    Ok(FirstTenant::Created(Box::new(operator.create_tenant(demo).await?)))
}
