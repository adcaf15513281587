//! What the product hears of a resync.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use scim_core::ResourceId;
use scim_lambda::operator::import::Mode;
use scim_lambda::operator::resync::ResyncReport;
use scim_lambda::store::ResyncScope;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::connectors::Between;
use crate::support::consumer::{Consumer, counts, directory};
use crate::support::handles::{id, members, patch, values};
use crate::support::stream::StreamReader;

/// A tenant with users in several states, and groups in groups.
pub async fn scene(world: &World, people: usize) -> Vec<String> {
    let ids = world.people("p", people).await;
    world.delete_user(&ids[0]).await;
    let off = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
    world.send("PATCH", &format!("/Users/{}", ids[1]), off).await;
    let record = json!({ "id": "usr.1", "userName": "imported" });
    world.import(&world.tenant, &[record], Mode::Store).await;
    let inner = world.group("inner", &ids[1..people / 2]).await;
    let mut members = ids[2..].to_vec();
    members.push(inner.id().to_owned());
    world.group("outer", &members).await;
    world.group("empty", &[]).await;
    ids
}

pub async fn resync(world: &World, scope: ResyncScope) -> ResyncReport {
    world.patient_operator().resync(&world.tenant, &scope, |_| {}).await.unwrap()
}

pub fn ids(ids: &[&str]) -> Vec<ResourceId> {
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

/// How often each type occurs.
pub fn types(events: &[Value]) -> BTreeMap<&str, usize> {
    let mut types = BTreeMap::new();
    for event in events {
        *types.entry(event["type"].as_str().unwrap()).or_default() += 1;
    }
    types
}

pub fn finished(events: &[Value]) -> &Value {
    events.iter().find(|event| event["type"] == "resync.finished").unwrap()
}

#[tokio::test]
async fn every_row_has_a_snapshot_and_the_counts_are_theirs() {
    let world = World::serving("test-resource").await;
    scene(&world, 40).await;
    let urn = "urn:ietf:params:scim:schemas:test:2.0:TestResource";
    let other = json!({
        "schemas": [urn, urn.replace("test:2.0", "extension:test:2.0")],
        "identifier": "r1",
        (urn.replace("test:2.0", "extension:test:2.0")): { "extStringAttr": "x", "extRequired": "x" },
    });
    let made = world.send("POST", "/TestResources", other).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let stream = StreamReader::on(&world.local.engine);
    stream.records();
    let report = resync(&world, ResyncScope::All).await;
    let events = stream.events(&world).await;
    let expected = [
        ("group.member_snapshot", 58),
        ("group.snapshot", 3),
        ("resource.snapshot", 1),
        ("resync.finished", 1),
        ("resync.started", 1),
        ("user.snapshot", 41),
    ];
    assert_eq!(types(&events), expected.into());
    let finished = finished(&events);
    assert_eq!(finished["data"]["counts"], counts(41, 3, 58, 1));
    assert_eq!(finished["scope"], json!({ "kind": "all" }));
    assert_eq!(finished["actor"], json!({ "kind": "operator" }));
    let of_resync = |event: &Value| event["resync"] == report.id.as_str();
    assert!(events.iter().all(of_resync) && !report.is_continued);
    let mut consumer = Consumer::default();
    events.iter().for_each(|event| consumer.apply(event));
    assert_eq!(consumer.held(), directory(&world).await);
    assert!(consumer.is_complete());
}

#[tokio::test]
async fn a_touch_changes_no_version_no_time_and_no_order() {
    let world = World::new().await;
    let people = scene(&world, 20).await;
    let paths = ["/Users?count=200", "/Groups?count=200"];
    let mut before = Vec::new();
    for path in paths {
        before.push(world.send("GET", path, None).await.body);
    }
    let (path, tag) = (format!("/Users/{}", people[3]), "W/\"1\"");
    world.clock.advance(100);
    resync(&world, ResyncScope::All).await;
    resync(&world, ResyncScope::All).await;
    for (path, before) in paths.iter().zip(&before) {
        assert_eq!(world.send("GET", path, None).await.body, *before, "{path}");
    }
    let user = json!({ "userName": "new@example.com" });
    assert_eq!(world.send_if(&path, tag, "PUT", user).await.status, 200);
}

/// A consumer that has heard of everything.
async fn consumer(world: &World, stream: &StreamReader) -> Consumer {
    let mut consumer = Consumer::default();
    stream.events(world).await.iter().for_each(|event| consumer.apply(event));
    assert_eq!(consumer.held(), directory(world).await);
    consumer
}

#[tokio::test]
async fn a_user_who_is_gone_is_dropped_with_its_memberships() {
    let profile = scim_lambda::tenant::Profile::preset("default", None).unwrap();
    let profile = profile.with("deprovision.on_delete", "hard_delete").unwrap().write().unwrap();
    let mut world = World::new().await;
    (world.tenant, world.token) = world.tenant("hard", &profile).await;
    let stream = StreamReader::on(&world.local.engine);
    let people = world.people("p", 4).await;
    world.group("all", &people).await;
    let mut consumer = consumer(&world, &stream).await;
    world.delete_user(&people[0]).await;
    let title = patch(json!([{ "op": "replace", "path": "title", "value": "Dr" }]));
    world.send("PATCH", &format!("/Users/{}", people[1]), title).await;
    // The product hears of none of this.
    stream.records();
    world.clock.advance(1);
    let gone = people[0].to_uppercase();
    let report = resync(&world, ResyncScope::Users(ids(&[&people[1], &gone, &people[1]]))).await;
    assert_eq!((report.counts.users, report.counts.members), (1, 1));
    let events = stream.events(&world).await;
    assert_eq!(finished(&events)["scope"]["ids"].as_array().unwrap().len(), 2);
    events.iter().for_each(|event| consumer.apply(event));
    assert_eq!(consumer.held(), directory(&world).await);
}

#[tokio::test]
async fn a_group_is_shown_with_all_of_its_members() {
    let world = World::new().await;
    let stream = StreamReader::on(&world.local.engine);
    let people = world.people("p", 6).await;
    let group = world.group("all", &people[..4]).await;
    let other = world.group("other", &people).await;
    let mut consumer = consumer(&world, &stream).await;
    group.remove(&people[..2]).await;
    group.add(&people[4..]).await;
    other.delete().await;
    stream.records();
    world.clock.advance(1);
    let scope = ResyncScope::Groups(ids(&[group.id(), other.id()]));
    let report = resync(&world, scope).await;
    assert_eq!((report.counts.groups, report.counts.members), (1, 4));
    stream.events(&world).await.iter().for_each(|event| consumer.apply(event));
    assert_eq!(consumer.held(), directory(&world).await);
}

#[tokio::test]
async fn a_row_that_changes_meanwhile_is_shown_and_one_that_ends_is_not_counted() {
    let world = std::sync::Arc::new(World::hasty(Between::default()).await);
    let people = world.people("p", 10).await;
    let stream = StreamReader::on(&world.local.engine);
    let touches = AtomicUsize::new(0);
    let (changing, paths) = (world.clone(), people.clone());
    world.between.set(move |called, body| {
        let is_touch = called == "TransactWriteItems" && body.to_string().contains("rs = :rs");
        if is_touch && touches.fetch_add(1, Ordering::SeqCst) == 0 {
            // All rows have been read. Two change past the service, and one ends.
            let engine = &changing.local.engine;
            let key = |id: &str| {
                let partition = format!("{}#U", changing.tenant.code());
                json!({ "p": { "S": partition }, "s": { "S": id } })
            };
            let table = scim_local::TABLE;
            for id in &paths[..2] {
                let update = json!({ "TableName": table, "Key": key(id),
                    "UpdateExpression": "SET v = :v",
                    "ExpressionAttributeValues": { ":v": { "N": "7" } } });
                assert_eq!(engine.call("UpdateItem", &update.to_string()).0, 200);
            }
            let delete = json!({ "TableName": table, "Key": key(&paths[2]) });
            assert_eq!(engine.call("DeleteItem", &delete.to_string()).0, 200);
        }
        None
    });
    let report = resync(&world, ResyncScope::All).await;
    world.between.clear();
    assert_eq!(report.counts.users, 9);
    let events = stream.events(&world).await;
    let shown = events.iter().filter(|event| event["type"] == "user.snapshot");
    let mut versions: Vec<u64> = shown.map(|event| event["version"].as_u64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, [1, 1, 1, 1, 1, 1, 1, 7, 7]);
}

#[tokio::test]
async fn a_user_who_has_expired_is_not_shown() {
    let world = World::new().await;
    let people = world.people("p", 3).await;
    world.delete_user(&people[0]).await;
    assert_eq!(resync(&world, ResyncScope::All).await.counts.users, 3);
    world.clock.advance(91 * 24 * 60 * 60);
    // The engine has not removed the row yet.
    assert_eq!(resync(&world, ResyncScope::All).await.counts.users, 2);
    assert_eq!(resync(&world, ResyncScope::Users(ids(&[&people[0]]))).await.counts.users, 0);
}

#[tokio::test]
async fn many_groups_are_read_page_by_page_each_with_all_of_its_heads() {
    let world = World::new().await;
    let people = world.seed().users(4, |_| {}).await.unwrap();
    let mut groups = Vec::new();
    for number in 0..70 {
        let name = format!("group {number}");
        groups.push(world.seed().group(&name, &people, |_| {}).await.unwrap());
    }
    let report = resync(&world, ResyncScope::All).await;
    assert_eq!((report.counts.groups, report.counts.members), (70, 280));
    world.clock.advance(10);
    let since = world.clock.seconds();
    // Only heads tell that these groups have changed, each time another one.
    for (number, group) in groups.iter().enumerate() {
        let path = format!("/Groups/{group}");
        let leaver = people[number % 4].to_string();
        let change = members("remove", values(&[leaver]));
        assert_eq!(world.send("PATCH", &path, change).await.status, 200);
    }
    let report = resync(&world, ResyncScope::Since(since)).await;
    assert_eq!((report.counts.groups, report.counts.members), (70, 210));
}

#[tokio::test]
async fn what_changed_since_a_time_is_shown() {
    let world = World::new().await;
    let stream = StreamReader::on(&world.local.engine);
    let people = world.people("p", 6).await;
    let group = world.group("some", &people[..3]).await;
    world.group("other", &people).await;
    let mut consumer = consumer(&world, &stream).await;
    world.clock.advance(100);
    let since = world.clock.seconds();
    world.delete_user(&people[5]).await;
    world.create(json!({ "userName": "new@example.com" })).await;
    group.remove(&people[..1]).await;
    stream.records();
    let report = resync(&world, ResyncScope::Since(since)).await;
    // The deletion has changed the members of the other group too.
    assert_eq!(
        serde_json::to_value(report.counts).unwrap(),
        counts(2, 2, 2 + 5, 0),
        "two users, and the groups whose members changed"
    );
    stream.events(&world).await.iter().for_each(|event| consumer.apply(event));
    assert_eq!(consumer.held(), directory(&world).await);
    let nothing = resync(&world, ResyncScope::Since(world.clock.seconds())).await;
    assert_eq!(serde_json::to_value(nothing.counts).unwrap(), counts(0, 0, 0, 0));
}

#[tokio::test]
async fn a_scope_names_one_to_a_hundred_ids() {
    let world = World::new().await;
    let operator = world.patient_operator();
    let many: Vec<ResourceId> = (0..101).map(|n| format!("u{n}").parse().unwrap()).collect();
    for scope in [ResyncScope::Users(Vec::new()), ResyncScope::Groups(many.clone())] {
        let refused = operator.resync(&world.tenant, &scope, |_| {}).await.unwrap_err();
        assert!(refused.to_string().contains("1 to 100 ids"), "{refused}");
    }
    resync(&world, ResyncScope::Users(many[..100].to_vec())).await;
}

#[tokio::test]
async fn progress_never_exceeds_what_is_expected() {
    let world = World::new().await;
    let people = scene(&world, 30).await;
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |progress| seen.lock().unwrap().push(progress);
    let operator = world.patient_operator();
    let report = operator.resync(&world.tenant, &ResyncScope::All, progress).await.unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.is_sorted_by_key(|progress| progress.touched));
    assert!(seen.iter().all(|progress| progress.touched <= progress.expected));
    let last = seen.last().unwrap();
    let counts = report.counts;
    assert_eq!(last.touched, counts.users + counts.groups + counts.members);
    assert_eq!(counts.users, people.len() as u64 + 1);
    assert_eq!(id(&world.create(json!({ "userName": "later" })).await).len(), 36);
}

