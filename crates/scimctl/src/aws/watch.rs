//! Watches the calls of the SDK: says where something is written before it is, and notes what AWS
//! refused. What the service makes of a refusal is meant for identity providers and tells less.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::denial::{self, Denial};
use super::setup::Setup;

/// The header that names the operation of a call.
const TARGET: &str = "x-amz-target";
/// The operations that only read.
const READS: [&str; 5] =
    ["GetItem", "BatchGetItem", "Query", "GetSecretValue", "ListSecretVersionIds"];

/// What was noted about the calls of one command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    setup: Setup,
    /// Where something will be written, until that is said.
    title: Option<String>,
    denial: Option<Denial>,
}

impl Notes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client whose calls are watched.
    pub(super) fn watch(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Watched { notes: self.clone(), inner })
    }

    /// What the command works with, for sentences.
    pub(super) fn has_setup(&self, setup: Setup) {
        self.state().setup = setup;
    }

    pub(super) fn setup(&self) -> Setup {
        self.state().setup.clone()
    }

    /// Has this said before the first call that writes.
    pub(super) fn announce_later(&self, title: String) {
        self.state().title = Some(title);
    }

    /// Says where something is written, once, in a line of its own.
    pub(crate) fn announce(&self) {
        if let Some(title) = self.state().title.take() {
            eprintln!("{title}");
        }
    }

    /// Notes why AWS refused a call, such as `dynamodb:Query`. The first reason counts: what follows
    /// may be its consequence.
    pub(super) fn refused(&self, call: &str, code: &str, message: &str) {
        let mut state = self.state();
        if state.denial.is_none() {
            state.denial = denial::read(call, code, message, &state.setup);
        }
    }

    /// What AWS refused for want of rights or of credentials, and what to do about it.
    pub(crate) fn denial(&self) -> Option<String> {
        self.state().denial.as_ref().map(ToString::to_string)
    }
}

#[derive(Debug)]
struct Watched {
    notes: Notes,
    inner: SharedHttpClient,
}

impl HttpClient for Watched {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(WatchedConnector { notes: self.notes.clone(), inner })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct WatchedConnector {
    notes: Notes,
    inner: SharedHttpConnector,
}

impl HttpConnector for WatchedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get(TARGET).and_then(|target| target.rsplit_once('.'));
        if target.is_some_and(|(_, operation)| !READS.contains(&operation)) {
            self.notes.announce();
        }
        let (notes, name) = (self.notes.clone(), target.map(call_name));
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let mut answer = answer.await?;
            if let Some(name) = name.filter(|_| answer.status().is_client_error()) {
                note(&notes, &name, &mut answer).await;
            }
            Ok(answer)
        })
    }
}

/// A call as IAM names actions: `DynamoDB_20120810.Query` is `dynamodb:Query`.
fn call_name((service, operation): (&str, &str)) -> String {
    let service = service.split('_').next().unwrap_or_default().to_lowercase();
    format!("{service}:{operation}")
}

/// Notes what a refusal says, which has the form `{"__type": "...#Code", "message": "..."}`.
async fn note(notes: &Notes, call: &str, answer: &mut HttpResponse) {
    let Ok(body) = answer.take_body().collect().await else { return };
    let body = body.to_bytes();
    if let Ok(said) = serde_json::from_slice::<Value>(&body) {
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        let code = text("__type").unwrap_or_default().rsplit('#').next().unwrap_or_default();
        let message = text("message").or_else(|| text("Message")).unwrap_or_default();
        notes.refused(call, code, message);
    }
    *answer.body_mut() = SdkBody::from(body);
}
