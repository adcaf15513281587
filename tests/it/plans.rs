//! Filters in large tenants: those that an index answers cost what the plan says, the others are
//! read in parts.

use std::collections::BTreeSet;
use std::time::Duration;

use scim_core::resource::Attributes;
use scim_core::{Additions, Dialect, Meta, Resource, Version};
use scim_lambda::directory::Plan;
use scim_lambda::operator::explain::Explanation;
use scim_lambda::store::{Audit, Kind, Names, Operation, ResourceWrite, Stage, Takeover};
use scim_lambda::tenant::{Profile, ServedTypes};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::support::handles::id;
use crate::support::{self, World, all, encode};

/// Walks a filter of users to its end: ids, the size of each page, the last `totalResults`.
async fn walk(world: &World, query: &str) -> (Vec<String>, Vec<usize>, Value) {
    let pages = support::walk(async |cursor| {
        let answer = world.send("GET", &format!("/Users?{query}&cursor={cursor}"), None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    })
    .await;
    let sizes = pages.iter().map(|page| page["Resources"].as_array().unwrap().len()).collect();
    (
        all(&pages, "id"),
        sizes,
        pages[pages.len() - 1].get("totalResults").cloned().unwrap_or_default(),
    )
}

#[tokio::test]
async fn a_filter_without_index_walks_a_large_tenant_in_parts() {
    let world = World::new().await;
    let ids = world.seed().users(6_000, |_| {}).await.unwrap();
    let mut doctors = BTreeSet::new();
    for id in ids.iter().step_by(200) {
        let title = json!({ "Operations": [{ "op": "add", "path": "title", "value": "Dr" }] });
        assert_eq!(world.send("PATCH", &format!("/Users/{id}"), title).await.status, 200);
        doctors.insert(id.to_string());
    }
    let refused = world.send("GET", "/Users?filter=title%20pr", None).await;
    refused.is_error(400, Some("tooMany"));
    assert!(refused.body["detail"].as_str().unwrap().contains("cursor"), "{}", refused.body);

    // 30 of 6,000 match: each request reads 5,000 and shows the ones it found.
    let (met, pages, total) = walk(&world, "filter=title%20pr&count=200").await;
    assert_eq!((met.len(), met.into_iter().collect::<BTreeSet<_>>()), (30, doctors.clone()));
    assert_eq!((pages.len(), total), (2, Value::Null), "{pages:?}: the total is not counted");
    // A full page ends the search; no user is lost in between.
    let (met, pages, _) = walk(&world, "filter=title%20pr&count=4").await;
    assert_eq!((met.len(), met.into_iter().collect::<BTreeSet<_>>()), (30, doctors.clone()));
    assert!((8..=10).contains(&pages.len()), "{pages:?}");
    let full = world.send("GET", "/Users?filter=active%20eq%20true&count=10&cursor=", None).await;
    assert_eq!(
        (&full.body["itemsPerPage"], full.body["nextCursor"].is_string()),
        (&json!(10), true)
    );
    assert_eq!(full.tally.calls, 2, "the counters, and no more than the page");
    assert!(full.tally.read_units < 20.0, "{:?}", full.tally);
    // A walk without a match ends too.
    assert_eq!(walk(&world, "filter=nickName%20pr&count=100").await.1, [0, 0]);
    // So does a search over all types, even if an index answers for some of them.
    let group = world.make_group("Staff", &[ids[0].to_string()]).await;
    doctors.insert(group[8..].to_owned());
    for (filter, count) in
        [("title pr or displayName eq \"staff\"", 7), ("title pr or displayName eq \"staff\"", 200)]
    {
        let pages = support::walk(async |cursor| {
            let body = json!({ "filter": filter, "cursor": cursor, "count": count });
            world.send("POST", "/.search", body).await.body
        });
        let met = all(&pages.await, "id");
        assert_eq!(
            (met.len(), met.into_iter().collect::<BTreeSet<_>>()),
            (31, doctors.clone()),
            "{count} a page"
        );
    }
    let none = world.send("GET", "/Users?filter=title%20pr&count=0&cursor=", None).await.body;
    assert_eq!(
        (none.get("nextCursor"), &none["itemsPerPage"]),
        (None, &json!(0)),
        "nobody walks by nothing"
    );
}

#[tokio::test]
async fn a_result_that_fits_in_one_request_is_counted_exactly() {
    let world = World::new().await;
    world.seed().users(4_000, |_| {}).await.unwrap();
    let page = world
        .send("GET", "/Users?filter=active%20eq%20true&count=10&startIndex=3991", None)
        .await
        .body;
    assert_eq!((&page["totalResults"], &page["itemsPerPage"]), (&json!(4_000), &json!(10)));
    let first =
        world.send("GET", "/Users?filter=active%20eq%20true&count=10&cursor=", None).await.body;
    assert_eq!(first["totalResults"], 4_000);
    let next = format!(
        "/Users?filter=active%20eq%20true&count=10&cursor={}",
        first["nextCursor"].as_str().unwrap()
    );
    let next = world.send("GET", &next, None).await;
    assert_eq!(next.body["totalResults"], 4_000, "known from the first page");
    assert!(next.tally.calls <= 6, "{:?}", next.tally);
}

#[tokio::test]
async fn an_index_costs_what_its_plan_says() {
    let world = World::metered().await;
    let user = world
        .create(json!({ "userName": "a@example.com", "externalId": "1", "emails": [{ "value": "b@example.com" }] }))
        .await;
    let id = id(&user);
    let group = world.make_group("Staff", &[id.to_owned()]).await;
    let types = ServedTypes::new(&Profile::default(), &Additions::default()).unwrap();
    world.meter.take();
    for (endpoint, filter, hits) in [
        ("Users", format!("id eq \"{id}\""), 1),
        ("Users", "userName eq \"A@EXAMPLE.com\"".into(), 1),
        ("Users", "title pr and not (active eq false) and userName eq \"a@example.com\"".into(), 0),
        ("Users", "externalId eq \"1\"".into(), 1),
        (
            "Users",
            "externalId eq \"1\" and userName eq \"a@example.com\" and active eq true".into(),
            1,
        ),
        ("Users", "userName eq \"a@example.com\" or externalId eq \"1\"".into(), 1),
        ("Users", "emails[type eq \"home\"].value eq \"B@example.com\"".into(), 0),
        ("Users", "emails.value eq \"b@example.com\"".into(), 1),
        ("Users", format!("groups.value eq \"{}\"", &group[8..]), 1),
        ("Users", "externalId eq \"1\" and groups pr".into(), 1),
        (
            "Groups",
            format!(
                "id eq \"{}\" and (members eq \"{id}\" or members eq \"{}\")",
                &group[8..],
                &group[8..]
            ),
            1,
        ),
        ("Groups", "displayName eq \"staff\"".into(), 1),
        ("Groups", format!("members.value eq \"{id}\""), 1),
        ("Groups", format!("members[value eq \"{id}\"]"), 1),
        ("Groups", format!("displayName eq \"Staff\" and members eq \"{id}\""), 1),
        ("Groups", format!("id eq \"{}\" and members eq \"{id}\"", &group[8..]), 1),
    ] {
        let of = types.at(endpoint).unwrap();
        let explained = Explanation::new(&filter, of, Dialect::TOLERANT, 1_000_000).unwrap();
        let path = format!("/{endpoint}?excludedAttributes=members&filter={}", encode(&filter));
        let found = world.send("GET", &path, None).await;
        assert_eq!(found.body["totalResults"], hits, "{filter}");
        let bill = world.meter.take();
        let said = (explained.calls, explained.read_units as f64);
        assert_eq!(
            (usize::try_from(bill.calls).unwrap(), bill.read),
            said,
            "{filter}: {explained:?}"
        );
        assert!(matches!(explained.plan, Plan::LookUp(_)) && explained.requests == 1);
    }
}

#[test]
fn a_scan_is_explained_with_its_cost_and_the_attributes_that_have_an_index() {
    let types = ServedTypes::new(&Profile::default(), &Additions::default()).unwrap();
    let users = types.at("Users").unwrap();
    for (filter, resources, requests) in [
        ("title pr", 5_000, 1),
        ("title pr", 12_000, 3),
        ("not (userName eq \"a\")", 12_000, 3),
        ("groups pr", 700, 2),
    ] {
        let explained = Explanation::new(filter, users, Dialect::TOLERANT, resources).unwrap();
        assert!(matches!(explained.plan, Plan::Scan { .. }), "{filter}");
        assert_eq!(explained.requests, requests, "{filter}");
        assert_eq!(explained.resources, resources);
        assert!(explained.indexed.contains(&"userName".to_owned()), "{explained:?}");
    }
    let never =
        Explanation::new("id eq \"a\" and id eq \"b\" and active pr", users, Dialect::TOLERANT, 9)
            .unwrap();
    assert_eq!(never.calls, 1, "{never:?}");
    assert!(Explanation::new("userName", users, Dialect::TOLERANT, 9).is_err());
}

#[tokio::test]
async fn a_filter_of_many_values_reads_a_bounded_number_of_rows() {
    let world = World::new().await;
    let ids = world.seed().users(60, |_| {}).await.unwrap();
    let group = world.make_group("Staff", &[ids[0].to_string(), ids[59].to_string()]).await;
    // One more value than an index is used for.
    let nobody =
        (0..50).map(|n| format!("groups.value eq \"00000000-0000-8000-8000-0000000000{n:02}\""));
    let values: Vec<String> =
        nobody.chain([format!("groups.value eq \"{}\"", &group[8..])]).collect();
    let filter = values.join(" or ");
    let refused = world.send("POST", "/Users/.search", json!({ "filter": filter })).await;
    refused.is_error(400, Some("tooMany"));
    let pages = support::walk(async |cursor| {
        let answer = world
            .send("POST", "/Users/.search", json!({ "filter": filter, "cursor": cursor }))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.tally.calls <= 1_100, "{:?}", answer.tally);
        answer.body
    })
    .await;
    assert!(pages.len() > 5, "nine of sixty at a time");
    let met: BTreeSet<String> = all(&pages, "id").into_iter().collect();
    assert_eq!(met, BTreeSet::from([ids[0].to_string(), ids[59].to_string()]));
}

