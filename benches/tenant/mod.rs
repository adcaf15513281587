//! What the benches share: a service over the embedded engine with one tenant, and the CPU time of
//! the service without that of the engine.

#![allow(dead_code, reason = "each bench uses a part of this")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use bytes::Bytes;
use http::Request;
use rustix::time::{ClockId, clock_gettime};
use scim_lambda::Service;
use scim_lambda::auth::records::TenantRecord;
use scim_lambda::auth::secrets_manager::Secrets;
use scim_lambda::auth::shared_records::SharedRecords;
use scim_lambda::auth::shared_secrets::SharedSecret;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::clock::Clock;
use scim_lambda::operator::seed::Seed;
use scim_lambda::settings::Settings;
use scim_lambda::store::{SecretNumber, Store, TenantRow};
use scim_lambda::tenant::Profile;
use scim_local::engine::Engine;
use scim_local::secrets::Vault;
use scim_local::{Local, STACK, TABLE, dummy_account};
use serde_json::Value;

/// CPU time of this thread.
pub fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

/// How the engine behaves, and the CPU time that it has taken.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    nanoseconds: Arc<AtomicU64>,
    pause: Arc<AtomicU64>,
}

impl Surroundings {
    pub fn engine_time(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    /// From now on, each call of the engine takes this long.
    pub fn set_pause(&self, pause: Duration) {
        self.pause.store(pause.as_millis().try_into().unwrap(), Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Timed {
    engine: SharedHttpConnector,
    surroundings: Surroundings,
}

impl HttpConnector for Timed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let begun = cpu();
        // The engine works while it is called, and its answer is ready then.
        let answer = self.engine.call(request);
        let nanoseconds = (cpu() - begun).as_nanos().try_into().unwrap();
        self.surroundings.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        let pause = Duration::from_millis(self.surroundings.pause.load(Ordering::Relaxed));
        HttpConnectorFuture::new(async move {
            // A network would make the request wait and let others continue.
            if pause.is_zero() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(pause).await;
            }
            answer.await
        })
    }
}

/// A tenant of a service.
pub struct Tenant {
    pub local: Local,
    pub service: Service,
    pub store: Store,
    pub row: TenantRow,
    pub seed: Seed,
    pub surroundings: Surroundings,
    token: PlainToken,
}

impl Tenant {
    pub async fn new(name: &str, profile: &Profile, clock: Clock) -> Self {
        Self::over(Engine::memory().unwrap(), name, profile, clock).await
    }

    /// A tenant in the table of an engine, which is created.
    pub async fn over(engine: Engine, name: &str, profile: &Profile, clock: Clock) -> Self {
        let local = Local { engine, secrets: Vault::memory() };
        let client = aws_sdk_dynamodb::Client::new(&local.sdk_config());
        scim_lambda::store::table::create(&client, TABLE).await.unwrap();
        let surroundings = Surroundings::default();
        let timed = Timed { engine: local.connector(), surroundings: surroundings.clone() };
        let timed = SharedHttpConnector::new(timed);
        let client = http_client_fn(move |_, _| timed.clone());
        let sdk = dummy_account().into_builder().http_client(client).build();
        let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), TABLE);
        let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), STACK);
        let mut row =
            TenantRow::generate(name, &profile.write().unwrap(), clock.seconds()).unwrap();
        row.expiring = profile.deprovision.is_expiring();
        assert!(store.create_tenant(&row, None, None).await.unwrap());
        let token = PlainToken::generate(row.code()).unwrap();
        let (number, seen) = (SecretNumber::FIRST, SharedSecret::default());
        let (mut record, mut records) = (TenantRecord::default(), SharedRecords::default());
        record.add(&token, None);
        records.set(row.code(), &record).unwrap();
        secrets.put_shared(number, &seen, 0, &records).await.unwrap();
        assert!(store.end_move(row.code(), None, number, None).await.unwrap());
        let seed = Seed::new(store.clone(), row.clone(), clock.clone()).unwrap();
        let mut settings = Settings::new(TABLE, STACK);
        settings.base_url = Some("https://scim.example.com/scim/v2".into());
        let service = Service::new(store.clone(), secrets, &settings, clock).unwrap();
        let tenant = Self { local, service, store, row, seed, surroundings, token };
        // The first request reads the token and the tenant's row.
        let first = tenant.request("GET", "/ServiceProviderConfig", None);
        assert!(Box::pin(tenant.service.call(first)).await.status().is_success());
        tenant
    }

    pub fn request(&self, method: &str, path: &str, body: Option<Value>) -> Request<Bytes> {
        Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {}", self.token.reveal()))
            .body(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default())
            .unwrap()
    }
}
