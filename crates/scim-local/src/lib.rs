//! What scim-lambda needs around it to run on one machine: an embedded engine in place of DynamoDB,
//! a small Secrets Manager, and the data directory that holds both.
//!
//! The crate does not depend on the service. The tool `scimctl` serves it on a laptop, and the
//! service's tests run on it.

pub mod changes;
pub mod data_dir;
pub mod engine;
pub mod meter;
pub mod private;
pub mod request_line;
pub mod secrets;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
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
/// The region that clients name; the engine accepts any.
pub const REGION: &str = "eu-west-1";
/// The secret that clients sign with; signatures are not checked.
pub const SECRET_ACCESS_KEY: &str = "local";
/// How long a client may take to send a whole body to a listener on this machine.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The engine and the token secrets, from one data directory or in memory. Clones share them.
#[derive(Debug, Clone)]
pub struct Local {
    /// DynamoDB.
    pub engine: Engine,
    /// Secrets Manager.
    pub secrets: Vault,
}

impl Local {
    /// Opens the files of a data directory, or keeps everything in memory without one. The table is
    /// not created here: its keys belong to the service.
    ///
    /// # Errors
    /// If the files cannot be opened or belong to another user.
    pub fn open(directory: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = directory else {
            return Ok(Self { engine: Engine::memory()?, secrets: Vault::memory() });
        };
        let (database, secrets) = (path.join("scim.db"), path.join("secrets.json"));
        // SQLite gives the files next to the database the same mode. Files from an older version
        // may be readable by other users.
        private::touch(&database)
            .with_context(|| format!("{} cannot be opened", database.display()))?;
        for other in [path.join("scim.db-wal"), path.join("scim.db-shm"), secrets.clone()] {
            private::close(&other)
                .with_context(|| format!("{} belongs to another user", other.display()))?;
        }
        Ok(Self { engine: Engine::open(&database)?, secrets: Vault::open(&secrets)? })
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

    /// The connector that answers the SDK's requests in this process. A test may wrap it.
    pub fn connector(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(InProcess(self.clone()))
    }
}

/// A region and credentials that are not checked, for clients within this process.
pub fn dummy_account() -> SdkConfig {
    account("local")
}

/// A region and credentials for the endpoints of a running `serve`, which check the key id alone.
pub fn account(access_key_id: &str) -> SdkConfig {
    let credentials = Credentials::new(access_key_id, SECRET_ACCESS_KEY, None, None, "scim-local");
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