#[tokio::test]
async fn an_external_id_that_hundreds_share_costs_no_more_than_one_of_two_hundred() {
    let world = World::new().await;
    for n in 0..230 {
        world
            .create(json!({ "userName": format!("u{n}"), "externalId": "the same for all" }))
            .await;
    }
    let more = world
        .send("POST", "/Users", json!({ "userName": "one more", "externalId": "the same for all" }))
        .await;
    assert_eq!(more.status, 201);
    assert!(more.tally.calls <= 4 && more.tally.read_units < 30.0, "{:?}", more.tally);
    let (met, _, _) =
        walk(&world, &format!("count=100&filter={}", encode("externalId eq \"the same for all\"")))
            .await;
    assert_eq!(
        met.into_iter().collect::<BTreeSet<_>>().len(),
        231,
        "nobody is missing where the index reads no more"
    );
}

#[tokio::test]
async fn a_bucket_larger_than_a_request_loses_no_user() {
    let world = World::new().await;
    let at = world.collection(Kind::User);
    let now = world.clock.seconds();
    let audit = Audit::new(Operation::Create, "test", "1", now * 1_000, Duration::from_secs(1));
    let meta = Meta {
        created: OffsetDateTime::UNIX_EPOCH,
        last_modified: OffsetDateTime::UNIX_EPOCH,
        version: Version(1),
    };
    let (names, mut attributes) = (Names::default(), Attributes::default());
    attributes.set("userName", json!("somebody"));
    let mut ids: Vec<String> =
        (0..30).map(|n| format!("abc0{n:04x}-0000-8000-8000-000000000000")).collect();
    ids.push("f0000000-0000-8000-8000-000000000000".to_owned());
    for id in &ids {
        let resource = Resource {
            id: id.parse().unwrap(),
            meta: meta.clone(),
            attributes: attributes.clone(),
        };
        let new = ResourceWrite {
            resource: &resource,
            names: &names,
            takeover: Takeover::default(),
            expires: None,
        };
        assert!(world.store.create_first(&at, &[new], Stage::Live, &audit).await.unwrap().stored);
    }
    // One is deleted, so that the first ten rows are as many users as a request judges of that many
    // values.
    world.delete_user(&ids[3]).await;
    let members: Vec<String> = [0, 14, 29, 30].map(|n| ids[n].clone()).into();
    let group = world.make_group("Staff", &members).await;
    let nobody =
        (0..50).map(|n| format!("groups.value eq \"00000000-0000-8000-8000-0000000000{n:02}\""));
    let values: Vec<String> =
        nobody.chain([format!("groups.value eq \"{}\"", &group[8..])]).collect();
    for count in [1, 3] {
        let pages = support::walk(async |cursor| {
            let body = json!({ "filter": values.join(" or "), "cursor": cursor, "count": count });
            let answer = world.send("POST", "/Users/.search", body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.body
        })
        .await;
        assert_eq!(all(&pages, "id"), members, "by {count}");
    }
}
