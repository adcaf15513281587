//! A product that differs from the directory, and the resync that mends it.

use scim_lambda::operator::drift::{DriftCounts, DriftRow, DriftTable};
use scim_lambda::store::ResyncScope;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::consumer::{Consumer, directory};
use crate::support::handles::patch;
use crate::support::stream::StreamReader;

/// The product's table, as an export of it would be.
fn table(consumer: &Consumer) -> DriftTable {
    let names = ["id", "state", "active", "title"].map(str::to_owned).to_vec();
    let held = consumer.held();
    let rows = held.users.iter().zip(2..).map(|((id, (state, user)), line)| {
        let title = user["title"].as_str().unwrap_or_default().to_owned();
        let active = (state == "provisioned").to_string();
        DriftRow { line, cells: vec![id.clone(), state.clone(), active, title] }
    });
    DriftTable { names, rows: rows.collect() }
}

#[tokio::test]
async fn a_resync_of_those_who_differ_mends_the_product() {
    let profile = scim_lambda::tenant::Profile::preset("default", None).unwrap();
    let profile = profile.with("deprovision.on_delete", "hard_delete").unwrap().write().unwrap();
    let mut world = World::new().await;
    (world.tenant, world.token) = world.tenant("hard", &profile).await;
    let stream = StreamReader::on(&world.local.engine);
    let people = world.people("p", 12).await;
    let group = world.group("all", &people).await;
    let mut consumer = Consumer::default();
    stream.events(&world).await.iter().for_each(|event| consumer.apply(event));
    let operator = world.patient_operator();
    let agreed = operator.drift(&world.tenant, table(&consumer)).await.unwrap();
    assert_eq!((agreed.users, agreed.rows, agreed.differences.len()), (12, 12, 0));

    let set = |path: &str, value: Value| {
        patch(json!([{ "op": "replace", "path": path, "value": value }]))
    };
    world.send("PATCH", &format!("/Users/{}", people[1]), set("title", json!("Dr"))).await;
    world.send("PATCH", &format!("/Users/{}", people[2]), set("active", json!(false))).await;
    world.delete_user(&people[3]).await;
    group.remove(&people[1..2]).await;
    world.create(json!({ "userName": "new" })).await;
    // The product hears of none of this.
    stream.records();
    world.clock.advance(5);
    let report = operator.drift(&world.tenant, table(&consumer)).await.unwrap();
    let expected = DriftCounts { missing: 1, surplus: 1, state: 1, attribute: 1 };
    assert_eq!((report.counts(), report.without_id()), (expected, 0), "{report:?}");
    let scope = ResyncScope::Users(report.ids());
    let resync = operator.resync(&world.tenant, &scope, |_| {}).await.unwrap();
    assert_eq!((resync.counts.users, resync.counts.members), (3, 1));
    stream.events(&world).await.iter().for_each(|event| consumer.apply(event));
    assert_eq!(consumer.held(), directory(&world).await);
    let agreed = operator.drift(&world.tenant, table(&consumer)).await.unwrap();
    assert_eq!(agreed.differences, []);
}
