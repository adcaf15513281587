//! The three addresses that the server listens on.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use scim_lambda::Service;
use scim_lambda::edge::BASE_PATH;
use scim_local::Local;
use scim_local::data_dir::Served;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::access_key::AccessKey;
use super::door::Door;
use super::lines::RequestLog;
use super::listener;
use super::tail::Tail;

/// Sockets that accept connections, but are not served yet.
pub(super) struct Sockets {
    scim: TcpListener,
    dynamodb: TcpListener,
    secrets: TcpListener,
    doors: Doors,
}

/// The addresses of the two endpoints that require the key.
struct Doors {
    dynamodb: SocketAddr,
    secrets: SocketAddr,
}

/// The addresses to listen on.
pub(super) struct Addresses {
    pub(super) scim: SocketAddr,
    pub(super) dynamodb: SocketAddr,
    pub(super) secrets: SocketAddr,
}

/// The parts that answer the requests.
pub(super) struct Backends {
    pub(super) service: Arc<Service>,
    pub(super) local: Local,
    pub(super) key: AccessKey,
    pub(super) tail: Arc<Tail>,
}

impl Sockets {
    pub(super) async fn bind(addresses: Addresses) -> anyhow::Result<Self> {
        let scim = bind(addresses.scim).await?;
        let (dynamodb, secrets) = (bind(addresses.dynamodb).await?, bind(addresses.secrets).await?);
        let doors = Doors { dynamodb: dynamodb.local_addr()?, secrets: secrets.local_addr()? };
        Ok(Self { scim, dynamodb, secrets, doors })
    }

    /// What other processes need to know to reach this one.
    pub(super) fn served(&self, key: &AccessKey) -> anyhow::Result<Served> {
        Ok(Served {
            base_url: format!("http://{}{BASE_PATH}", self.scim.local_addr()?),
            dynamodb: format!("http://{}", self.doors.dynamodb),
            secrets_manager: format!("http://{}", self.doors.secrets),
            access_key_id: key.as_str().to_owned(),
        })
    }

    /// Serves all three until `stopped` changes.
    pub(super) async fn serve(
        self,
        backends: Backends,
        log: RequestLog,
        stopped: watch::Receiver<()>,
    ) {
        let Backends { service, local, key, tail } = backends;
        let engine = (local.engine, tail);
        let dynamodb_door = Door::new(key.clone(), self.doors.dynamodb);
        let secrets_door = Door::new(key, self.doors.secrets);
        let stop = |mut stopped: watch::Receiver<()>| async move { drop(stopped.changed().await) };
        let stops = [stopped.clone(), stopped.clone(), stopped].map(stop);
        let [scim_stop, dynamodb_stop, secrets_stop] = stops;
        tokio::join!(
            listener::scim(self.scim, service, log, scim_stop),
            listener::dynamodb(self.dynamodb, dynamodb_door, engine, dynamodb_stop),
            listener::secrets(self.secrets, secrets_door, local.secrets, secrets_stop),
        );
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}; choose another address"))
}
