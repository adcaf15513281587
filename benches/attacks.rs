//! The worst requests that were found, and what they cost: DynamoDB calls, read units, CPU time
//! without that of the engine, and the longest stretch of it without an await.
//!
//! `cargo bench --bench attacks` plays all of them; `docs/PERFORMANCE.md` holds the figures.
//! `tests/memory.py` measures how much memory they take, in the function itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod tenant;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use scim_core::{Member, ResourceId};
use scim_lambda::clock::Clock;
use scim_lambda::store::{Audit, Collection, Kind, MemberChange, Operation};
use scim_lambda::telemetry::Tally;
use scim_lambda::tenant::Profile;
use serde_json::{Value, json};
use time::OffsetDateTime;

use tenant::{Surroundings, Tenant, cpu};

/// A future whose polls are timed.
struct Polled<F> {
    inner: Pin<Box<F>>,
    surroundings: Surroundings,
    longest: Duration,
    all: Duration,
}

impl<F: Future> Future for Polled<F> {
    type Output = (F::Output, Duration, Duration);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (begun, engine) = (cpu(), self.surroundings.engine_time());
        let polled = self.inner.as_mut().poll(cx);
        let engine = self.surroundings.engine_time() - engine;
        let took = (cpu() - begun).saturating_sub(engine);
        self.longest = self.longest.max(took);
        self.all += took;
        match polled {
            Poll::Ready(done) => Poll::Ready((done, self.all, self.longest)),
            Poll::Pending => Poll::Pending,
        }
    }
}

struct World {
    tenant: Tenant,
    clock: Arc<AtomicI64>,
}

