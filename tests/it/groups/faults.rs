//! Groups that many clients change at once, and DynamoDB failing in the middle.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use scim_lambda::store::{Kind, Note, Operation, Progress};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::World;
use crate::support::connectors::{Between, Fault};
use crate::support::handles::set;

const TRANSACT: &str = "TransactWriteItems";

fn members(op: &str, ids: &[String]) -> Value {
    let value: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    json!({ "Operations": [{ "op": op, "path": "members", "value": value }] })
}

/// After this many more transactions, DynamoDB fails until `Between` is cleared.
fn break_after(world: &World, transactions: usize) {
    let between = world.between.clone();
    let last = between.count(TRANSACT) + transactions;
    world.between.set(move |called, _| {
        let broken = called == TRANSACT && between.count(TRANSACT) > last;
        broken.then_some(Fault::Refuse(500, "InternalServerError"))
    });
}

async fn size(world: &World, path: &str) -> usize {
    let group = world.send("GET", path, None).await;
    assert_eq!(group.status, 200, "{}", group.body);
    group.body["members"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_additions_and_removals_lose_nothing() {
    let world = Arc::new(World::with(Between::conflicts()).await);
    let people = world.people("u", 60).await;
    let path = world.make_group("Staff", &people[..20]).await;
    let mut running = Vec::new();
    for (n, id) in people.iter().enumerate() {
        let (world, path, id) = (world.clone(), path.clone(), id.clone());
        let op = if n < 20 { "remove" } else { "add" };
        running.push(tokio::spawn(
            async move { world.send("PATCH", &path, members(op, &[id])).await },
        ));
    }
    for answer in running {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let group = world.send("GET", &path, None).await;
    let mut ids: Vec<&str> = group.body["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["value"].as_str().unwrap())
        .collect();
    let mut expected: Vec<&str> = people[20..].iter().map(String::as_str).collect();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(group.header("etag"), "W/\"61\"", "each change is one version");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_concurrent_changes_of_one_group_are_all_applied() {
    let world = Arc::new(World::with(Between::conflicts_of(10)).await);
    let ids = world.seed().users(100, |_| {}).await.unwrap();
    let people: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let path = world.make_group("Staff", &people[..50]).await;
    let running: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(n, id)| {
            let (world, path, op) =
                (world.clone(), path.clone(), if n < 50 { "remove" } else { "add" });
            let body = members(op, std::slice::from_ref(id));
            tokio::spawn(async move { world.send("PATCH", &path, body).await.status })
        })
        .collect();
    let mut refused = 0;
    for status in running {
        match status.await.unwrap().as_u16() {
            200 => {}
            status => {
                assert_eq!(status, 503);
                refused += 1;
            }
        }
    }
    let cancelled = world.between.cancelled.load(Ordering::SeqCst);
    assert!(cancelled > 20, "they did conflict: {cancelled}");
    assert_eq!(refused, 0, "fewer than one in a hundred ends in 503");
    let group = world.send("GET", &path, None).await;
    let mut there: Vec<&str> = group.body["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["value"].as_str().unwrap())
        .collect();
    let mut expected: Vec<&str> = people[50..].iter().map(String::as_str).collect();
    there.sort_unstable();
    expected.sort_unstable();
    assert_eq!((there, group.header("etag")), (expected, "W/\"101\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_16_groups_of_one_name_is_created() {
    let world = Arc::new(World::with(Between::conflicts()).await);
    let people = world.people("u", 30).await;
    let value: Vec<Value> = people.iter().map(|id| json!({ "value": id })).collect();
    let running: Vec<_> = (0..16)
        .map(|_| {
            let (world, body) =
                (world.clone(), json!({ "displayName": "Staff", "members": value }));
            tokio::spawn(async move { world.send("POST", "/Groups", body).await.status.as_u16() })
        })
        .collect();
    let mut created = 0;
    for status in running {
        match status.await.unwrap() {
            201 => created += 1,
            status => assert_eq!(status, 409),
        }
    }
    assert_eq!(
        (created, world.rows_of("#M#").await),
        (1, 30),
        "the losers leave no members behind"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_precondition_is_checked_in_the_write_of_a_group() {
    let world = Arc::new(World::new().await);
    let people = world.people("u", 2).await;
    let path = world.make_group("Staff", &[]).await;
    for (method, conditional) in [
        ("PATCH", members("add", &people[1..])),
        ("PATCH", set("displayName", "Crew")),
        ("PUT", json!({ "displayName": "Crew", "members": [] })),
        ("DELETE", Value::Null),
    ] {
        let tag = world.send("GET", &path, None).await.header("etag").to_owned();
        // The write is on its way when another user becomes a member.
        let sent = world.between.count(TRANSACT);
        world.between.once(TRANSACT, Fault::Slow(300));
        let late = tokio::spawn({
            let (world, path) = (world.clone(), path.clone());
            async move { world.send_if(&path, &tag, method, conditional).await }
        });
        while world.between.count(TRANSACT) == sent {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert_eq!(world.send("PATCH", &path, members("add", &people[..1])).await.status, 200);
        late.await.unwrap().is_error(412, None);
        world.between.clear();
        assert_eq!(world.send("PATCH", &path, members("remove", &people[..1])).await.status, 200);
        let now = world.send("GET", &path, None).await;
        assert_eq!((&now.body["displayName"], &now.body["members"]), (&json!("Staff"), &json!([])));
    }
}

#[tokio::test]
async fn an_interrupted_change_is_completed_by_the_same_request() {
    let world = World::new().await;
    let people = world.people("u", 90).await;
    let path = world.make_group("Staff", &[]).await;
    // The third transaction and all after it fail, until the platform recovers.
    break_after(&world, 2);
    let all = members("add", &people);
    world.send("PATCH", &path, all.clone()).await.is_error(503, None);
    world.between.clear();
    let part = size(&world, &path).await;
    assert!(part > 0 && part < 90, "{part}");
    assert_eq!(world.send("PATCH", &path, all).await.status, 200);
    assert_eq!(size(&world, &path).await, 90);
}

#[tokio::test]
async fn an_incomplete_group_is_invisible() {
    let world = World::new().await;
    let people = world.people("u", 60).await;
    let value: Vec<Value> = people.iter().map(|id| json!({ "value": id })).collect();
    let body = json!({ "displayName": "Staff", "members": value });
    break_after(&world, 1);
    world.send("POST", "/Groups", body.clone()).await.is_error(503, None);
    world.between.clear();
    assert_eq!(world.send("GET", "/Groups", None).await.body["totalResults"], 0);
    let user = format!("/Users/{}?attributes=groups", people[59]);
    assert_eq!(world.send("GET", &user, None).await.body.get("groups"), None);
    let made = world.send("POST", "/Groups", body).await;
    assert_eq!((made.status.as_u16(), made.body["members"].as_array().unwrap().len()), (201, 60));
}

#[tokio::test]
async fn an_interrupted_deletion_is_invisible_and_finished_by_the_next_write() {
    let world = World::new().await;
    let people = world.people("u", 60).await;
    let mut paths = Vec::new();
    for n in 0..40 {
        paths.push(world.make_group(&format!("Group {n}"), &people[..1]).await);
    }
    let large = world.make_group("Large", &people[1..]).await;
    for path in [format!("/Users/{}", people[0]), large] {
        break_after(&world, 1);
        assert_eq!(world.send("DELETE", &path, None).await.status, 204);
        world.between.clear();
        let left = world.rows_of("#M#").await;
        // It is gone for every client; the next write removes the rest of its rows.
        world.send("GET", &path, None).await.is_error(404, None);
        assert_eq!(size(&world, &paths[39]).await, 0);
        assert_eq!((world.rows_of("#M#").await, left > 0), (left, true), "a read removes nothing");
        world.send("DELETE", &path, None).await.is_error(404, None);
        assert!(world.rows_of("#M#").await < left);
    }
    assert_eq!(
        world.rows_of("#M#").await + world.rows_of("#R#").await + world.rows_of("#T").await,
        1
    );
    assert_eq!(size(&world, &paths[39]).await, 0);
}

#[tokio::test]
async fn members_leave_a_deleted_large_group_one_portion_after_the_other() {
    let world = World::new().await;
    let seed = world.seed();
    let ids = seed.users(1_200, |_| {}).await.unwrap();
    let group = seed.group("Large", &ids, |_| {}).await.unwrap();
    let path = format!("/Groups/{group}");
    world.settle(&world.token).await;
    break_after(&world, 1);
    assert_eq!(world.send("DELETE", &path, None).await.status, 204);
    world.between.clear();
    let at = world.collection(Kind::Group);
    let audit = world.audit(Operation::Delete);
    // Without time, it ends after the first portion.
    let before = world.rows_of("#M#").await;
    let progress =
        world.store.disband(&at, &group, Note::Finished, &audit, Instant::now()).await.unwrap();
    let removed = before - world.rows_of("#M#").await;
    assert_eq!((progress, removed), (Progress::Unfinished, 49));
    world.send("DELETE", &path, None).await.is_error(404, None);
    assert_eq!(world.rows_of("#M#").await + world.rows_of("#R#").await, 0);
}
