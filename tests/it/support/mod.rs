//! A whole service on an engine in memory, with a clock that the test drives and a connector that
//! the test may intercept.

pub mod bills;
mod clock;
pub mod connectors;
pub mod consumer;
pub mod customer;
pub mod documents;
pub mod events;
pub mod handles;
pub mod log;
pub mod snapshots;
pub mod sound;
pub mod stream;
pub mod thaw;
pub mod tokens;
pub mod transcript;

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use scim_core::Additions;
use scim_lambda::Service;
use scim_lambda::auth::secrets_manager::{self, Secrets};
use scim_lambda::auth::token::PlainToken;
use scim_lambda::edge::BASE_PATH;
use scim_lambda::operator::import::{Import, Mode, Record, Report};
use scim_lambda::operator::seed::Seed;
use scim_lambda::operator::{Deployment, Operator, Pause};
use scim_lambda::sdk;
use scim_lambda::settings::Settings;
use scim_lambda::store::{self, Audit, Collection, Kind, Operation, Store, TenantRow};
use scim_lambda::telemetry::Tally;
use scim_lambda::tenant::Profile;
use scim_local::engine::Engine;
use scim_local::meter::Meter;
use scim_local::secrets::Vault;
use scim_local::{Local, STACK, TABLE, dummy_account};
use serde_json::Value;

pub use clock::TestClock;
use connectors::Between;
use handles::Row;

pub const BASE_URL: &str = "https://scim.example.com/scim/v2";
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const DAY: i64 = 24 * 60 * 60;

/// How a world differs from the default one.
#[derive(Default)]
struct Setup {
    between: Between,
    additions: Additions,
    meter: Option<Meter>,
    retry: Option<RetryConfig>,
}