/// `docs/PERFORMANCE.md` has these numbers.
#[tokio::test]
async fn a_thousand_rows_cost_sixty_calls_and_two_thousand_write_units() {
    let world = World::metered().await;
    let people = world.seed().users(1_000, |_| {}).await.unwrap();
    world.meter.take();
    resync(&world, ResyncScope::All).await;
    let bill = world.meter.take();
    println!("1,000 users: {bill:?}");
    assert!(bill.calls <= 75 && bill.read <= 400.0 && bill.write <= 2_050.0, "{bill:?}");
    let group = world.seed().group("all", &people, |_| {}).await.unwrap();
    world.meter.take();
    resync(&world, ResyncScope::Groups(vec![group])).await;
    let bill = world.meter.take();
    println!("1,000 memberships: {bill:?}");
    assert!(bill.calls <= 75 && bill.read <= 150.0 && bill.write <= 2_050.0, "{bill:?}");
}

/// `ROWS=20000 cargo test --release --test it events::resync::speed -- --ignored --nocapture`
#[tokio::test]
#[ignore = "it measures, and asserts nothing"]
async fn speed() {
    let number = std::env::var("ROWS").map_or(20_000, |rows| rows.parse().unwrap());
    let world = World::new().await;
    let people = world.seed().users(number, |_| {}).await.unwrap();
    world.seed().group("all", &people, |_| {}).await.unwrap();
    let begun = std::time::Instant::now();
    let report = resync(&world, ResyncScope::All).await;
    let rows = report.counts.users + report.counts.members;
    let seconds = begun.elapsed().as_secs_f64();
    println!("{rows} rows in {seconds:.1} s: {:.0} a second", rows as f64 / seconds);
}
