//! Where the service lives: in a data directory on this machine or in a stack in AWS.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use aws_config::{BehaviorVersion, SdkConfig};
use scim_lambda::auth::secrets_manager::{self, Secrets};
use scim_lambda::sdk::{self, http_client};
use scim_lambda::store::{self, Store};
use scim_lambda::tenant::Profile;

use crate::local::data_dir::{DataDir, Opened};
use crate::local::engine::Loading;
use crate::local::{self, Local};

/// The data directory unless another is named.
const DEFAULT_DATA: &str = ".scim";
/// Where `serve` listens unless told otherwise.
const DEFAULT_BASE_URL: &str = "http://127.0.0.1:8080/scim/v2";

/// A place to work on.
#[derive(Debug)]
pub(crate) enum Place {
    Data(PathBuf),
    Stack(String),
}

/// An open place.
pub(crate) struct Connection {
    pub(crate) store: Store,
    pub(crate) secrets: Secrets,
    /// The base URL of tenants without one of their own; in AWS each tenant has its own.
    pub(crate) base_url: Option<String>,
    /// Keeps the engine and the directory's lock.
    held: Option<(Local, DataDir)>,
}

impl Place {
    pub(crate) fn new(data: Option<PathBuf>, stack: Option<String>) -> Self {
        match stack {
            Some(stack) => Self::Stack(stack),
            None => Self::Data(data.unwrap_or_else(|| DEFAULT_DATA.into())),
        }
    }

    /// The data directory, for subcommands that only make sense on this machine.
    pub(crate) fn data(&self) -> anyhow::Result<&Path> {
        match self {
            Self::Data(path) => Ok(path),
            Self::Stack(_) => bail!("this works on a data directory of this machine; omit --stack"),
        }
    }

    /// Opens the place. A data directory that `serve` holds is reached through its loopback
    /// endpoints; one that nobody holds is opened in this process.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        match self {
            Self::Stack(stack) => {
                let sdk =
                    aws_config::defaults(BehaviorVersion::latest()).http_client(http_client());
                let sdk = sdk.retry_config(sdk::retry()).load().await;
                if sdk.region().is_none() {
                    bail!("no AWS region is set; set AWS_REGION or a profile");
                }
                Ok(connection(&sdk, &sdk, stack, stack))
            }
            Self::Data(path) => match DataDir::open(path).await? {
                Opened::Ours(directory) => {
                    let local = Local::open(Some(directory.path()))?;
                    let sdk = local.sdk_config();
                    let connection = connection(&sdk, &sdk, local::TABLE, local::STACK);
                    local.create_table().await?;
                    let base_url = Some(DEFAULT_BASE_URL.to_owned());
                    Ok(Connection { base_url, held: Some((local, directory)), ..connection })
                }
                Opened::Served(served) => {
                    let endpoint = |url: &str| {
                        local::account(&served.access_key_id)
                            .into_builder()
                            .endpoint_url(url)
                            .http_client(http_client())
                            .build()
                    };
                    let (table, secrets) =
                        (endpoint(&served.dynamodb), endpoint(&served.secrets_manager));
                    let connection = connection(&table, &secrets, local::TABLE, local::STACK);
                    Ok(Connection { base_url: Some(served.base_url), ..connection })
                }
            },
        }
    }
}

impl Connection {
    /// A connection of a process that holds the place by itself.
    pub(crate) fn to(store: Store, secrets: Secrets, base_url: &str) -> Self {
        Self { store, secrets, base_url: Some(base_url.to_owned()), held: None }
    }

    /// Lets an engine that is this process's own write many rows fast, until the guard is dropped:
    /// a crash may then lose them.
    pub(crate) fn loading(&self) -> anyhow::Result<Option<Loading>> {
        self.held.as_ref().map(|(local, _)| local.engine.loading()).transpose()
    }

    /// The base URL of a tenant with this profile. In AWS a tenant has one only if its profile
    /// names it.
    pub(crate) fn base_url_of(&self, profile: &Profile) -> Option<String> {
        match &self.base_url {
            Some(deployment) => Some(profile.address.url(deployment).into_owned()),
            None => profile.address.base_url.clone(),
        }
    }

    /// The tenant that the operator calls `name`.
    pub(crate) async fn tenant(&self, name: &str) -> anyhow::Result<scim_lambda::store::TenantRow> {
        let tenant = self.store.tenant_by_name(name).await.context("the tenant cannot be read")?;
        tenant.with_context(|| format!("there is no tenant {name}; scimctl tenant list shows them"))
    }
}

fn connection(
    table_sdk: &SdkConfig,
    secrets_sdk: &SdkConfig,
    table: &str,
    stack: &str,
) -> Connection {
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(store::timeouts(table_sdk.into()).build());
    let secrets = aws_sdk_secretsmanager::Client::from_conf(
        secrets_manager::timeouts(secrets_sdk.into()).build(),
    );
    Connection {
        store: Store::new(dynamodb, table),
        secrets: Secrets::new(secrets, stack),
        base_url: None,
        held: None,
    }
}