pub struct World {
    pub service: Arc<Service>,
    pub clock: TestClock,
    pub local: Local,
    pub store: Store,
    pub secrets: Secrets,
    pub tenant: TenantRow,
    pub token: PlainToken,
    pub between: Between,
    pub meter: Meter,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Between::default()).await
    }

    /// A world whose SDK calls pass through `between`.
    pub async fn with(between: Between) -> Self {
        Self::made(Setup { between, ..Setup::default() }).await
    }

    /// A world whose SDK calls are priced; each then takes several calls of the engine.
    pub async fn metered() -> Self {
        Self::made(Setup { meter: Some(Meter::default()), ..Setup::default() }).await
    }

    /// A world for very many requests: the SDK does not wait before it sends one again.
    pub async fn hasty(between: Between) -> Self {
        let retry = RetryConfig::standard().with_initial_backoff(Duration::from_micros(1));
        Self::made(Setup { between, retry: Some(retry), ..Setup::default() }).await
    }

    /// A world that serves what a file of `tests/vectors` adds.
    pub async fn serving(file: &str) -> Self {
        Self::serving_file(
            format!("{}/tests/vectors/{file}.json", env!("CARGO_MANIFEST_DIR")).as_ref(),
        )
        .await
    }

    pub async fn serving_file(path: &std::path::Path) -> Self {
        let additions =
            Additions::parse(&std::fs::read(path).unwrap(), scim_lambda::store::MAX_UNIQUE_VALUES)
                .unwrap();
        Self::made(Setup { additions, ..Setup::default() }).await
    }

    async fn made(Setup { between, additions, meter, retry }: Setup) -> Self {
        let clock = TestClock::new();
        let engine = Engine::memory_with_clock(Arc::new(clock.clone())).unwrap();
        let seconds = clock.clone();
        let secrets = Vault::memory_with_clock(move || seconds.seconds());
        let local = Local { engine, secrets };
        scim_lambda::store::table::create(
            &aws_sdk_dynamodb::Client::new(&local.sdk_config()),
            TABLE,
        )
        .await
        .unwrap();
        let connector = meter
            .as_ref()
            .map_or_else(|| local.connector(), |meter| meter.around(local.connector()));
        let sdk = dummy_account().into_builder().retry_config(retry.unwrap_or_else(sdk::retry));
        let sdk = sdk.http_client(between.clone().around(connector)).build();
        // The SDK limits how often all clients of a partition try again; by default these are all
        // clients of the process, and the failures of one world would use up the tries of another.
        let own = || RetryPartition::new(uuid::Uuid::now_v7().to_string());
        let config = store::timeouts((&sdk).into()).retry_partition(own()).build();
        let store = Store::new(aws_sdk_dynamodb::Client::from_conf(config), TABLE);
        let config = secrets_manager::timeouts((&sdk).into()).retry_partition(own()).build();
        let client = aws_sdk_secretsmanager::Client::from_conf(config);
        let secrets = Secrets::new(client, STACK);
        let mut settings = Settings::new(TABLE, STACK);
        settings.base_url = Some(BASE_URL.into());
        settings.additions = additions;
        let service =
            Service::new(store.clone(), secrets.clone(), &settings, clock.clock()).unwrap();
        let year = Some(clock.seconds() + 365 * DAY);
        let (tenant, token) = tenant(&store, &secrets, &clock, ("acme", "default"), year).await;
        let (service, meter) = (Arc::new(service), meter.unwrap_or_default());
        Self { service, clock, local, store, secrets, tenant, token, between, meter }
    }

    /// Another tenant with a token.
    pub async fn tenant(&self, name: &str, profile: &str) -> (TenantRow, PlainToken) {
        let year = Some(self.clock.seconds() + 365 * DAY);
        tenant(&self.store, &self.secrets, &self.clock, (name, profile), year).await
    }

    /// Another tenant, whose token does not expire.
    pub async fn lasting_tenant(&self, name: &str) -> (TenantRow, PlainToken) {
        tenant(&self.store, &self.secrets, &self.clock, (name, "default"), None).await
    }

    pub async fn send(&self, method: &str, path: &str, body: impl Into<Option<Value>>) -> Answer {
        self.send_as(&self.token, method, path, body).await
    }

    pub async fn send_as(
        &self,
        token: &PlainToken,
        method: &str,
        path: &str,
        body: impl Into<Option<Value>>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {}", token.reveal()));
        let body = body.into();
        if body.is_some() {
            request = request.header("content-type", "application/scim+json");
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.raw(request.body(body).unwrap()).await
    }

    /// Sends a body as it is, whether or not it is JSON.
    pub async fn send_text(
        &self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {}", self.token.reveal()));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        self.raw(request.body(body.into()).unwrap()).await
    }

    pub async fn raw(&self, request: Request<Bytes>) -> Answer {
        let response = Box::pin(self.service.call(request)).await;
        let tally = *response.extensions().get::<Tally>().unwrap();
        let (parts, body) = response.into_parts();
        let body =
            if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Answer { status: parts.status, headers: parts.headers, body, tally }
    }

    /// Creates a user and returns it.
    pub async fn create(&self, body: Value) -> Value {
        let answer = self.send("POST", "/Users", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body
    }

    /// The resources of a kind, of this world's tenant.
    pub fn collection(&self, kind: Kind) -> Collection {
        Collection { tenant: self.tenant.key(), kind }
    }

    /// What the log says about a change that a test makes past the service, now.
    pub fn audit(&self, operation: Operation) -> Audit {
        let kept = Duration::from_secs(1_000);
        Audit::new(operation, "test", "1", self.clock.milliseconds(), kept)
    }

    /// The operator of this world's deployment.
    pub fn operator(&self) -> Operator {
        let deployment = Deployment::new(Some(BASE_URL.into()), BASE_PATH);
        let (store, secrets) = (self.store.clone(), self.secrets.clone());
        Operator::new(store, secrets, self.clock.clock(), deployment, "test")
    }

    /// The same, whose pauses only advance the clock.
    pub fn patient_operator(&self) -> Operator {
        let clock = self.clock.clone();
        let wait = move |time: Duration| clock.advance_milliseconds(time.as_millis() as i64);
        self.operator().pausing(Pause::driven(wait))
    }

    /// Creates many users and groups of the first tenant fast, without passing through `between`.
    pub fn seed(&self) -> Seed {
        let store = Store::new(aws_sdk_dynamodb::Client::new(&self.local.sdk_config()), TABLE);
        Seed::new(store, self.tenant.clone(), self.clock.clock()).unwrap()
    }

    /// Imports users into a tenant, as the operator does.
    pub async fn import(&self, row: &TenantRow, users: &[Value], mode: Mode) -> Report {
        let (store, clock) = (self.store.clone(), self.clock.clock());
        let import = Import::new(store, row, clock, "test import").unwrap();
        let records = users
            .iter()
            .zip(1..)
            .map(|(user, line)| Record::new(line, user.as_object().unwrap().clone()));
        let records: Vec<Record> = records.collect();
        let mut report = import.report(&records, mode).unwrap();
        import.run(records, &mut report, |_| {}).await.unwrap();
        report
    }

    /// The users that a filter finds.
    pub async fn find(&self, filter: &str) -> Vec<Value> {
        self.search("/Users", filter).await
    }

    /// The resources of an endpoint that a filter finds.
    pub async fn search(&self, endpoint: &str, filter: &str) -> Vec<Value> {
        let answer = self.send("GET", &format!("{endpoint}?filter={}", encode(filter)), None).await;
        assert_eq!(answer.status, 200, "{filter}: {}", answer.body);
        let found = answer.body["Resources"].as_array().unwrap().clone();
        assert_eq!(answer.body["totalResults"], found.len());
        found
    }

    /// Sends a request under the condition that the resource has this version.
    pub async fn send_if(&self, path: &str, tag: &str, method: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {}", self.token.reveal()))
            .header("if-match", tag);
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        self.raw(request.body(body).unwrap()).await
    }

    /// How many rows there are in partitions whose name holds `mark`.
    pub async fn rows_of(&self, mark: &str) -> usize {
        self.rows().await.iter().filter(|row| row.p().contains(mark)).count()
    }

    /// Lets a token be noted as used in this hour, and a refusal be kept in this second, so that
    /// what follows is not charged for either.
    pub async fn settle(&self, token: &PlainToken) {
        // A note that takes longer than its request is given up after a few requests.
        for _ in 0..4 {
            assert_eq!(self.send_as(token, "GET", "/Users", None).await.status, 200);
        }
        assert_eq!(self.send_as(token, "GET", "/Nothing", None).await.status, 404);
    }

    /// Every row of the table but those of refusals.
    pub async fn rows_of_directories(&self) -> Vec<Row> {
        let mut rows = self.rows().await;
        rows.retain(|row| row.kind() != "F");
        rows
    }

    /// Every row of the table.
    pub async fn rows(&self) -> Vec<Row> {
        let client = aws_sdk_dynamodb::Client::new(&self.local.sdk_config());
        let items = client.scan().table_name(TABLE).into_paginator().items().send();
        let items: Vec<_> = items.collect::<Result<_, _>>().await.unwrap();
        items.into_iter().map(Row).collect()
    }
}

async fn tenant(
    store: &Store,
    secrets: &Secrets,
    clock: &TestClock,
    (name, profile): (&str, &str),
    expires: Option<i64>,
) -> (TenantRow, PlainToken) {
    let mut row = TenantRow::generate(name, profile, clock.seconds()).unwrap();
    let read = Profile::read(profile).unwrap();
    row.expiring = read.deprovision.is_expiring();
    // The first request of a connection writes. That is done here, so that no test is charged for
    // it.
    row.connected = Some(clock.seconds());
    assert!(store.create_tenant(&row, read.seats.limit, None).await.unwrap());
    let token = tokens::first_token(store, secrets, row.code(), expires).await;
    (row, token)
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub tally: Tally,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Asserts that this is a SCIM error with status and scimType, and a sentence.
    #[track_caller]
    pub fn is_error(&self, status: u16, scim_type: Option<&str>) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/scim+json");
        assert_eq!(
            self.body["schemas"],
            serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
        );
        assert_eq!(self.body["status"], status.to_string());
        assert_eq!(self.body["scimType"].as_str(), scim_type, "{}", self.body);
        assert!(self.body["detail"].as_str().unwrap().len() > 10, "{}", self.body);
    }
}

/// The pages of a walk by cursor: `ask` gets each of them by its cursor, which is empty at first.
pub async fn walk(mut ask: impl AsyncFnMut(&str) -> Value) -> Vec<Value> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ask(&cursor).await;
        assert_eq!(page["itemsPerPage"], page["Resources"].as_array().unwrap().len());
        let next = page.get("nextCursor").map(|next| next.as_str().unwrap().to_owned());
        pages.push(page);
        match next {
            Some(next) => cursor = next,
            None => return pages,
        }
    }
}

/// An attribute of all resources of some pages.
pub fn all(pages: &[Value], attribute: &str) -> Vec<String> {
    let resources = pages.iter().flat_map(|page| page["Resources"].as_array().unwrap());
    resources.map(|resource| resource[attribute].as_str().unwrap().to_owned()).collect()
}

/// Percent-encoding of a query's value.
pub fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
