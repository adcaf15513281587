//! No request uses more than its budget, whatever it asks for, and every request gets an answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use scim_core::{Member, ResourceId};
use scim_lambda::budget::{MAX_CALLS, MAX_READ_UNITS, MAX_TIDYING_CALLS};
use scim_lambda::store::{Collection, Kind, MemberChange, Operation, Outcome};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::connectors::Fault;
use crate::support::handles::id;
use crate::support::{self, Answer, World, all, encode};

#[track_caller]
fn within_the_budget(answer: &Answer) {
    let tally = answer.tally;
    assert!(tally.calls <= MAX_CALLS && tally.read_units <= f64::from(MAX_READ_UNITS), "{tally:?}");
}

/// Walks a query by cursor to its end; each request stays within its budget.
async fn walk(world: &World, path: &str) -> Vec<String> {
    let pages = support::walk(async |cursor| {
        let answer = world.send("GET", &format!("{path}&cursor={cursor}"), None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        within_the_budget(&answer);
        answer.body
    });
    all(&pages.await, "id")
}

/// Users, and groups that each have a part of them as members.
async fn crowd(
    world: &World,
    users: usize,
    groups: usize,
    members: usize,
) -> (Vec<ResourceId>, Vec<ResourceId>) {
    let seed = world.seed();
    let ids = seed.users(users, |_| {}).await.unwrap();
    let mut made = Vec::new();
    for n in 0..groups {
        let from = n * 7 % (users - members + 1);
        made.push(
            seed.group(&format!("Group {n}"), &ids[from..from + members], |_| {}).await.unwrap(),
        );
    }
    (ids, made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_reads_each_resource_once_and_ends_with_its_budget() {
    let world = World::new().await;
    let (ids, groups) = crowd(&world, 1_200, 24, 300).await;
    assert_eq!(world.send("GET", "/ServiceProviderConfig", None).await.status, 200);
    let one = format!("groups.value eq \"{}\"", groups[0]);
    let found = world.send("GET", &format!("/Users?count=1&filter={}", encode(&one)), None).await;
    assert_eq!((found.status.as_u16(), &found.body["totalResults"]), (200, &json!(300)));
    assert!(
        found.tally.calls <= 24,
        "the members, 300 users by sixteen, the group's name: {:?}",
        found.tally
    );

    let twice = format!("{one} or {one} or userName eq \"nobody\" or {one}");
    let again = world.send("GET", &format!("/Users?count=1&filter={}", encode(&twice)), None).await;
    assert_eq!(again.body["totalResults"], 300);
    assert_eq!(
        again.tally.calls,
        found.tally.calls + 1,
        "an equality is looked up once, however often it is named"
    );

    let any: Vec<String> =
        groups.iter().map(|group| format!("groups.value eq \"{group}\"")).collect();
    let any = encode(&any.join(" or "));
    let answer = world.send("GET", &format!("/Users?count=1&filter={any}"), None).await;
    within_the_budget(&answer);
    let members: BTreeSet<&ResourceId> = (0..24).flat_map(|n| &ids[n * 7..n * 7 + 300]).collect();
    assert_eq!(answer.body["totalResults"], members.len(), "{}", answer.body);
    let walked = walk(&world, &format!("/Users?filter={any}")).await;
    let expected: BTreeSet<String> = members.iter().map(ToString::to_string).collect();
    assert_eq!(
        (walked.len(), walked.into_iter().collect::<BTreeSet<_>>()),
        (expected.len(), expected)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_groups_of_a_page_of_users_are_read_once() {
    let world = World::new().await;
    let (_, groups) = crowd(&world, 200, 12, 150).await;
    let shown = world.send("GET", "/Users?attributes=groups&count=200", None).await;
    assert_eq!(shown.body["itemsPerPage"], 200);
    let listed = shown.body["Resources"].as_array().unwrap();
    let memberships: usize =
        listed.iter().filter_map(|user| user["groups"].as_array()).map(Vec::len).sum();
    assert_eq!(memberships, 12 * 150);
    let most = 2 + 200 + u32::try_from(groups.len()).unwrap();
    assert!(shown.tally.calls <= most, "{:?} for {most}", shown.tally);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expensive_query_is_too_many_by_index_and_continues_by_cursor() {
    let world = World::new().await;
    let text = "x".repeat(4_000);
    let large = |n: usize| {
        let roles: Vec<Value> = (0..14)
            .map(|m| json!({ "value": format!("{m}{text}"), "type": n.to_string() }))
            .collect();
        json!({ "userName": format!("u{n}"), "title": "Dr", "roles": roles })
    };
    for n in 0..500 {
        world.create(large(n)).await;
    }
    // 500 users of 56 KB are 7,000 read units.
    let query = "/Users?attributes=userName&count=200&filter=title%20pr";
    world.send("GET", query, None).await.is_error(400, Some("tooMany"));
    world.send("GET", "/Users?sortBy=title", None).await.is_error(400, Some("tooMany"));
    assert_eq!(walk(&world, query).await.len(), 500);
    assert_eq!(walk(&world, "/Users?attributes=userName&count=200").await.len(), 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comparisons_are_charged_before_they_are_made() {
    let world = World::new().await;
    let seed = world.seed();
    seed.users(3_000, |_| {}).await.unwrap();
    let phones: Vec<Value> =
        (0..200).map(|n| json!({ "value": n.to_string(), "type": "other" })).collect();
    for n in 0..300 {
        world.create(json!({ "userName": format!("many{n}"), "phoneNumbers": phones })).await;
    }
    // 300 users with 200 numbers each, under 200 terms, are twelve million comparisons.
    let terms = vec!["phoneNumbers.value co \"x\""; 200].join(" or ");
    let body = |more: Value| {
        let mut body = json!({ "filter": terms, "attributes": ["userName"], "count": 200 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    world.send("POST", "/Users/.search", body(json!({}))).await.is_error(400, Some("tooMany"));
    let pages = support::walk(async |cursor| {
        let answer = world.send("POST", "/Users/.search", body(json!({ "cursor": cursor }))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    });
    let pages = pages.await;
    assert!(
        pages.len() > 1 && all(&pages, "id").is_empty(),
        "a cursor goes on where the comparisons ended"
    );
}

#[tokio::test]
async fn a_list_of_names_and_a_patch_of_members_have_bounds() {
    let world = World::new().await;
    world.create(json!({ "userName": "a" })).await;
    let names = |count: usize| json!({ "excludedAttributes": vec!["title"; count] });
    assert_eq!(world.send("POST", "/.search", names(500)).await.status, 200);
    world.send("POST", "/.search", names(501)).await.is_error(400, Some("invalidValue"));

    let (row, strict) = world.tenant("strict", "strict").await;
    let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Large" });
    let group = world.send_as(&strict, "POST", "/Groups", group).await.body;
    let id: ResourceId = id(&group).parse().unwrap();
    name_members(&world, &Collection { tenant: row.key(), kind: Kind::Group }, &id, 4_000, "plain")
        .await;
    let path = format!("members[{}]", vec!["display co \"q\""; 24].join(" or "));
    let remove = |count: usize| {
        let operation = json!({ "op": "remove", "path": path });
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": vec![operation; count] })
    };
    let short = format!("/Groups/{id}?excludedAttributes=members");
    assert_eq!(world.send_as(&strict, "PATCH", &short, remove(1)).await.status, 200);
    world.send_as(&strict, "PATCH", &short, remove(2)).await.is_error(413, None);
    // The same for a filter: 4,000 members are compared 30 times, and not 40 times.
    let filter = |terms: usize| {
        let filter = encode(&vec!["members[display co \"q\"]"; terms].join(" or "));
        format!("/Groups?excludedAttributes=members&filter={filter}")
    };
    assert_eq!(world.send_as(&strict, "GET", &filter(30), None).await.body["totalResults"], 0);
    let refused = world.send_as(&strict, "GET", &filter(40), None).await;
    refused.is_error(400, Some("tooMany"));
    assert!(refused.body["detail"].as_str().unwrap().contains(id.as_str()), "{}", refused.body);
}

/// Names unknown members of a group, as the strict profile allows.
async fn name_members(
    world: &World,
    at: &Collection,
    group: &ResourceId,
    count: usize,
    display: &str,
) {
    let audit = world.audit(Operation::Patch);
    let nobody = |n: usize| {
        let value = format!("nobody-{n:05}").parse().unwrap();
        MemberChange::AddUnknown(Member { value, kind: None, display: Some(display.to_owned()) })
    };
    let moves: Vec<MemberChange> = (0..count).map(nobody).collect();
    for some in moves.chunks(36) {
        let wrote = world.store.change_members(at, group, some, &audit).await;
        assert!(matches!(wrote, Ok(Outcome::Committed)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_measured_as_it_is_sent() {
    let world = World::new().await;
    let (row, strict) = world.tenant("strict", "strict").await;
    let at = Collection { tenant: row.key(), kind: Kind::Group };
    let mut groups = Vec::new();
    for name in ["One", "Two", "Three"] {
        let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
        let group = world.send_as(&strict, "POST", "/Groups", group).await.body;
        groups.push(id(&group).parse::<ResourceId>().unwrap());
    }
    // Each of the 256 characters is seven bytes in the answer of the function.
    name_members(&world, &at, &groups[0], 3_000, &"\u{1}".repeat(256)).await;
    name_members(&world, &at, &groups[1], 1_200, &"\u{1}".repeat(256)).await;
    name_members(&world, &at, &groups[2], 1_200, &"\"".repeat(256)).await;
    world
        .send_as(&strict, "GET", &format!("/Groups/{}", groups[0]), None)
        .await
        .is_error(400, Some("tooMany"));
    for group in &groups[1..] {
        let answer = world.send_as(&strict, "GET", &format!("/Groups/{group}"), None).await;
        assert_eq!(answer.status, 200);
        let sent = serde_json::to_string(&answer.body.to_string()).unwrap().len();
        assert!((1_000_000..4 * 1_024 * 1_024).contains(&sent), "{sent}");
    }
    let filter = encode(&format!("id eq \"{}\" or id eq \"{}\"", groups[1], groups[2]));
    let page = world.send_as(&strict, "GET", &format!("/Groups?filter={filter}"), None).await;
    assert_eq!((&page.body["totalResults"], &page.body["itemsPerPage"]), (&json!(2), &json!(2)));
    let sent = serde_json::to_string(&page.body.to_string()).unwrap().len();
    assert!(sent < 6 * 1_024 * 1_024, "{sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_bulk_request_answers_what_it_has_done() {
    let world = Arc::new(World::new().await);
    let group = |n: usize, other: usize| {
        json!({
            "method": "POST", "bulkId": n.to_string(), "path": "/Groups",
            "data": { "displayName": format!("Group {n}"), "members": [{ "value": format!("bulkId:{other}") }] },
        })
    };
    let circles: Vec<Value> = (0..100).map(|n| group(n, n ^ 1)).collect();
    world.between.set(|_, _| Some(Fault::Slow(130)));
    let begun = Instant::now();
    let body = json!({ "Operations": circles });
    // The function has 25 seconds, and gives up before that.
    let answer =
        tokio::time::timeout(Duration::from_millis(23_500), world.send("POST", "/Bulk", body))
            .await;
    let answer = answer.expect("it is answered in time");
    assert!(
        begun.elapsed() > Duration::from_secs(15),
        "{:?}: too fast to show anything",
        begun.elapsed()
    );
    world.between.clear();
    let done = answer.body["Operations"].as_array().unwrap();
    assert_eq!((answer.status.as_u16(), done.len()), (200, 100));
    let count = |status: &str| done.iter().filter(|result| result["status"] == status).count();
    // Some refer to an operation that did not begin.
    assert_eq!(count("201") + count("503") + count("409"), 100);
    assert!(count("201") > 10 && count("503") > 10, "{} were done", count("201"));
    for result in done.iter().filter(|result| result["status"] == "201") {
        let path = result["location"]
            .as_str()
            .unwrap()
            .strip_prefix(support::BASE_URL)
            .unwrap()
            .to_owned();
        let group = world.send("GET", &path, None).await;
        assert_eq!(group.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_request_begins_no_operation_that_it_cannot_afford() {
    let world = World::new().await;
    let ids = world.seed().users(480, |_| {}).await.unwrap();
    let mut groups = Vec::new();
    for n in 0..60 {
        groups.push(world.make_group(&format!("Group {n}"), &[]).await);
    }
    // Each of these takes about thirty calls.
    let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id.as_str() })).collect();
    let add = json!({ "Operations": [{ "op": "add", "path": "members", "value": members }] });
    let operations: Vec<Value> =
        groups.iter().map(|path| json!({ "method": "PATCH", "path": path, "data": add })).collect();
    let operations: Vec<Value> = operations.into_iter().take(40).collect();
    let answer = world.send("POST", "/Bulk", json!({ "Operations": operations })).await;
    within_the_budget(&answer);
    let done = answer.body["Operations"].as_array().unwrap();
    let statuses: Vec<&str> =
        done.iter().map(|result| result["status"].as_str().unwrap()).collect();
    let first = statuses.iter().position(|status| *status == "503").unwrap();
    assert!(first > 5 && statuses[..first].iter().all(|status| *status == "200"), "{statuses:?}");
    assert!(statuses[first..].iter().all(|status| *status == "503"), "{statuses:?}");
}

#[test]
fn removing_the_members_of_a_deleted_group_has_a_separate_budget() {
    // Those of 100,000 members take two calls for 49 of them: `ledger` counts them.
    const { assert!(MAX_TIDYING_CALLS > MAX_CALLS && 2 * 100_000 / 49 < MAX_TIDYING_CALLS) }
}
