//! Random lives through the real enrichment, and a bus that shuffles, doubles, delays and loses
//! events: after a resync the product holds what the directory holds.
//!
//! `CONVERGENCE_EVENTS` is how many events are made (1,000), `CONVERGENCE_SEED` what chooses them.
//! `CONVERGENCE_FILES` names a folder for the events of each world, one a line, and for the tables
//! that must follow from them: `tests/examples.sh` gives them to the example consumers.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use scim_lambda::store::ResyncScope;
use serde_json::{Value, json};

use crate::model::Life;
use crate::model::dice::Dice;
use crate::support::consumer::{Consumer, Held, directory_of};
use crate::support::stream::StreamReader;

/// What happens in one world before its resync, so that its stream stays short.
const STEPS: usize = 150;
/// What happens between two reads of the stream.
const ROUND: usize = 15;

/// A bus that keeps no order, and is worse than any real one.
struct Bus {
    dice: Dice,
    /// Events that are still on their way.
    delayed: Vec<Value>,
    delivered: Vec<Value>,
}

impl Bus {
    /// Spoils one record in a hundred before an event is made of it.
    fn poison(&mut self, records: &mut [Value]) {
        for record in records {
            let image = record["dynamodb"].get_mut("NewImage").and_then(|image| image.get_mut("f"));
            if let Some(format) = image.filter(|_| self.dice.below(100) == 0) {
                *format = json!({ "N": "99" });
            }
        }
    }

    /// Loses one event in a hundred, doubles some, delays some, and delivers the others in any
    /// order.
    fn send(&mut self, events: Vec<Value>) {
        let mut now = std::mem::take(&mut self.delayed);
        for event in events {
            if self.dice.below(100) == 0 {
                continue;
            }
            if self.dice.chance(5) {
                self.delayed.push(event.clone());
            }
            if self.dice.chance(20) { &mut self.delayed } else { &mut now }.push(event);
        }
        self.shuffle(now);
    }

    fn shuffle(&mut self, mut events: Vec<Value>) {
        while !events.is_empty() {
            let next = self.dice.below(events.len());
            self.delivered.push(events.swap_remove(next));
        }
    }

    /// The resync, of which nothing is lost, together with all that is still on its way.
    fn finish(&mut self, events: Vec<Value>) {
        let late = std::mem::take(&mut self.delayed);
        self.shuffle(late.into_iter().chain(events).collect());
    }
}

/// The events of one world, and what the product must hold in the end, by tenant.
async fn live(seed: u64) -> (Vec<Value>, BTreeMap<String, Held>) {
    let mut life = Life::new(seed).await;
    let stream = StreamReader::on(&life.world().local.engine);
    let dice = Dice::new(Dice::new(seed).roll());
    let mut bus = Bus { dice, delayed: Vec::new(), delivered: Vec::new() };
    for _ in 0..STEPS / ROUND {
        for _ in 0..ROUND {
            life.step().await;
        }
        let mut records = stream.records();
        bus.poison(&mut records);
        for batch in records.chunks(10) {
            bus.send(life.world().service.events(batch.to_vec()).await.unwrap());
        }
    }
    life.rest().await;
    bus.send(stream.events(life.world()).await);
    life.world().clock.advance(1);
    let mut truth = BTreeMap::new();
    for (tenant, token) in life.tenants() {
        let operator = life.world().patient_operator();
        operator.resync(&tenant, &ResyncScope::All, |_| {}).await.unwrap();
        let held = directory_of(life.world(), &tenant, &token).await;
        truth.insert(tenant.code().to_string(), held);
    }
    bus.finish(stream.events(life.world()).await);
    (bus.delivered, truth)
}

/// What the product of a tenant holds after these events.
fn held(events: &[Value], tenant: &str) -> Held {
    let mut consumer = Consumer::default();
    let own = events.iter().filter(|event| event["tenant"]["code"] == tenant);
    own.filter(|event| event["type"] != "record.unshaped").for_each(|event| consumer.apply(event));
    assert!(consumer.is_complete(), "a snapshot is missing");
    consumer.held()
}

/// The tables of a product in the form in which the example consumers print them, without versions
/// of groups, which count members for the identity provider.
fn tables(truth: &BTreeMap<String, Held>) -> Value {
    let (mut users, mut groups, mut members) = (Vec::new(), Vec::new(), Vec::new());
    for (tenant, held) in truth {
        let there = held.users.iter().filter(|(_, (state, _))| state != "absent");
        users.extend(there.map(|(id, (state, _))| json!([tenant, id, state])));
        groups.extend(
            held.groups.iter().map(|(id, group)| json!([tenant, id, group["displayName"]])),
        );
        members.extend(held.members.iter().map(|(group, member)| json!([tenant, group, member])));
    }
    json!({ "users": users, "groups": groups, "memberships": members })
}

fn variable(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.replace('_', "").parse().unwrap())
}

#[test]
fn after_a_resync_the_product_holds_what_the_directory_holds() {
    let (wanted, seed) =
        (variable("CONVERGENCE_EVENTS", 1_000), variable("CONVERGENCE_SEED", 7_644));
    let folder = std::env::var_os("CONVERGENCE_FILES").map(PathBuf::from);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (begun, mut made, mut worlds) = (Instant::now(), 0, 0);
    while made < wanted {
        let world = Dice::new(seed as u64 ^ (worlds << 20)).roll();
        let (events, truth) = runtime.block_on(Box::pin(live(world)));
        for (tenant, there) in &truth {
            let differ = held(&events, tenant).difference(there);
            assert!(differ.is_empty(), "seed {seed}, world {worlds}, {tenant}: {differ:#?}");
        }
        if let Some(folder) = &folder {
            let lines = folder.join(format!("{worlds}.events.jsonl"));
            let mut lines = std::io::BufWriter::new(std::fs::File::create(lines).unwrap());
            events.iter().for_each(|event| writeln!(lines, "{event}").unwrap());
            let file = folder.join(format!("{worlds}.tables.json"));
            std::fs::write(file, tables(&truth).to_string()).unwrap();
        }
        (made, worlds) = (made + events.len(), worlds + 1);
        if worlds.is_multiple_of(100) {
            println!("{made} events of {worlds} worlds, {:.0?}", begun.elapsed());
        }
    }
    println!("{made} events of {worlds} worlds from seed {seed}, {:.0?}", begun.elapsed());
}
