//! Walks by cursor while users come, go and return: each user who stays is returned once.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use scim_lambda::Service;
use scim_lambda::settings::Settings;
use scim_local::{STACK, TABLE};
use serde_json::{Value, json};

use crate::support::handles::id;
use crate::support::{self, BASE_URL, DAY, World, all};

/// Users who stay, and users who come and go all the time.
const STAY: usize = 160;
const CHURN: usize = 40;
/// Changes during each page: creates, deletes and restores.
const CHANGES: usize = 3;

fn user(name: &str) -> Value {
    json!({ "userName": name, "externalId": name, "active": true })
}

/// Sends a request to a service that has just started, as after a cold start.
async fn fresh(world: &World, path: &str) -> Value {
    let mut settings = Settings::new(TABLE, STACK);
    settings.base_url = Some(BASE_URL.into());
    let service =
        Service::new(world.store.clone(), world.secrets.clone(), &settings, world.clock.clock())
            .unwrap();
    let request = http::Request::builder()
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {}", world.token.reveal()))
        .body(bytes::Bytes::new())
        .unwrap();
    let response = Box::pin(Arc::new(service).call(request)).await;
    assert_eq!(response.status(), 200);
    serde_json::from_slice(response.body()).unwrap()
}

/// Users who come and go.
struct Others {
    /// The id of each user who is present.
    here: Vec<Option<String>>,
    turn: usize,
}

impl Others {
    /// The next user leaves, returns, or is followed by another person with that name.
    async fn change(&mut self, world: &World) {
        self.turn += 1;
        let number = self.turn * 7 % CHURN;
        match self.here[number].take() {
            Some(id) => {
                assert_eq!(world.send("DELETE", &format!("/Users/{id}"), None).await.status, 204)
            }
            None => {
                let mut user = user(&format!("other{number}"));
                if self.turn.is_multiple_of(5) {
                    user["externalId"] = json!(format!("person{}", self.turn));
                }
                let user = world.create(user).await;
                self.here[number] = Some(id(&user).to_owned());
            }
        }
    }
}

/// One walk, each page by a process of its own: how many times each name was returned.
async fn walk(world: &World, query: &str, pages: &Cell<usize>) -> BTreeMap<String, usize> {
    let walked = support::walk(async |cursor| {
        pages.set(pages.get() + 1);
        tokio::task::yield_now().await;
        fresh(world, &format!("/Users?{query}&cursor={cursor}")).await
    });
    let mut met = BTreeMap::new();
    for name in all(&walked.await, "userName") {
        *met.entry(name).or_default() += 1;
    }
    met
}

/// Pairs of walkers at once, while users come and go: each of `stays` is returned once, and no user
/// twice.
async fn pairs(world: &World, stays: &[String], queries: &[&str], walks: usize) {
    let mut others = Others { here: vec![None; CHURN], turn: 0 };
    let (mut lost, mut repeated, mut changes, mut asked) = (0, 0, 0, 0);
    for pair in 0..walks.div_ceil(2) {
        let pages = Cell::new(0);
        let done = Cell::new(false);
        let walkers = async {
            let (a, b) = (queries[pair % queries.len()], queries[(pair + 1) % queries.len()]);
            let met = tokio::join!(walk(world, a, &pages), walk(world, b, &pages));
            done.set(true);
            [met.0, met.1]
        };
        let churn = async {
            let mut served = 0;
            while !done.get() {
                while served < pages.get() {
                    served += 1;
                    for _ in 0..CHANGES {
                        others.change(world).await;
                        changes += 1;
                    }
                }
                tokio::task::yield_now().await;
            }
        };
        let (met, ()) = tokio::join!(walkers, churn);
        asked += pages.get();
        if pair % 200 == 199 {
            // The rows of deleted users expire.
            world.clock.advance(91 * DAY);
            world.local.engine.sweep().unwrap();
        }
        for met in met {
            lost += stays.iter().filter(|name| !met.contains_key(*name)).count();
            repeated += met.values().filter(|times| **times > 1).count();
        }
    }
    println!(
        "{walks} walks, {asked} pages, {changes} changes meanwhile: {lost} lost, {repeated} \
        repeated"
    );
    assert!(changes >= CHANGES * walks, "there was a churn");
    assert_eq!((lost, repeated), (0, 0));
}

/// `SCIM_WALKS=1000 cargo test --test it walks -- --nocapture` walks a thousand times.
#[tokio::test]
async fn two_walkers_see_each_remaining_user_once() {
    let walks = std::env::var("SCIM_WALKS").map_or(16, |walks| walks.parse().unwrap());
    let world = World::new().await;
    let stays: Vec<String> = (0..STAY).map(|n| format!("stay{n}")).collect();
    for name in &stays {
        world.create(user(name)).await;
    }
    let queries =
        ["count=7", "count=50", "count=20&filter=active%20eq%20true", "count=9&sortBy=userName"];
    pairs(&world, &stays, &queries, walks).await;
}

#[tokio::test]
async fn walks_cover_a_tenant_larger_than_one_request_can_read() {
    let world = World::new().await;
    world.seed().users(5_400, |_| {}).await.unwrap();
    let some = "filter=name.familyName%20eq%20%22Jensen%22%20and%20externalId%20ew%20%2277%22";
    let stays: Vec<String> =
        (77..5_400).step_by(100).map(|n| format!("user{n:07}@example.com")).collect();
    pairs(&world, &stays, &[&format!("count=9&{some}"), &format!("count=200&{some}")], 2).await;
}
