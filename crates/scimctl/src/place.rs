//! Where the service lives: in a data directory on this machine or in a stack in AWS.

use std::path::{Path, PathBuf};

use anyhow::bail;
use aws_config::SdkConfig;
use scim_lambda::auth::secrets_manager::{self, Secrets};
use scim_lambda::clock::Clock;
use scim_lambda::edge::BASE_PATH;
use scim_lambda::operator::{Deployment, Operator};
use scim_lambda::sdk::http_client;
use scim_lambda::store::{self, Store};
use scim_local::Local;
use scim_local::data_dir::{DataDir, Opened, Served};
use scim_local::engine::Loading;

use crate::advice;
use crate::aws::{self, AwsOptions, Notes};

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
    /// A deployment in AWS.
    Aws(Aws),
}

/// A deployment in AWS that options or the environment name.
#[derive(Debug)]
pub(crate) struct Aws {
    options: AwsOptions,
    notes: Notes,
    /// Whether the environment names it. What works on this machine only then works there.
    by_environment: bool,
}

/// An open place.
pub(crate) struct Connection {
    pub(crate) operator: Operator,
    /// The base URL of the stack, for tenants that are created.
    pub(crate) base_url: Option<String>,
    notes: Notes,
    /// The engine and the directory's lock, if this process holds them.
    held: Option<(Local, DataDir)>,
}

impl Place {
    pub(crate) fn new(data: Option<PathBuf>, options: AwsOptions) -> anyhow::Result<Self> {
        let by_environment = !options.name_one();
        let options = if data.is_some() { options } else { options.or_environment()? };
        if options.name_one() {
            return Ok(Self::Aws(Aws { options, notes: Notes::default(), by_environment }));
        }
        if options.is_for_aws() {
            bail!(
                "options for AWS need a deployment: add --stack NAME, set SCIM_STACK, or --table"
            );
        }
        Ok(Self::Data(data.unwrap_or_else(|| DEFAULT_DATA.into())))
    }

    /// The options that name this place, with their values.
    pub(crate) fn options(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Data(path) => vec![("--data", path.display().to_string())],
            Self::Aws(aws) => {
                aws.options.named().map(|(name, value)| (name, value.to_owned())).collect()
            }
        }
    }

    /// The data directory, for subcommands that make sense only on this machine.
    pub(crate) fn data(&self) -> anyhow::Result<&Path> {
        match self {
            Self::Data(path) => Ok(path),
            Self::Aws(aws) if aws.by_environment => Ok(Path::new(DEFAULT_DATA)),
            Self::Aws(_) => bail!(
                "this works only on a data directory on this machine; omit --stack and --table"
            ),
        }
    }

    /// The modules whose warnings are not for the operator, because the error that the command ends
    /// with says what they say. The lines of a server are always shown.
    pub(crate) fn said_elsewhere(&self, is_server: bool) -> &'static [&'static str] {
        match self {
            Self::Aws(_) if !is_server => &["aws_", "scim_lambda"],
            Self::Aws(_) | Self::Data(_) => &["aws_"],
        }
    }

    /// An error as the operator sees it: what AWS denied, and what can be done.
    pub(crate) fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let denial = match self {
            Self::Data(_) => None,
            Self::Aws(aws) => aws.notes.denial(),
        };
        advice::add(error, denial)
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
            Self::Aws(aws) => aws.connect(request).await,
            Self::Data(path) => match DataDir::open(path).await? {
                Opened::Ours(directory) => open(directory, request).await,
                Opened::Served(served) => Ok(reach(served, request)),
            },
        }
    }
}

impl Aws {
    async fn connect(&self, request: &str) -> anyhow::Result<Connection> {
        let (sdk, target) = aws::find(&self.options, &self.notes).await?;
        let (store, secrets) = clients(&sdk, &sdk, &target.table, &target.secrets);
        let deployment = Deployment {
            retention: target.retention,
            audit_retention: target.audit_retention,
            ..Deployment::new(None, BASE_PATH)
        };
        let secrets = secrets.with_key(target.key);
        let operator = Operator::new(store, secrets, Clock::system(), deployment, request);
        let (base_url, notes) = (target.base_url, self.notes.clone());
        Ok(Connection { operator, base_url, notes, held: None })
    }
}

impl Connection {
    /// An open place on this machine.
    fn local(operator: Operator, held: Option<(Local, DataDir)>) -> Self {
        Self { operator, base_url: None, notes: Notes::default(), held }
    }

    /// Says where in AWS something will be written, if nothing was written yet. It is said in any
    /// case; this is for subcommands that show a bar meanwhile.
    pub(crate) fn announce(&self) {
        self.notes.announce();
    }

    /// Lets an engine in this process write many rows fast until the guard is dropped. A crash may
    /// then lose them.
    pub(crate) fn loading(&self) -> anyhow::Result<Option<Loading>> {
        self.held.as_ref().map(|(local, _)| local.engine.loading()).transpose()
    }
}

/// Opens a data directory in this process.
async fn open(directory: DataDir, request: &str) -> anyhow::Result<Connection> {
    let local = Local::open(Some(directory.path()))?;
    let (store, secrets) = open_local(&local).await?;
    let base_url = Some(format!("{DEFAULT_ORIGIN}{BASE_PATH}"));
    let operator = operator(store, secrets, base_url, request);
    Ok(Connection::local(operator, Some((local, directory))))
}

/// Reaches a data directory through the endpoints of the `serve` that holds it.
fn reach(served: Served, request: &str) -> Connection {
    let account = scim_local::account(&served.access_key_id);
    let endpoint = |url: &str| {
        account.clone().into_builder().endpoint_url(url).http_client(http_client()).build()
    };
    let (table, secrets) = (endpoint(&served.dynamodb), endpoint(&served.secrets_manager));
    let (store, secrets) = clients(&table, &secrets, scim_local::TABLE, scim_local::STACK);
    Connection::local(operator(store, secrets, Some(served.base_url), request), None)
}

/// The store and the token secrets of an engine in this process, The table is created if it does
/// not exist.
pub(crate) async fn open_local(local: &Local) -> anyhow::Result<(Store, Secrets)> {
    let sdk = local.sdk_config();
    store::table::create(&aws_sdk_dynamodb::Client::new(&sdk), scim_local::TABLE).await?;
    Ok(clients(&sdk, &sdk, scim_local::TABLE, scim_local::STACK))
}

/// The operator of a data directory with this base URL.
pub(crate) fn operator(
    store: Store,
    secrets: Secrets,
    base_url: Option<String>,
    request: &str,
) -> Operator {
    let deployment = Deployment::new(base_url, BASE_PATH);
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
