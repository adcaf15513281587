//! Walks by cursor while people come, go and come back: whoever lives throughout is met once.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use scim_lambda::Service;
use scim_lambda::settings::Settings;
use scimctl::local::{STACK, TABLE};
use serde_json::{Value, json};

use crate::support::{BASE_URL, DAY, World};

/// Users who stay, and users who come and go all the time.
const STAY: usize = 160;
const CHURN: usize = 40;
/// Changes beside each page: creates, deletes and restores.
const CHANGES: usize = 3;

fn user(name: &str) -> Value {
    json!({ "userName": name, "externalId": name, "active": true })
}

/// Asks a service that has just started, as after a cold start.
async fn fresh(world: &World, path: &str) -> Value {
    let mut settings = Settings::new(TABLE, STACK);
    settings.base_url = Some(BASE_URL.into());
    let service = Service::new(world.store.clone(), world.secrets.clone(), &settings, world.clock.clock()).unwrap();
    let request = http::Request::builder()
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {}", world.token.reveal()))
        .body(bytes::Bytes::new())
        .unwrap();
    let response = Box::pin(Arc::new(service).call(request)).await;
    assert_eq!(response.status(), 200);
    serde_json::from_slice(response.body()).unwrap()
}

/// Those who come and go.
struct Others {
    /// The id of each who is here.
    here: Vec<Option<String>>,
    turn: usize,
}

impl Others {
    /// The next one goes, comes back, or another person of that name comes.
    async fn change(&mut self, world: &World) {
        self.turn += 1;
        let number = self.turn * 7 % CHURN;
        match self.here[number].take() {
            Some(id) => assert_eq!(world.send("DELETE", &format!("/Users/{id}"), None).await.status, 204),
            None => {
                let mut user = user(&format!("other{number}"));
                if self.turn.is_multiple_of(5) {
                    user["externalId"] = json!(format!("person{}", self.turn));
                }
                let user = world.create(user).await;
                self.here[number] = Some(user["id"].as_str().unwrap().to_owned());
            }
        }
    }
}

/// One walk, each page by a process of its own: how often each name was met.
async fn walk(world: &World, query: &str, pages: &Cell<usize>) -> BTreeMap<String, usize> {
    let mut met = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = fresh(world, &format!("/Users?{query}&cursor={cursor}")).await;
        for user in page["Resources"].as_array().unwrap() {
            *met.entry(user["userName"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        pages.set(pages.get() + 1);
        tokio::task::yield_now().await;
        match page.get("nextCursor") {
            Some(next) => cursor = next.as_str().unwrap().to_owned(),
            None => return met,
        }
    }
}

#[tokio::test]
async fn two_walkers_meet_everybody_who_stays_once_while_others_come_and_go() {
    let walks: usize = std::env::var("SCIM_WALKS").map_or(16, |walks| walks.parse().unwrap());
    let world = World::new().await;
    for n in 0..STAY {
        world.create(user(&format!("stay{n}"))).await;
    }
    let mut others = Others { here: vec![None; CHURN], turn: 0 };
    let queries = ["count=7", "count=50", "count=20&filter=active%20eq%20true", "count=9&sortBy=userName"];
    let (mut lost, mut repeated, mut changes, mut asked) = (0, 0, 0, 0);
    for pair in 0..walks.div_ceil(2) {
        let pages = Cell::new(0);
        let done = Cell::new(false);
        let walkers = async {
            let (a, b) = (queries[pair % queries.len()], queries[(pair + 1) % queries.len()]);
            let met = tokio::join!(walk(&world, a, &pages), walk(&world, b, &pages));
            done.set(true);
            [met.0, met.1]
        };
        let churn = async {
            let mut served = 0;
            while !done.get() {
                while served < pages.get() {
                    served += 1;
                    for _ in 0..CHANGES {
                        others.change(&world).await;
                        changes += 1;
                    }
                }
                tokio::task::yield_now().await;
            }
        };
        let (met, ()) = tokio::join!(walkers, churn);
        asked += pages.get();
        if pair % 200 == 199 {
            // What is left of those who went expires.
            world.clock.advance(91 * DAY);
            world.local.engine.sweep().unwrap();
        }
        for met in met {
            for n in 0..STAY {
                match met.get(&format!("stay{n}")).copied().unwrap_or_default() {
                    0 => lost += 1,
                    1 => {}
                    _ => repeated += 1,
                }
            }
            repeated += met.values().filter(|times| **times > 1).count();
        }
    }
    println!("{walks} walks, {asked} pages, {changes} changes beside them: {lost} lost, {repeated} repeated");
    assert!(changes >= CHANGES * walks, "there was a churn");
    assert_eq!((lost, repeated), (0, 0));
}
