//! What it costs to keep, read and remove the changes of the table on a laptop: the CPU time of
//! creating users without and with it, of the service and the engine together, in a small and a
//! large tenant, and the memory of the process.
//!
//! `cargo bench --bench stream` prints the tables of docs/PERFORMANCE.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod tenant;

use std::time::Duration;

use scim_lambda::clock::Clock;
use scim_lambda::operator::seed::Seed;
use scim_lambda::tenant::Profile;
use scim_local::changes::Changes;
use scim_local::engine::Engine;
use serde_json::json;

use tenant::{Tenant, cpu};

/// The kinds of rows that `scimctl serve` reads.
const KINDS: &str = "BGRSTUYZ";
const USERS: [usize; 2] = [1_000, 10_000];
/// How many users are created between two reads of the changes, as many as `scimctl serve` reads at
/// once.
const BATCH: usize = 100;
const BATCHES: usize = 30;
/// How many users are created while the memory is looked at.
const GROWTH: usize = 20_000;

struct World {
    tenant: Tenant,
    changes: Option<Changes>,
    created: usize,
}

impl World {
    async fn new(engine: Engine, users: usize, reads: bool) -> Self {
        let profile = Profile::preset("default", None).unwrap();
        let tenant = Tenant::over(engine, "stream", &profile, Clock::system()).await;
        let loading = tenant.local.engine.loading().unwrap();
        tenant.seed.users(users, |_| {}).await.unwrap();
        drop(loading);
        let changes = reads.then(|| Changes::of(&tenant.local.engine).unwrap());
        if let Some(changes) = &changes {
            changes.keep(KINDS).unwrap();
        }
        Self { tenant, changes, created: 0 }
    }

    async fn create(&mut self) {
        let mut user = Seed::user(self.created);
        user["userName"] = json!(format!("new{}@example.com", self.created));
        user["externalId"] = json!(format!("new{}", self.created));
        user["emails"][0]["value"] = user["userName"].clone();
        self.created += 1;
        let request = self.tenant.request("POST", "/Users", Some(user));
        assert_eq!(Box::pin(self.tenant.service.call(request)).await.status(), 201);
    }

    /// The CPU time of a create, with its part of reading and removing the changes of a batch.
    async fn batch(&mut self) -> Duration {
        let begun = cpu();
        for _ in 0..BATCH {
            self.create().await;
        }
        if let Some(changes) = &self.changes {
            let batch = changes.after(changes.delivered().unwrap(), 100).unwrap();
            assert_eq!(batch.records.len(), BATCH);
            changes.deliver(batch.end).unwrap();
        }
        (cpu() - begun) / u32::try_from(BATCH).unwrap()
    }
}

/// The memory of this process, in megabytes.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    resident.unwrap_or_default() * 4_096 / 1_000_000
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// CPU time without and with reading, in tenants of both sizes, in turn: in memory, or in files as
/// `scimctl serve` has them.
async fn compare(place: &str) {
    let (mut worlds, mut files) = (Vec::new(), Vec::new());
    for users in USERS {
        for reads in [false, true] {
            let file = File::new(&format!("{users}-{reads}"));
            let engine = if place == "in files" { Engine::open(&file.0) } else { Engine::memory() };
            worlds.push(World::new(engine.unwrap(), users, reads).await);
            files.push(file);
        }
    }
    let mut times = vec![Vec::new(); worlds.len()];
    for _ in 0..BATCHES {
        for (world, times) in worlds.iter_mut().zip(&mut times) {
            times.push(world.batch().await);
        }
    }
    let times: Vec<_> = times.into_iter().map(median).collect();
    println!(
        "\n{place}\n\n| users | create | create, changes read and removed | ratio |\n|---|---|---|---|"
    );
    for (users, pair) in USERS.iter().zip(times.chunks(2)) {
        let ratio = pair[1].as_secs_f64() / pair[0].as_secs_f64();
        println!("| {users} | {:.1?} | {:.1?} | {ratio:.3} |", pair[0], pair[1]);
    }
    let growth = |from: usize| times[from + 2].as_secs_f64() / times[from].as_secs_f64();
    println!("| growth | {:.3} | {:.3} | |", growth(0), growth(1));
}

/// The memory of the process while users are created in a file.
async fn grow() {
    let file = File::new("growth");
    let mut world = World::new(Engine::open(&file.0).unwrap(), 1_000, true).await;
    println!("\n| users created | memory |\n|---|---|");
    for n in 0..GROWTH / BATCH {
        if (n * BATCH).is_multiple_of(GROWTH / 4) {
            println!("| {} | {} MB |", n * BATCH, memory());
        }
        world.batch().await;
    }
    println!("| {GROWTH} | {} MB |", memory());
}

/// Creates while nobody takes the changes, which pile up.
async fn pile_up() {
    let mut world = World::new(Engine::memory().unwrap(), 1_000, true).await;
    println!("\n| changes that wait | create |\n|---|---|");
    for waiting in [0, 5_000, 10_000, 20_000] {
        while world.created < waiting {
            world.create().await;
        }
        let mut times = Vec::new();
        for _ in 0..BATCHES {
            let begun = cpu();
            for _ in 0..10 {
                world.create().await;
            }
            times.push((cpu() - begun) / 10);
        }
        println!("| {waiting} | {:.1?} |", median(times));
    }
}

/// A database file, removed at the end.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let name = format!("scim-bench-stream-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // In this order, so that the memory is that of one tenant.
    grow().await;
    compare("in memory").await;
    compare("in files").await;
    pile_up().await;
}
