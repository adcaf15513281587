//! Where the service lives: in a data directory on this machine or in a stack in AWS.

use std::path::{Path, PathBuf};

use anyhow::bail;
use aws_config::{BehaviorVersion, SdkConfig};
use scim_lambda::auth::secrets_manager::{self, Secrets};
use scim_lambda::clock::Clock;
use scim_lambda::edge::BASE_PATH;
use scim_lambda::operator::{Deployment, Operator};
use scim_lambda::sdk::{self, http_client};
use scim_lambda::store::{self, Store};
use scim_local::Local;
use scim_local::data_dir::{DataDir, Opened, Served};
use scim_local::engine::Loading;

/// The default data directory.
const DEFAULT_DATA: &str = ".scim";
/// The origin at which `serve` listens by default.
const DEFAULT_ORIGIN: &str = "http://127.0.0.1:8080";
/// The id of the tool's requests in the log, unless a subcommand has its own.
pub(crate) const REQUEST: &str = "scimctl";

/// A place to work on.
#[derive(Debug)]
pub(crate) enum Place {
    /// A data directory on this machine.
    Data(PathBuf),
    /// A stack in AWS, by name.
    Stack(String),
}

/// An open place.
pub(crate) struct Connection {
    pub(crate) operator: Operator,
    /// The engine and the directory's lock, if this process holds them.
    held: Option<(Local, DataDir)>,
}

impl Place {
    pub(crate) fn new(data: Option<PathBuf>, stack: Option<String>) -> Self {
        match stack {
            Some(stack) => Self::Stack(stack),
            None => Self::Data(data.unwrap_or_else(|| DEFAULT_DATA.into())),
        }
    }

    /// The data directory, for subcommands that make sense only on this machine.
    pub(crate) fn data(&self) -> anyhow::Result<&Path> {
        match self {
            Self::Data(path) => Ok(path),
            Self::Stack(_) => bail!(
                "this works only on a data directory on this machine; omit \
                                     --stack"
            ),
        }
    }

    /// Opens the place.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        self.connect_as(REQUEST).await
    }

    /// Opens the place for changes that have the id `request` in the log. A data directory that
    /// `serve` holds is reached through its loopback endpoints; any other one is opened in this
    /// process.
    pub(crate) async fn connect_as(&self, request: &str) -> anyhow::Result<Connection> {
        match self {
            Self::Stack(stack) => {
                let sdk = stack_config().await?;
                let (store, secrets) = clients(&sdk, &sdk, stack, stack);
                Ok(Connection { operator: operator(store, secrets, None, request), held: None })
            }
            Self::Data(path) => match DataDir::open(path).await? {
                Opened::Ours(directory) => open(directory, request).await,
                Opened::Served(served) => Ok(reach(served, request)),
            },
        }
    }
}

impl Connection {
    /// Lets an engine in this process write many rows fast until the guard is dropped. A crash may
    /// then lose them.
    pub(crate) fn loading(&self) -> anyhow::Result<Option<Loading>> {
        self.held.as_ref().map(|(local, _)| local.engine.loading()).transpose()
    }
}

/// The SDK's configuration for AWS, from the environment and the user's profile.
async fn stack_config() -> anyhow::Result<SdkConfig> {
    let sdk = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client());
    let sdk = sdk.retry_config(sdk::retry()).load().await;
    if sdk.region().is_none() {
        bail!("no AWS region is set; set AWS_REGION or a profile");
    }
    Ok(sdk)
}

/// Opens a data directory in this process.
async fn open(directory: DataDir, request: &str) -> anyhow::Result<Connection> {
    let local = Local::open(Some(directory.path()))?;
    let (store, secrets) = open_local(&local).await?;
    let base_url = Some(format!("{DEFAULT_ORIGIN}{BASE_PATH}"));
    let operator = operator(store, secrets, base_url, request);
    Ok(Connection { operator, held: Some((local, directory)) })
}

/// Reaches a data directory through the endpoints of the `serve` that holds it.
fn reach(served: Served, request: &str) -> Connection {
    let account = scim_local::account(&served.access_key_id);
    let endpoint = |url: &str| {
        account.clone().into_builder().endpoint_url(url).http_client(http_client()).build()
    };
    let (table, secrets) = (endpoint(&served.dynamodb), endpoint(&served.secrets_manager));
    let (store, secrets) = clients(&table, &secrets, scim_local::TABLE, scim_local::STACK);
    Connection { operator: operator(store, secrets, Some(served.base_url), request), held: None }
}

/// The store and the token secrets of an engine in this process, The table is created if it does
/// not exist.
pub(crate) async fn open_local(local: &Local) -> anyhow::Result<(Store, Secrets)> {
    let sdk = local.sdk_config();
    store::table::create(&aws_sdk_dynamodb::Client::new(&sdk), scim_local::TABLE).await?;
    Ok(clients(&sdk, &sdk, scim_local::TABLE, scim_local::STACK))
}

/// The operator of a deployment with this base URL. In AWS each tenant has its own URL.
pub(crate) fn operator(
    store: Store,
    secrets: Secrets,
    base_url: Option<String>,
    request: &str,
) -> Operator {
    let deployment = Deployment { base_url, base_path: BASE_PATH };
    Operator::new(store, secrets, Clock::system(), deployment, request)
}

fn clients(
    table_sdk: &SdkConfig,
    secrets_sdk: &SdkConfig,
    table: &str,
    stack: &str,
) -> (Store, Secrets) {
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(store::timeouts(table_sdk.into()).build());
    let secrets = aws_sdk_secretsmanager::Client::from_conf(
        secrets_manager::timeouts(secrets_sdk.into()).build(),
    );
    (Store::new(dynamodb, table), Secrets::new(secrets, stack))
}
