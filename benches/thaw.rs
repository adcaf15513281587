//! How long the first request after a thaw takes when connections to DynamoDB broke while the
//! function was frozen: either they are reset, or requests on them are lost.
//!
//! `cargo bench --bench thaw` compares the settings of `scim_lambda::sdk` with the earlier ones,
//! using real clients of the SDK over real connections on this machine, without TLS.
//! `THAW_ROUNDS=100` makes more rounds, `THAW_SETTINGS=now` measures only one of `before` and
//! `now`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code
)]

#[path = "../tests/it/support/thaw.rs"]
mod thaw;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use aws_smithy_http_client::Builder;
use bytes::Bytes;
use futures_util::future::join_all;
use scim_lambda::auth::records::TenantRecord;
use scim_lambda::auth::secrets_manager::Secrets;
use scim_lambda::auth::shared_records::SharedRecords;
use scim_lambda::auth::shared_secrets::SharedSecret;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::clock::Clock;
use scim_lambda::sdk;
use scim_lambda::settings::Settings;
use scim_lambda::store::{self, SecretNumber, Store, TenantRow};
use scim_lambda::{Service, telemetry};
use scim_local::engine::Engine;
use scim_local::secrets::Vault;
use scim_local::{Local, STACK, TABLE, dummy_account};
use thaw::{Stale, Wire};

/// Which settings the clients have.
#[derive(Debug, Clone, Copy)]
enum Age {
    Before,
    Now,
}

/// A client of the table with the settings that the function had before.
fn client_before(sdk: SdkConfig) -> aws_sdk_dynamodb::Client {
    let sdk = sdk.into_builder().http_client(Builder::new().build_http());
    let sdk = sdk.retry_config(RetryConfig::standard().with_max_attempts(3)).build();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1_000))
        .operation_attempt_timeout(Duration::from_millis(2_000))
        .operation_timeout(Duration::from_millis(6_000))
        .build();
    let config = aws_sdk_dynamodb::config::Builder::from(&sdk).timeout_config(timeouts);
    aws_sdk_dynamodb::Client::from_conf(config.retry_partition(partition()).build())
}

/// A client of the table with the settings that the function has.
fn client_now(sdk: SdkConfig) -> aws_sdk_dynamodb::Client {
    let sdk = sdk.into_builder().http_client(sdk::http_client()).retry_config(sdk::retry()).build();
    aws_sdk_dynamodb::Client::from_conf(
        store::timeouts((&sdk).into()).retry_partition(partition()).build(),
    )
}

/// The SDK's quota of retries, full as in a function that has just started: clients of one process
/// share it otherwise.
fn partition() -> RetryPartition {
    static CLIENTS: AtomicUsize = AtomicUsize::new(0);
    RetryPartition::new(format!("thaw {}", CLIENTS.fetch_add(1, Ordering::Relaxed)))
}

struct World {
    wire: Wire,
    service: Arc<Service>,
    token: PlainToken,
}

impl World {
    async fn new(age: Age) -> Self {
        let local = Local { engine: Engine::memory().unwrap(), secrets: Vault::memory() };
        scim_lambda::store::table::create(
            &aws_sdk_dynamodb::Client::new(&local.sdk_config()),
            TABLE,
        )
        .await
        .unwrap();
        let wire = Wire::before(local.connector()).await;
        let sdk = dummy_account().into_builder().endpoint_url(wire.url()).build();
        let client = match age {
            Age::Before => client_before(sdk),
            Age::Now => client_now(sdk),
        };
        let (store, clock) = (Store::new(client, TABLE), Clock::system());
        let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&local.sdk_config()), STACK);
        let mut tenant = TenantRow::generate("thaw", "default", clock.seconds()).unwrap();
        tenant.connected = Some(clock.seconds());
        assert!(store.create_tenant(&tenant, None, None).await.unwrap());
        let token = PlainToken::generate(tenant.code()).unwrap();
        let (number, seen) = (SecretNumber::FIRST, SharedSecret::default());
        let (mut record, mut records) = (TenantRecord::default(), SharedRecords::default());
        record.add(&token, None);
        records.set(tenant.code(), &record).unwrap();
        secrets.put_shared(number, &seen, 0, &records).await.unwrap();
        assert!(store.end_move(tenant.code(), None, number, None).await.unwrap());
        let mut settings = Settings::new(TABLE, STACK);
        settings.base_url = Some("https://scim.example.com/scim/v2".into());
        let service = Arc::new(Service::new(store, secrets, &settings, clock).unwrap());
        Self { wire, service, token }
    }

    /// The status of a request that reads one row, and how long it took.
    async fn ask(&self) -> (u16, Duration) {
        let request = http::Request::builder()
            .uri("/scim/v2/Users/00000000-0000-8000-8000-000000000000")
            .header("authorization", format!("Bearer {}", self.token.reveal()))
            .body(Bytes::new())
            .unwrap();
        let begun = Instant::now();
        let response = Box::pin(self.service.call(request)).await;
        (response.status().as_u16(), begun.elapsed())
    }

    /// An event that leaves about this number of connections open, the thaw, and the next event.
    async fn round(&self, connections: usize, how: Stale) -> (u16, Duration) {
        join_all((0..connections).map(|_| self.ask())).await;
        self.wire.thaw(how);
        self.ask().await
    }
}

async fn measure(age: Age, rounds: usize) {
    for (how, connections) in
        [(Stale::Reset, 1), (Stale::Reset, 16), (Stale::BlackHole, 1), (Stale::BlackHole, 16)]
    {
        let world = World::new(age).await;
        let mut times = Vec::new();
        let mut failed = 0;
        // A black hole takes its time, and the same each time.
        for _ in 0..if how == Stale::Reset { rounds } else { rounds.div_ceil(10) } {
            let (status, time) = world.round(connections, how).await;
            failed += usize::from(status != 404);
            times.push(time);
        }
        times.sort();
        let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap();
        let (least, most) = (times[0], times[times.len() - 1]);
        println!(
            "| {how:?} | {connections} | {age:?} | {least:.1?} | {mean:.1?} | {most:.1?} | \
            {failed} |"
        );
    }
    let world = World::new(age).await;
    let _ = world.ask().await;
    world.wire.thaw(Stale::BlackHole);
    tokio::time::sleep(sdk::IDLE + Duration::from_secs(1)).await;
    let (status, time) = world.ask().await;
    let failed = usize::from(status != 404);
    println!(
        "| BlackHole, idle for 21 s | 1 | {age:?} | {time:.1?} | {time:.1?} | {time:.1?} | \
        {failed} |"
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    telemetry::init_human(&[]);
    let rounds = std::env::var("THAW_ROUNDS").map_or(40, |rounds| rounds.parse().unwrap());
    let only = std::env::var("THAW_SETTINGS").unwrap_or_default();
    println!(
        "| connections | how many | settings | least | mean | most | failed \
        |\n|---|---|---|---|---|---|---|"
    );
    for (name, age) in [("before", Age::Before), ("now", Age::Now)] {
        if only.is_empty() || only == name {
            measure(age, rounds).await;
        }
    }
}