impl World {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let time = Arc::new(AtomicI64::new(1_800_000_000));
        let clock = Clock::driven({
            let time = time.clone();
            move || OffsetDateTime::from_unix_timestamp(time.load(Ordering::Relaxed)).unwrap()
        });
        let profile =
            Profile::preset("default", None).unwrap().with_all(settings.iter().copied()).unwrap();
        Self { tenant: Tenant::new("attacked", &profile, clock).await, clock: time }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let (response, ..) = self.timed(method, path, body).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    async fn timed(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (http::Response<Bytes>, Duration, Duration) {
        let inner = Box::pin(self.tenant.service.call(self.tenant.request(method, path, body)));
        let surroundings = self.tenant.surroundings.clone();
        Polled { inner, surroundings, longest: Duration::ZERO, all: Duration::ZERO }.await
    }

    /// Plays an attack, and returns what it cost.
    async fn attack(&self, name: &str, method: &str, path: &str, body: Option<Value>) {
        let begun = Instant::now();
        let (response, all, longest) = self.timed(method, path, body).await;
        let elapsed = begun.elapsed();
        let tally = *response.extensions().get::<Tally>().unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let said = body["scimType"].as_str().map(|word| format!(" {word}")).unwrap_or_default();
        println!(
            "| {name} | {}{said} | {} | {} | {} ms | {:.1} ms | {:.1} s |",
            response.status().as_u16(),
            tally.calls,
            tally.read_units,
            all.as_millis(),
            longest.as_secs_f64() * 1_000.0,
            elapsed.as_secs_f64(),
        );
    }

    fn groups(&self) -> Collection {
        Collection { tenant: self.tenant.row.key(), kind: Kind::Group }
    }
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn look_ups() {
    let world = World::new(&[]).await;
    let ids = world.tenant.seed.users(5_000, |_| {}).await.unwrap();
    let mut groups = Vec::new();
    for n in 0..50 {
        groups.push(
            world
                .tenant
                .seed
                .group(&format!("Group {n}"), &ids[n * 80..n * 80 + 1_000], |_| {})
                .await
                .unwrap(),
        );
    }
    let one = encode(&format!("groups.value eq \"{}\"", groups[0]));
    let all: Vec<String> =
        groups.iter().map(|group| format!("groups.value eq \"{group}\"")).collect();
    let all = encode(&all.join(" or "));
    world
        .attack(
            "`groups.value eq` of 1,000 users",
            "GET",
            &format!("/Users?count=1&filter={one}"),
            None,
        )
        .await;
    world
        .attack("50 groups joined by `or`", "GET", &format!("/Users?count=1&filter={all}"), None)
        .await;
    world
        .attack("the same by cursor", "GET", &format!("/Users?count=1&cursor=&filter={all}"), None)
        .await;
    world
        .attack("`attributes=groups&count=200`", "GET", "/Users?attributes=groups&count=200", None)
        .await;
    let names: Vec<&str> = ["title", "nickName", "emails.value", "name.givenName"]
        .into_iter()
        .cycle()
        .take(60_000)
        .collect();
    let body = json!({ "excludedAttributes": names, "count": 200 });
    world.attack("60,000 names in `excludedAttributes`", "POST", "/.search", Some(body)).await;
    let body = json!({ "excludedAttributes": names[..500], "count": 200 });
    world.attack("500 names in `excludedAttributes`", "POST", "/.search", Some(body)).await;
}

async fn large_users() {
    let world = World::new(&[]).await;
    let mut members = Vec::new();
    for n in 0..250 {
        let roles: Vec<Value> = (0..190)
            .map(|m| json!({ "value": format!("{m}{}", "x".repeat(200)), "type": "t" }))
            .collect();
        let (_, user) = world
            .send(
                "POST",
                "/Users",
                Some(json!({ "userName": format!("large{n}"), "roles": roles })),
            )
            .await;
        members.push(json!({ "value": user["id"] }));
    }
    let (_, group) = world
        .send("POST", "/Groups", Some(json!({ "displayName": "All", "members": members })))
        .await;
    let filter = encode(&format!("groups.value eq \"{}\"", group["id"].as_str().unwrap()));
    world
        .attack(
            "250 users of 49 KB in one group",
            "GET",
            &format!("/Users?count=200&filter={filter}"),
            None,
        )
        .await;
    world.attack("200 users of 49 KB, listed", "GET", "/Users?count=200", None).await;
    world
        .attack("250 users of 49 KB, sorted", "GET", "/Users?count=200&sortBy=userName", None)
        .await;
}

async fn patches() {
    let world = World::new(&[("dialect.messages", "strict")]).await;
    let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Large" });
    let (_, group) = world.send("POST", "/Groups", Some(group)).await;
    let id: ResourceId = group["id"].as_str().unwrap().parse().unwrap();
    let audit =
        Audit::new(Operation::Patch, "bench", "1", 1_800_000_000_000, Duration::from_secs(1));
    let unknown = |n: usize| {
        let value = format!("nobody-{n:05}").parse().unwrap();
        MemberChange::AddUnknown(Member {
            value,
            kind: None,
            display: Some("Barbara Jensen".into()),
        })
    };
    let changes: Vec<MemberChange> = (0..15_000).map(unknown).collect();
    for portion in changes.chunks(36) {
        world.tenant.store.change_members(&world.groups(), &id, portion, &audit).await.unwrap();
    }
    let remove = |terms: usize, count: usize| {
        let path = format!("members[{}]", vec!["display co \"q\""; terms].join(" or "));
        let operation = json!({ "op": "remove", "path": path });
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": vec![operation; count] })
    };
    let path = format!("/Groups/{id}");
    world
        .attack("200 `remove members[48 terms]` of 15,000", "PATCH", &path, Some(remove(48, 200)))
        .await;
    world.attack("`remove members[9 terms]` of 15,000", "PATCH", &path, Some(remove(9, 1))).await;
    world.attack("a group of 15,000 members", "GET", &path, None).await;
}

async fn comparisons() {
    let world = World::new(&[]).await;
    for n in 0..4_990 {
        world
            .send(
                "POST",
                "/Users",
                Some(json!({ "userName": format!("\u{e9}l\u{e8}ve-{n}-\u{fc}\u{f1}\u{ed}@ex\u{e4}mple.com") })),
            )
            .await;
    }
    let terms = (0..200).map(|n| format!("userName co \"{n}q\"")).collect::<Vec<_>>().join(" or ");
    let body = json!({ "filter": terms, "count": 1 });
    world
        .attack("200 `userName co` of 4,990 non-ASCII names", "POST", "/Users/.search", Some(body))
        .await;
}

async fn expiry() {
    let world = World::new(&[("deprovision.on_inactive", "suspend_with_expiry")]).await;
    let ids = world.tenant.seed.users(1_500, |_| {}).await.unwrap();
    for id in &ids {
        let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
        world.send("PATCH", &format!("/Users/{id}"), Some(off)).await;
    }
    world.clock.fetch_add(91 * 24 * 60 * 60, Ordering::Relaxed);
    world.send("GET", "/Me", None).await;
    world
        .attack(
            "1,500 users due at once: ServiceProviderConfig",
            "GET",
            "/ServiceProviderConfig",
            None,
        )
        .await;
    world.attack("1,500 users due at once: a list", "GET", "/Users", None).await;
    world
        .attack(
            "1,500 users due at once: a POST",
            "POST",
            "/Users",
            Some(json!({ "userName": "new" })),
        )
        .await;
}

async fn circles() {
    let world = World::new(&[]).await;
    let group = |n: usize| {
        let other = format!("bulkId:{}", n ^ 1);
        json!({ "method": "POST", "bulkId": n.to_string(), "path": "/Groups",
            "data": { "displayName": format!("Group {n}"), "members": [{ "value": other }] } })
    };
    let body = json!({ "Operations": (0..100).map(group).collect::<Vec<_>>() });
    world.tenant.surroundings.set_pause(Duration::from_millis(130));
    world.attack("bulk of 50 circles, 130 ms a call", "POST", "/Bulk", Some(body)).await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!(
        "| attack | answer | calls | read units | CPU | longest stretch | time \
        |\n|---|---|---|---|---|---|---|"
    );
    look_ups().await;
    large_users().await;
    patches().await;
    comparisons().await;
    expiry().await;
    circles().await;
}
