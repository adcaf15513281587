//! An HTTP client that drops all of its connections when one of them breaks.
//!
//! Connections that were open when the function was frozen break together. The SDK alone would try
//! them one after another, and run out of tries if a page of reads had opened sixteen of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::config_bag::ConfigBag;

/// A client that is rebuilt each time a connection breaks.
#[derive(Debug, Clone)]
pub(super) struct RenewingClient {
    make: fn() -> SharedHttpClient,
    current: Arc<Mutex<Arc<Generation>>>,
}

/// The connections that were opened since the last one broke.
#[derive(Debug)]
struct Generation {
    client: SharedHttpClient,
    /// Whether any of them ever answered. Only such connections can be stale.
    answered: AtomicBool,
}

impl RenewingClient {
    pub(super) fn new(make: fn() -> SharedHttpClient) -> Self {
        Self { make, current: Arc::new(Mutex::new(Generation::open(make))) }
    }

    fn current(&self) -> Arc<Generation> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes later calls open new connections, unless another call has done so already.
    fn renew(&self, broken: &Arc<Generation>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, broken) && broken.answered.load(Ordering::Relaxed) {
            *current = Generation::open(self.make);
        }
    }
}

impl Generation {
    fn open(make: fn() -> SharedHttpClient) -> Arc<Self> {
        Arc::new(Self { client: make(), answered: AtomicBool::new(false) })
    }
}

impl HttpClient for RenewingClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let generation = self.current();
        let connector = generation.client.http_connector(settings, components);
        SharedHttpConnector::new(WatchingConnector { client: self.clone(), generation, connector })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.current().client.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.current().client.connector_metadata()
    }
}

/// A connector that records whether its calls are answered.
#[derive(Debug)]
struct WatchingConnector {
    client: RenewingClient,
    generation: Arc<Generation>,
    connector: SharedHttpConnector,
}

impl HttpConnector for WatchingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.connector.call(request);
        let call = Call {
            client: self.client.clone(),
            generation: self.generation.clone(),
            answered: false,
        };
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            call.end(answer.is_ok());
            answer
        })
    }
}

/// A call in progress. A call that is dropped without an answer took too long and was abandoned.
#[derive(Debug)]
struct Call {
    client: RenewingClient,
    generation: Arc<Generation>,
    answered: bool,
}

impl Call {
    fn end(mut self, answered: bool) {
        self.answered = answered;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.answered {
            self.generation.answered.store(true, Ordering::Relaxed);
        } else {
            self.client.renew(&self.generation);
        }
    }
}
