//! The service's surroundings on one machine: the engine in place of DynamoDB, a small Secrets
//! Manager, the data directory that holds both, and the listener with its doors.

pub mod access_key;
pub mod body;
pub mod data_dir;
pub mod door;
pub mod engine;
pub mod listener;
pub mod meter;
mod operations;
mod private;
mod request_line;
pub mod secrets;

use std::path::Path;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use engine::Engine;
use secrets::Vault;

/// The table's name on this machine.
pub const TABLE: &str = "scim";
/// The stack's name on this machine.
pub const STACK: &str = "local";
/// The region that clients name; any does.
pub const REGION: &str = "eu-west-1";
/// The secret with which clients sign; nobody looks at signatures.
pub const SECRET_ACCESS_KEY: &str = "local";

/// The engine and the token secrets of one data directory, or of none.
#[derive(Debug, Clone)]
pub struct Local {
    /// DynamoDB.
    pub engine: Engine,
    /// Secrets Manager.
    pub secrets: Vault,
}

impl Local {
    /// Opens the files of a data directory; in memory without one.
    ///
    /// # Errors
    /// If the files cannot be opened or are not ours.
    pub fn open(directory: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = directory else {
            return Ok(Self { engine: Engine::memory()?, secrets: Vault::memory() });
        };
        let (database, secrets) = (path.join("scim.db"), path.join("secrets.json"));
        // SQLite gives the files beside the database its mode; those of an older version may be
        // open.
        private::touch(&database)
            .with_context(|| format!("{} cannot be opened", database.display()))?;
        for other in [path.join("scim.db-wal"), path.join("scim.db-shm"), secrets.clone()] {
            private::close(&other).with_context(|| format!("{} is not yours", other.display()))?;
        }
        Ok(Self { engine: Engine::open(&database)?, secrets: Vault::open(&secrets)? })
    }

    /// Makes the table if it is not there.
    ///
    /// # Errors
    /// If the engine refuses.
    pub async fn create_table(&self) -> anyhow::Result<()> {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk_config());
        Ok(scim_lambda::store::table::create(&client, TABLE).await?)
    }

    /// A configuration whose SDK clients reach the engine and the secrets in this process, without
    /// a socket.
    pub fn sdk_config(&self) -> SdkConfig {
        let connector = self.connector();
        dummy_account()
            .into_builder()
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    /// What answers the SDK's requests in this process; a test may stand between.
    pub fn connector(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(InProcess(self.clone()))
    }
}

/// A region and credentials that no one checks, for clients within this process.
pub fn dummy_account() -> SdkConfig {
    account("local")
}

/// A region and credentials for the endpoints of a running `serve`, which look at the key alone.
pub fn account(access_key_id: &str) -> SdkConfig {
    let credentials = Credentials::new(access_key_id, SECRET_ACCESS_KEY, None, None, "scimctl");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// Answers the SDK's requests in this process.
#[derive(Debug)]
struct InProcess(Local);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (service, operation) = target.rsplit_once('.').unwrap_or_default();
        let body = request
            .body()
            .bytes()
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default();
        let (status, body) = match service {
            "secretsmanager" => self.0.secrets.call(operation, body),
            _ => self.0.engine.call(operation, body),
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.into(), body.into())))
    }
}
