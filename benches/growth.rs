//! Whether an operation costs the same in a small tenant and in a large one: DynamoDB calls,
//! capacity units, and the CPU time of the service, without that of the engine.
//!
//! `cargo bench --bench growth` compares 1,000, 10,000 and 100,000 users;
//! `GROWTH_USERS=1000,1000000 cargo bench --bench growth` those that it names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use scim_core::ResourceId;
use scim_lambda::Service;
use scim_lambda::auth::records::TokenRecord;
use scim_lambda::auth::secrets_manager::{Secrets, StoredRecords};
use scim_lambda::auth::token::PlainToken;
use scim_lambda::clock::Clock;
use scim_lambda::operator::seed::Seed;
use scim_lambda::settings::Settings;
use scim_lambda::store::Store;
use scim_lambda::store::TenantRow;
use scim_lambda::telemetry::Tally;
use scim_local::engine::Engine;
use scim_local::secrets::Vault;
use scim_local::{Local, STACK, TABLE, dummy_account};
use serde_json::{Value, json};

/// How often each operation is measured in each tenant.
const TIMES: usize = 300;
/// Members of the groups to which one more is added.
const GROUPS: [usize; 3] = [10, 1_000, 100_000];

/// CPU time of this thread.
fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

/// Counts the CPU time that the engine takes.
#[derive(Debug)]
struct Timed {
    engine: SharedHttpConnector,
    nanoseconds: Arc<AtomicU64>,
}

impl HttpConnector for Timed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let begun = cpu();
        // The engine works while it is called, and answers with what is ready.
        let answer = self.engine.call(request);
        self.nanoseconds
            .fetch_add((cpu() - begun).as_nanos().try_into().unwrap(), Ordering::Relaxed);
        answer
    }
}

struct World {
    service: Arc<Service>,
    token: String,
    engine: Arc<AtomicU64>,
    ids: Vec<ResourceId>,
    seed: Seed,
}

/// What one operation took.
#[derive(Clone, Copy, Default)]
struct Cost {
    tally: Tally,
    service: Duration,
    engine: Duration,
}

impl World {
    async fn new(users: usize) -> Self {
        let local = Local { engine: Engine::memory().unwrap(), secrets: Vault::memory() };
        scim_lambda::store::table::create(
            &aws_sdk_dynamodb::Client::new(&local.sdk_config()),
            TABLE,
        )
        .await
        .unwrap();
        let engine = Arc::new(AtomicU64::new(0));
        let timed = SharedHttpConnector::new(Timed {
            engine: local.connector(),
            nanoseconds: engine.clone(),
        });
        let sdk = dummy_account()
            .into_builder()
            .http_client(http_client_fn(move |_, _| timed.clone()))
            .build();
        let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), TABLE);
        let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), STACK);
        let clock = Clock::system();
        let tenant = TenantRow::generate("growth", "default", clock.seconds()).unwrap();
        assert!(store.create_tenant(&tenant, None).await.unwrap());
        let token = PlainToken::generate(tenant.code()).unwrap();
        let record = TokenRecord::of(&token, clock.seconds(), None);
        secrets.put(tenant.code(), "growth", &StoredRecords::default(), &[record]).await.unwrap();
        let seed = Seed::new(store.clone(), tenant, clock.clone()).unwrap();
        let loading = local.engine.loading().unwrap();
        let ids = seed.users(users, |_| {}).await.unwrap();
        drop(loading);
        let mut settings = Settings::new(TABLE, STACK);
        settings.base_url = Some("https://scim.example.com/scim/v2".into());
        let service = Arc::new(Service::new(store, secrets, &settings, clock).unwrap());
        let world = Self { service, token: token.reveal().to_owned(), engine, ids, seed };
        world.send("GET", "/ServiceProviderConfig", None).await;
        world
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (Cost, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default())
            .unwrap();
        self.engine.store(0, Ordering::Relaxed);
        let begun = cpu();
        let response = Box::pin(self.service.call(request)).await;
        let all = cpu() - begun;
        let engine = Duration::from_nanos(self.engine.load(Ordering::Relaxed));
        assert!(response.status().is_success(), "{method} {path}: {:?}", response.body());
        let tally = *response.extensions().get::<Tally>().unwrap();
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        (Cost { tally, service: all.saturating_sub(engine), engine }, body)
    }

    /// The `n`th of some users that are spread over all of them.
    fn someone(&self, n: usize) -> usize {
        n * 7_919 % self.ids.len()
    }

    async fn operation(&self, name: &str, n: usize) -> Cost {
        let index = self.someone(n);
        let id = &self.ids[index];
        let by = |filter: String| {
            let filter =
                percent_encoding::utf8_percent_encode(&filter, percent_encoding::NON_ALPHANUMERIC);
            format!("/Users?filter={filter}")
        };
        let patch = |path: &str, value: Value| json!({ "Operations": [{ "op": "replace", "path": path, "value": value }] });
        let (method, path, body) = match name {
            "create" => {
                let mut user = Seed::user(n);
                user["userName"] = json!(format!("new{n}@example.com"));
                user["externalId"] = json!(format!("new{n}"));
                user["emails"][0]["value"] = user["userName"].clone();
                ("POST", "/Users".into(), Some(user))
            }
            "get" => ("GET", format!("/Users/{id}"), None),
            "userName eq" => {
                ("GET", by(format!("userName eq \"user{index:07}@example.com\"")), None)
            }
            "externalId eq" => ("GET", by(format!("externalId eq \"e{index:07}\"")), None),
            "PATCH" => {
                ("PATCH", format!("/Users/{id}"), Some(patch("title", json!(format!("T{n}")))))
            }
            "first page of 100" => ("GET", "/Users?count=100".into(), None),
            "page of 100 at any startIndex" => {
                let last = self.ids.len() - 100;
                ("GET", format!("/Users?count=100&startIndex={}", 1 + n * last / TIMES), None)
            }
            _ => panic!("{name}"),
        };
        self.send(method, &path, body).await.0
    }
}

