//! What one request cannot answer as a whole, it answers in part: a page is shorter, a walk
//! continues by cursor, and a change is refused before any of it is written.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use scim_core::ResourceId;
use scim_lambda::budget::{MAX_CALLS, MAX_READ_UNITS};
use scim_lambda::store::Kind;
use scim_local::TABLE;
use serde_json::{Value, json};

use crate::support::connectors::Fault;
use crate::support::{self, Answer, World, all, encode};

const TRANSACT: &str = "TransactWriteItems";

async fn get(world: &World, path: &str) -> Answer {
    let answer = world.send("GET", path, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert!(
        answer.tally.calls <= MAX_CALLS && answer.tally.read_units <= f64::from(MAX_READ_UNITS)
    );
    answer
}

async fn walk(world: &World, path: &str) -> Vec<String> {
    all(
        &support::walk(async |cursor| get(world, &format!("{path}&cursor={cursor}")).await.body)
            .await,
        "id",
    )
}

/// Groups whose heads count this many members, although each has one.
async fn swollen(world: &World, groups: usize, members: usize) -> Vec<String> {
    let user = world.seed().users(1, |_| {}).await.unwrap();
    let client = aws_sdk_dynamodb::Client::new(&world.local.sdk_config());
    let mut ids = Vec::new();
    for n in 0..groups {
        let group = world.seed().group(&format!("Group {n}"), &user, |_| {}).await.unwrap();
        client
            .update_item()
            .table_name(TABLE)
            .key("p", AttributeValue::S(format!("{}#G", world.tenant.code())))
            .key("s", AttributeValue::S(format!("{group}!0")))
            .update_expression("SET n = :n")
            .expression_attribute_values(":n", AttributeValue::N(members.to_string()))
            .send()
            .await
            .unwrap();
        ids.push(group.to_string());
    }
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_large_groups_are_read_as_the_budget_allows() {
    let world = World::new().await;
    let groups = swollen(&world, 20, 13_000).await;
    // Slow calls, so that several are in flight at the same time.
    world.between.set(|_, _| Some(Fault::Slow(2)));
    let page = get(&world, "/Groups?count=100").await.body;
    assert_eq!(
        (&page["totalResults"], all(std::slice::from_ref(&page), "id")),
        (&json!(20), groups.clone())
    );
    assert!(
        page["Resources"].as_array().unwrap().iter().all(|group| group["members"]
            .as_array()
            .unwrap()
            .len()
            == 1)
    );
    let filter = encode("not (displayName eq \"Nobody\") and members pr");
    assert_eq!(walk(&world, &format!("/Groups?filter={filter}&count=100")).await, groups);
    assert_eq!(
        walk(&world, &format!("/Groups?filter={}&count=100", encode("displayName co \"r\""))).await,
        groups
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_index_finds_all_groups_of_a_user_in_a_thousand_groups() {
    let world = World::new().await;
    let user = world.seed().users(1, |_| {}).await.unwrap();
    let mut groups = Vec::new();
    for n in 0..950 {
        groups.push(
            world.seed().group(&format!("Group {n}"), &user, |_| {}).await.unwrap().to_string(),
        );
    }
    groups.sort_unstable();
    world.between.set(|_, _| Some(Fault::Slow(2)));
    let filter = encode(&format!("members.value eq \"{}\"", user[0]));
    let page =
        get(&world, &format!("/Groups?filter={filter}&excludedAttributes=members&count=200"))
            .await
            .body;
    assert_eq!(
        (&page["totalResults"], all(std::slice::from_ref(&page), "id")),
        (&json!(950), groups[..200].to_vec())
    );
    assert_eq!(walk(&world, &format!("/Groups?filter={filter}&count=200")).await, groups);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_among_many_deleted_users_is_shorter_and_continues() {
    let world = World::new().await;
    let users = world.seed().users(100, |_| {}).await.unwrap();
    let mut users: Vec<String> = users.iter().map(ToString::to_string).collect();
    users.sort_unstable();
    let client = aws_sdk_dynamodb::Client::new(&world.local.sdk_config());
    let expires = AttributeValue::N((world.clock.seconds() + 1_000).to_string());
    let row = |n: usize| {
        let put = Put::builder()
            .table_name(TABLE)
            .item("p", AttributeValue::S(format!("{}#U", world.tenant.code())));
        let put = put.item(
            "s",
            AttributeValue::S(format!("{:04x}{n:04x}-0000-8000-8000-000000000000", n * 3)),
        );
        let put = put.item("d", AttributeValue::S("x".repeat(1_300))).item("x", expires.clone());
        TransactWriteItem::builder()
            .put(put.item("st", AttributeValue::S("deleted".into())).build().unwrap())
            .build()
    };
    for some in (0..20_000).collect::<Vec<_>>().chunks(100) {
        let rows = some.iter().map(|n| row(*n)).collect();
        client.transact_write_items().set_transact_items(Some(rows)).send().await.unwrap();
    }
    let first = get(&world, "/Users?count=100").await.body;
    let shown = first["itemsPerPage"].as_u64().unwrap();
    assert!((10..100).contains(&shown) && first["totalResults"] == 100, "{shown}");
    let second = get(&world, &format!("/Users?count=100&startIndex={}", shown + 1)).await.body;
    assert_eq!(all(&[first, second], "id"), users);
    assert_eq!(walk(&world, "/Users?count=100").await, users);
}

#[tokio::test]
async fn a_walk_over_groups_can_stop_between_any_two() {
    let world = World::new().await;
    let user = world.seed().users(1, |_| {}).await.unwrap();
    for n in 0..12 {
        world.seed().group(&format!("Group {n}"), &user, |_| {}).await.unwrap();
    }
    let at = world.collection(Kind::Group);
    let ranges = world.store.ranges(&at, None, usize::MAX).await.unwrap().ranges;
    let mut walk = world.store.range(&at, ranges[0].clone(), Some(1), world.clock.seconds());
    let mut seen = Vec::new();
    while let Some(batch) = walk.next_batch().await.unwrap() {
        seen.extend(batch.into_iter().map(|group| group.id));
        // The groups after this position are exactly those that the walk has not returned yet.
        if let Some(position) = walk.position() {
            let rest = world
                .store
                .after(&at, &position, 100, world.clock.seconds())
                .await
                .unwrap()
                .resources;
            assert!(
                rest.iter().all(|group| !seen.contains(&group.id)) && rest.len() + seen.len() == 12
            );
        }
    }
    assert_eq!(seen.len(), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_cannot_all_be_checked_are_refused_before_any_write() {
    let world = World::new().await;
    let roles: Vec<Value> =
        (0..190).map(|n| json!({ "value": format!("{n:03}{}", "x".repeat(90)) })).collect();
    let mut members = Vec::new();
    for n in 0..1_000 {
        let user = world.create(json!({ "userName": format!("large{n}"), "roles": roles })).await;
        members.push(json!({ "value": user["id"] }));
    }
    let answer =
        world.send("POST", "/Groups", json!({ "displayName": "All", "members": members })).await;
    answer.is_error(413, None);
    assert_eq!(world.rows_of("#M#").await, 0);
    let some = json!({ "displayName": "All", "members": members[..500] });
    assert_eq!(world.send("POST", "/Groups", some).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_has_begun_survives_the_deletion_of_a_member() {
    let world = Arc::new(World::new().await);
    let people = world.people("u", 100).await;
    let group = world.make_group("Staff", &[]).await;
    let members: Vec<Value> = people.iter().map(|id| json!({ "value": id })).collect();
    let operations = json!({ "Operations": [
        { "op": "replace", "path": "displayName", "value": "All staff" },
        { "op": "add", "path": "members", "value": members },
    ] });
    let sorted: std::collections::BTreeSet<ResourceId> =
        people.iter().map(|id| id.parse().unwrap()).collect();
    let last = sorted.last().unwrap().clone();
    let first = world.between.count(TRANSACT) + 1;
    let between = world.between.clone();
    world.between.set(move |called, _| {
        // The second transaction of the PATCH waits, and the DELETE comes before it.
        (called == TRANSACT && between.count(TRANSACT) == first + 1).then_some(Fault::Slow(400))
    });
    let patch = tokio::spawn({
        let (world, group) = (world.clone(), group.clone());
        async move { world.send("PATCH", &group, operations).await }
    });
    while world.between.count(TRANSACT) <= first {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    world.delete_user(&last.to_string()).await;
    let answer = patch.await.unwrap();
    assert!(answer.status.is_success(), "{}", answer.body);
    let group = get(&world, &group).await.body;
    assert_eq!(
        (&group["displayName"], group["members"].as_array().unwrap().len()),
        (&json!("All staff"), 99)
    );
}
