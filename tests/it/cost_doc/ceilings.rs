//! How often one tenant can do each operation in a second, by the write units that it takes from
//! each partition key.

use std::collections::BTreeMap;
use std::sync::Arc;

use scim_lambda::operator::seed::Seed;
use scim_local::meter::Written;
use serde_json::{Value, json};

use super::customer::{employee, written};
use crate::support::World;
use crate::support::customer::Customer;
use crate::support::documents::{hold_table, markdown};
use crate::support::handles::{id, members, values};

/// What a partition takes in a second.
const UNITS: f64 = 1_000.0;
/// What all heads of a group take.
const HEADS: f64 = 32.0;
/// The partitions of a tenant that operations write, as the data model names them, and whether
/// DynamoDB can split them.
const PARTITIONS: [(&str, &str, bool); 8] = [
    ("U", "`t#U`", true),
    ("X", "`t#X`", true),
    ("E", "`t#E`", true),
    ("C", "`t#C`", true),
    ("G", "`t#G`", true),
    ("M", "`t#M#group`", true),
    ("R", "`t#R#member`", true),
    ("L", "`t#L`", false),
];

/// Operations, each with the write units that it takes from one key of each kind.
#[derive(Default)]
struct Table(Vec<(String, BTreeMap<String, f64>)>);

impl Table {
    /// Notes what was written since the last note.
    fn note(&mut self, world: &World, operation: &str) {
        self.0.push((operation.to_owned(), units(world)));
    }

    fn markdown(&self) -> String {
        let names = PARTITIONS.map(|(_, name, _)| name);
        let header: Vec<_> = ["operation"].into_iter().chain(names).collect();
        let header = [header, vec!["a second until DynamoDB splits", "a second at most"]].concat();
        markdown(&header, self.0.iter().map(|(operation, units)| row(operation, units)))
    }
}

/// The write units of the busiest key of each kind: a request that changes several members writes a
/// partition for each of them.
fn units(world: &World) -> BTreeMap<String, f64> {
    let most = |keys: &[Written]| keys.iter().map(|written| written.units).fold(0.0, f64::max);
    written(world).iter().map(|(kind, keys)| (kind.clone(), most(keys))).collect()
}

fn row(operation: &str, units: &BTreeMap<String, f64>) -> Vec<String> {
    let known = |kind: &String| PARTITIONS.iter().any(|(known, ..)| known == kind);
    assert!(units.keys().all(known), "{operation} writes {units:?}");
    let of = |kind: &str| units.get(kind).copied().unwrap_or_default();
    let rate = |splits: bool| {
        let kinds = PARTITIONS.iter().filter(|(.., can)| *can == splits);
        let most = kinds.map(|(kind, ..)| of(kind)).fold(0.0, f64::max);
        format!("{}", (UNITS / most).floor())
    };
    // A counter takes two units. What is more belongs to the single row of seats or of the brake.
    let at_most = if of("C") > 2.0 { "one at a time".to_owned() } else { rate(false) };
    let cell = |units: f64| if units == 0.0 { String::new() } else { units.to_string() };
    let units = PARTITIONS.map(|(kind, ..)| cell(of(kind)));
    [vec![operation.to_owned()], units.to_vec(), vec![rate(true), at_most]].concat()
}

/// A user of less than 1 KB, whose only address is the userName.
fn small(name: &str) -> Value {
    let mut user = Seed::user(0);
    user["userName"] = json!(format!("{name}@example.com"));
    user["emails"][0]["value"] = user["userName"].clone();
    user["externalId"] = json!(name);
    user
}

/// Users of a tenant without limits.
async fn users(world: &World, table: &mut Table) {
    world.settle(&world.token).await;
    world.meter.take();
    world.user(employee("large")).await;
    table.note(world, "create a user of 1 to 2 KB, with two addresses");
    let user = world.user(small("one")).await;
    table.note(world, "create");
    assert_eq!(user.set("title", "Engineer").await.status, 200);
    table.note(world, "PATCH");
    assert_eq!(user.set("active", false).await.status, 200);
    table.note(world, "activation or deactivation");
    assert_eq!(user.set("active", true).await.status, 200);
    world.meter.take();
    assert_eq!(user.delete().await.status, 204);
    table.note(world, "delete, in no group");
}

/// Users of a tenant with seats and a brake.
async fn limited(world: &Arc<World>, table: &mut Table) {
    let limits = [("seats.limit", "100"), ("brake.deactivations", "10")];
    let customer = Customer::of(world, "default", &limits).await;
    let (first, second) = (small("first"), small("second"));
    let first = customer.create(first).await;
    // The first deactivation of a window opens it, which takes more calls.
    assert_eq!(customer.activate(&first, false).await.status, 200);
    world.meter.take();
    let second = customer.create(second).await;
    table.note(world, "create, with `seats.limit`");
    assert_eq!(customer.activate(&second, false).await.status, 200);
    table.note(world, "deactivation, with `seats.limit` and a brake");
    assert_eq!(customer.activate(&second, true).await.status, 200);
    table.note(world, "activation, with `seats.limit`");
}

/// The groups of a tenant.
async fn groups(world: &World, table: &mut Table) {
    let mut people = Vec::new();
    for n in 0..25 {
        people.push(id(&world.create(small(&format!("member{n}"))).await).to_owned());
    }
    world.meter.take();
    let group = world.group("Customer Success", &[]).await;
    table.note(world, "create a group");
    let change = async |op: &str, ids: &[String]| {
        let body: Value = members(op, values(ids));
        assert_eq!(world.send("PATCH", group.path(), body).await.status, 200);
    };
    change("add", &people[..1]).await;
    table.note(world, "add a member");
    change("add", &people[1..]).await;
    let mut units = units(world);
    // It depends on their ids how many of the sixteen heads these members have.
    let heads = units.insert("G".to_owned(), HEADS).unwrap_or_default();
    assert!(heads <= HEADS, "{heads} write units");
    table.0.push(("add 24 members in one request".to_owned(), units));
    change("remove", &people[..1]).await;
    table.note(world, "remove a member");
}

#[tokio::test]
async fn the_documented_ceilings_follow_from_the_units_of_each_partition() {
    let (world, mut table) = (Arc::new(World::metered().await), Table::default());
    users(&world, &mut table).await;
    limited(&world, &mut table).await;
    groups(&world, &mut table).await;
    hold_table("docs/PERFORMANCE.md", "ceilings", &table.markdown());
}
