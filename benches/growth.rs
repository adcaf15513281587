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

mod tenant;

use std::time::Duration;

use scim_core::ResourceId;
use scim_lambda::clock::Clock;
use scim_lambda::operator::seed::Seed;
use scim_lambda::telemetry::Tally;
use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use tenant::{Tenant, cpu};

/// How many times each operation is measured in each tenant.
const TIMES: usize = 300;
/// Members of the groups to which one more is added.
const GROUPS: [usize; 3] = [10, 1_000, 100_000];

struct World {
    tenant: Tenant,
    ids: Vec<ResourceId>,
}

/// What one operation cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    tally: Tally,
    service: Duration,
    engine: Duration,
}

impl World {
    async fn new(users: usize) -> Self {
        let profile = Profile::preset("default", None).unwrap();
        let tenant = Tenant::new("growth", &profile, Clock::system()).await;
        let loading = tenant.local.engine.loading().unwrap();
        let ids = tenant.seed.users(users, |_| {}).await.unwrap();
        drop(loading);
        Self { tenant, ids }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (Cost, Value) {
        let request = self.tenant.request(method, path, body);
        let (begun, engine) = (cpu(), self.tenant.surroundings.engine_time());
        let response = Box::pin(self.tenant.service.call(request)).await;
        let all = cpu() - begun;
        let engine = self.tenant.surroundings.engine_time() - engine;
        assert!(response.status().is_success(), "{method} {path}: {:?}", response.body());
        let tally = *response.extensions().get::<Tally>().unwrap();
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        (Cost { tally, service: all.saturating_sub(engine), engine }, body)
    }

    /// The index of the `n`th of a number of users who are spread over all users.
    fn spread(&self, n: usize) -> usize {
        n * 7_919 % self.ids.len()
    }

    async fn operation(&self, name: &str, n: usize) -> Cost {
        let index = self.spread(n);
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

/// The median cost of an operation in calls and time, and the maximum units that it took.
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
        // In turn, so that other work on the machine affects all sizes alike.
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
            world
                .tenant
                .seed
                .group(&format!("Group {size}"), &world.ids[..*size], |_| {})
                .await
                .unwrap(),
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
