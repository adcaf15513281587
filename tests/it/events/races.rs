//! Resyncs raced with changes: once all events have come in, in whatever order, the product holds
//! what the directory holds.

use std::cell::Cell;
use std::sync::Mutex;
use std::time::Instant;

use scim_core::ResourceId;
use scim_lambda::store::ResyncScope;
use serde_json::{Value, json};

use crate::model::dice::Dice;
use crate::support::World;
use crate::support::connectors::{Between, Fault};
use crate::support::consumer::{Consumer, directory};
use crate::support::handles::{id, members, patch, values};
use crate::support::stream::StreamReader;

/// Names of users; a POST for the name of a deleted user brings it back.
const NAMES: usize = 8;
/// Resyncs of one world, so that its stream stays short.
const ROUNDS: usize = 4;
/// Changes raced with one resync.
const CHANGES: usize = 40;

/// A directory whose users and groups change at random.
struct Life {
    world: World,
    users: Mutex<Vec<String>>,
    groups: Mutex<Vec<String>>,
}

impl Life {
    async fn new(dice: &mut Dice) -> Self {
        let mut world = World::hasty(Between::default()).await;
        if dice.chance(50) {
            let profile = scim_lambda::tenant::Profile::preset("default", None).unwrap();
            let profile =
                profile.with("deprovision.on_delete", "hard_delete").unwrap().write().unwrap();
            (world.tenant, world.token) = world.tenant("hard", &profile).await;
        }
        Self { world, users: Mutex::default(), groups: Mutex::default() }
    }

    /// One request of the identity provider.
    async fn change(&self, dice: &mut Dice) {
        let name = format!("user{}@example.com", dice.below(NAMES));
        let user = dice.pick(&self.users.lock().unwrap()).unwrap_or_else(|| "none".into());
        let group = dice.pick(&self.groups.lock().unwrap()).unwrap_or_else(|| "none".into());
        let some = dice.some(self.users.lock().unwrap().clone(), 3);
        let word = format!("w{}", dice.below(100));
        let (users, groups) = (format!("/Users/{user}"), format!("/Groups/{group}"));
        let set = |path: &str, value: Value| {
            patch(json!([{ "op": "replace", "path": path, "value": value }]))
        };
        match dice.below(12) {
            0..3 => self.create("/Users", json!({ "userName": name, "title": word })).await,
            3 => {
                let group = json!({ "displayName": word, "members": values(&some) });
                self.create("/Groups", group).await;
            }
            4 => self.send("PATCH", &users, set("title", json!(word))).await,
            5 => self.send("PATCH", &users, set("active", dice.chance(50).into())).await,
            6 => self.send("DELETE", &users, Value::Null).await,
            7 => self.send("PATCH", &groups, set("displayName", json!(word))).await,
            8 | 9 => self.send("PATCH", &groups, members("add", values(&some))).await,
            10 => self.send("PATCH", &groups, members("remove", values(&some))).await,
            _ if dice.chance(30) => self.send("DELETE", &groups, Value::Null).await,
            _ => self.send("PUT", &users, json!({ "userName": name, "title": word })).await,
        }
        self.world.clock.advance_milliseconds(dice.below(700) as i64);
    }

    async fn create(&self, endpoint: &str, body: Value) {
        let answer = self.world.send("POST", endpoint, body).await;
        if answer.status == 201 {
            let ids = if endpoint == "/Users" { &self.users } else { &self.groups };
            ids.lock().unwrap().push(id(&answer.body).to_owned());
        }
    }