const OPERATIONS: [&str; 7] = [
    "create",
    "get",
    "userName eq",
    "externalId eq",
    "PATCH",
    "first page of 100",
    "page of 100 at any startIndex",
];

/// What an operation costs in the middle: calls and times, and the most units that it took.
fn middle(mut costs: Vec<Cost>) -> Cost {
    let most = |units: fn(&Cost) -> f64| costs.iter().map(units).fold(0.0, f64::max);
    let (read_units, write_units) =
        (most(|cost| cost.tally.read_units), most(|cost| cost.tally.write_units));
    costs.sort_by_key(|cost| cost.engine);
    let engine = costs[costs.len() / 2].engine;
    costs.sort_by_key(|cost| cost.service);
    let service = costs[costs.len() / 2].service;
    costs.sort_by_key(|cost| cost.tally.calls);
    let calls = costs[costs.len() / 2].tally.calls;
    Cost { tally: Tally { calls, read_units, write_units, ..Tally::default() }, service, engine }
}

fn show(title: &str, columns: &[String], rows: &[(String, Vec<Cost>)]) {
    println!("\n| {title} | {} | growth of CPU |", columns.join(" | "));
    println!("|---|{}---|", "---|".repeat(columns.len()));
    for (operation, costs) in rows {
        let cells = costs.iter().map(|Cost { tally, service, engine }| {
            let Tally { calls, read_units, write_units, .. } = tally;
            format!("{calls} / {read_units} / {write_units}; {service:.1?} + {engine:.1?}")
        });
        let cells = cells.collect::<Vec<_>>().join(" | ");
        let growth = costs[costs.len() - 1].service.as_secs_f64() / costs[0].service.as_secs_f64();
        println!("| {operation} | {cells} | {growth:.2} |");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sizes = std::env::var("GROWTH_USERS").unwrap_or_else(|_| "1000,10000,100000".into());
    let sizes: Vec<usize> = sizes.split(',').map(|size| size.trim().parse().unwrap()).collect();
    let mut worlds = Vec::new();
    for size in &sizes {
        let begun = std::time::Instant::now();
        worlds.push(World::new(*size).await);
        println!("{size} users seeded in {:.0?}", begun.elapsed());
    }
    println!(
        "\nEach cell: calls / most read units / most write units; CPU of the service + of the \
        engine (medians)"
    );
    let mut rows = Vec::new();
    for name in OPERATIONS {
        let mut costs = vec![Vec::new(); worlds.len()];
        // In turn, so that whatever else the machine does hits all sizes.
        for n in 0..TIMES {
            for (world, costs) in worlds.iter().zip(&mut costs) {
                costs.push(world.operation(name, n).await);
            }
        }
        rows.push((name.to_owned(), costs.into_iter().map(middle).collect()));
    }
    show("users", &sizes.iter().map(|size| format!("{size} users")).collect::<Vec<_>>(), &rows);

    let world = worlds.last().unwrap();
    let sizes: Vec<usize> =
        GROUPS.into_iter().filter(|size| *size + TIMES <= world.ids.len()).collect();
    let mut groups = Vec::new();
    for size in &sizes {
        groups.push(
            world.seed.group(&format!("Group {size}"), &world.ids[..*size], |_| {}).await.unwrap(),
        );
    }
    let mut rows = Vec::new();
    for op in ["add", "remove"] {
        let mut costs = vec![Vec::new(); groups.len()];
        for n in 0..TIMES {
            let id = &world.ids[world.ids.len() - 1 - n];
            let operations =
                json!([{ "op": op, "path": "members", "value": [{ "value": id.as_str() }] }]);
            for (group, costs) in groups.iter().zip(&mut costs) {
                let path = format!("/Groups/{group}?excludedAttributes=members");
                costs.push(
                    world.send("PATCH", &path, Some(json!({ "Operations": operations }))).await.0,
                );
            }
        }
        rows.push((format!("{op} a member"), costs.into_iter().map(middle).collect()));
    }
    show("groups", &sizes.iter().map(|size| format!("{size} members")).collect::<Vec<_>>(), &rows);
}