    async fn send(&self, method: &str, path: &str, body: Value) {
        let answer = self.world.send(method, path, Some(body).filter(|body| !body.is_null())).await;
        assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.body);
    }

    /// The scope of a resync; a complete one more often than others.
    fn scope(&self, dice: &mut Dice) -> ResyncScope {
        let ids = |ids: Vec<String>| -> Vec<ResourceId> {
            ids.iter().map(|id| id.parse().unwrap()).collect()
        };
        let users = ids(dice.some(self.users.lock().unwrap().clone(), 5));
        let groups = ids(dice.some(self.groups.lock().unwrap().clone(), 2));
        match dice.below(6) {
            0 if !users.is_empty() => ResyncScope::Users(users),
            1 if !groups.is_empty() => ResyncScope::Groups(groups),
            2 => ResyncScope::Since(self.world.clock.seconds() - dice.below(20) as i64),
            _ => ResyncScope::All,
        }
    }

    /// Resyncs while changes go on, and returns how many went on.
    async fn race(&self, scope: &ResyncScope, dice: &mut Dice) -> usize {
        let operator = self.world.patient_operator();
        let pauses = Mutex::new(Dice::new(dice.roll()));
        self.world.between.set(move |_, body| {
            // The resync is slow, so that many changes race with it.
            let resyncs = body.to_string().contains("rs = :rs")
                || body["ProjectionExpression"].as_str().is_some_and(|only| only.starts_with('p'));
            let most = if resyncs { 60 } else { 3 };
            Some(Fault::Yield(pauses.lock().unwrap().below(most)))
        });
        let (is_over, mut raced) = (Cell::new(false), 0);
        let resync = async {
            operator.resync(&self.world.tenant, scope, |_| {}).await.unwrap();
            is_over.set(true);
        };
        let changes = async {
            while !is_over.get() && raced < CHANGES {
                self.change(dice).await;
                raced += 1;
            }
        };
        tokio::join!(resync, changes);
        self.world.between.clear();
        raced
    }
}

/// Events as a bus without order brings them: some twice.
fn shuffled(events: Vec<Value>, dice: &mut Dice) -> Vec<Value> {
    let again: Vec<Value> = events.iter().filter(|_| dice.chance(10)).cloned().collect();
    let mut left: Vec<Value> = events.into_iter().chain(again).collect();
    let mut shuffled = Vec::with_capacity(left.len());
    while !left.is_empty() {
        shuffled.push(left.swap_remove(dice.below(left.len())));
    }
    shuffled
}

/// Races in one world; returns their number.
async fn races(seed: u64) -> usize {
    let dice = &mut Dice::new(seed);
    let life = Life::new(dice).await;
    let stream = StreamReader::on(&life.world.local.engine);
    let (mut consumer, mut raced) = (Consumer::default(), 0);
    for round in 0..ROUNDS {
        let scope = life.scope(dice);
        let before = dice.below(12);
        for _ in 0..before {
            life.change(dice).await;
        }
        // What the product did not hear, it hears by a complete resync.
        let loses = scope == ResyncScope::All;
        let mut events = stream.events(&life.world).await;
        events.retain(|_| !loses || !dice.chance(30));
        raced += life.race(&scope, dice).await;
        events.extend(stream.events(&life.world).await);
        for event in shuffled(events, dice) {
            assert_ne!(event["type"], "record.unshaped", "{event}");
            consumer.apply(&event);
        }
        assert!(consumer.is_complete(), "seed {seed}, round {round}: a snapshot is missing");
        let (held, there) = (consumer.held(), directory(&life.world).await);
        let differ = held.difference(&there);
        assert!(differ.is_empty(), "seed {seed}, round {round}, {scope:?}: {differ:#?}");
        life.world.clock.advance(dice.below(4) as i64);
    }
    raced
}

fn variable(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.replace('_', "").parse().unwrap())
}

#[test]
fn a_resync_raced_with_changes_leaves_no_wrong_state() {
    let (wanted, seed) = (variable("RACES", 300), variable("RACES_SEED", 7_644) as u64);
    let (begun, mut raced, mut worlds) = (Instant::now(), 0, 0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    while raced < wanted {
        raced += runtime.block_on(races(seed + worlds));
        worlds += 1;
        if worlds.is_multiple_of(100) {
            println!("{raced} races in {worlds} worlds, {:.0?}", begun.elapsed());
        }
    }
    println!("{raced} races in {worlds} worlds from seed {seed}, {:.0?}", begun.elapsed());
}
