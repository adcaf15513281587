//! Lists contain every user once, in one order, at any startIndex.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use scim_core::resource::Attributes;
use scim_core::{Meta, Resource, Version};
use scim_lambda::budget::Limits;
use scim_lambda::store::{
    Audit, Collection, Kind, Names, Operation, ResourceWrite, Stage, Takeover,
};
use scim_local::TABLE;
use serde_json::json;
use time::OffsetDateTime;

use crate::support::World;
use crate::support::customer::Customer;
use crate::support::handles;

const CREATED: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

#[tokio::test]
async fn pages_are_slices_of_one_order() {
    let world = World::new().await;
    for n in 0..57 {
        world.create(json!({ "userName": format!("user{n}@example.com") })).await;
    }
    // Deleted users leave no gaps.
    for n in [3, 20, 41] {
        let found = world.find(&format!("userName eq \"user{n}@example.com\"")).await;
        world.delete_user(handles::id(&found[0])).await;
    }
    let whole = world.send("GET", "/Users", None).await.body;
    let ids: Vec<_> =
        whole["Resources"].as_array().unwrap().iter().map(|user| user["id"].clone()).collect();
    assert_eq!((&whole["totalResults"], ids.len()), (&json!(54), 54));
    assert_eq!(ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len(), 54);
    for size in [1, 7, 20, 54] {
        let mut paged = Vec::new();
        while paged.len() < 54 {
            let start = paged.len() + 1;
            let page = world
                .send("GET", &format!("/Users?startIndex={start}&count={size}"), None)
                .await
                .body;
            assert_eq!((&page["totalResults"], &page["startIndex"]), (&json!(54), &json!(start)));
            let users = page["Resources"].as_array().unwrap();
            assert_eq!(page["itemsPerPage"], users.len());
            assert_eq!(users.len(), size.min(54 - paged.len()));
            paged.extend(users.iter().map(|user| user["id"].clone()));
        }
        assert_eq!(paged, ids, "pages of {size}");
    }
}

#[tokio::test]
async fn the_edges_of_a_list_are_not_errors() {
    let world = World::new().await;
    for n in 0..3 {
        world.create(json!({ "userName": format!("user{n}") })).await;
    }
    for (query, total, items, start) in [
        ("count=0", 3, 0, 1),
        ("startIndex=4", 3, 0, 4),
        ("startIndex=101&count=100", 3, 0, 101),
        ("startIndex=0", 3, 3, 1),
        ("startIndex=-5&count=2", 3, 2, 1),
        ("count=-1", 3, 0, 1),
        ("count=100000", 3, 3, 1),
        ("startIndex=99999999999999999999", 3, 0, i32::MAX),
        ("filter=userName%20sw%20%22user%22&startIndex=3&count=5", 3, 1, 3),
        ("filter=userName%20eq%20%22nobody%22", 0, 0, 1),
    ] {
        let page = world.send("GET", &format!("/Users?{query}"), None).await.body;
        let resources = page["Resources"].as_array().unwrap().len();
        assert_eq!((&page["totalResults"], resources), (&json!(total), items), "{query}");
        assert_eq!(
            (&page["itemsPerPage"], &page["startIndex"]),
            (&json!(items), &json!(start)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_page_of_large_users_is_cut_by_size_and_continues() {
    let world = World::new().await;
    let photo = "x".repeat(4_000);
    for n in 0..70 {
        let ims: Vec<_> = (0..15).map(|i| json!({ "value": format!("{i}{photo}") })).collect();
        world.create(json!({ "userName": format!("user{n}"), "ims": ims })).await;
    }
    for filter in ["", "&filter=active+eq+true"] {
        let mut seen = 0;
        while seen < 70 {
            let page = world
                .send("GET", &format!("/Users?count=200&startIndex={}{filter}", seen + 1), None)
                .await
                .body;
            assert!(page.to_string().len() < 4 * 1_024 * 1_024);
            assert_eq!(page["totalResults"], 70);
            let items = page["Resources"].as_array().unwrap().len();
            assert!(items > 10 && page["itemsPerPage"] == items);
            seen += items;
        }
        assert_eq!(seen, 70);
    }
    for filter in ["", "&filter=active+eq+true"] {
        let (mut seen, mut cursor) = (0, String::new());
        loop {
            let page = world
                .send("GET", &format!("/Users?count=200&cursor={cursor}{filter}"), None)
                .await
                .body;
            assert!(page.to_string().len() < 4 * 1_024 * 1_024);
            seen += page["Resources"].as_array().unwrap().len();
            match page.get("nextCursor") {
                Some(next) => cursor = next.as_str().unwrap().to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, 70);
    }
}

#[tokio::test]
async fn the_most_selective_index_answers() {
    let world = World::new().await;
    for n in 0..60 {
        world
            .create(json!({ "userName": format!("u{n}"), "externalId": "N/A", "title": "Dr" }))
            .await;
    }
    for filter in [
        "externalId eq \"N/A\" and userName eq \"u7\"",
        "userName eq \"u7\" and externalId eq \"N/A\"",
    ] {
        let found = world
            .send("GET", &format!("/Users?filter={}", crate::support::encode(filter)), None)
            .await;
        assert_eq!(
            (found.body["totalResults"].as_u64(), found.tally.calls),
            (Some(1), 1),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn filters_without_an_index_look_at_every_user() {
    let world = World::new().await;
    let body = |n: usize| json!({ "userName": format!("user{n}"), "title": if n.is_multiple_of(2) { "Dr" } else { "Prof" }, "active": n < 3 });
    for n in 0..6 {
        world.create(body(n)).await;
    }
    for (filter, count) in [
        ("title eq \"dr\"", 3),
        ("active eq true and title ne \"Dr\"", 1),
        ("not (active eq true)", 3),
        ("userName eq \"user1\" or userName eq USER2 or externalId eq \"x\"", 2),
        ("userName eq \"user1\" and active eq \"False\"", 0),
        ("meta.created gt \"2020-01-01T00:00:00Z\"", 6),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName co \"SER5\"", 1),
        ("nobodyKnowsThis eq 1", 0),
        ("externalId pr", 0),
    ] {
        assert_eq!(world.find(filter).await.len(), count, "{filter}");
    }
}

#[tokio::test]
async fn pages_in_a_large_bucket_are_exact_however_the_ids_are_spread() {
    let world = World::new().await;
    let at = Collection { tenant: world.tenant.key(), kind: Kind::Other("Device".into()) };
    let now = world.clock.seconds();
    let audit = Audit::new(Operation::Create, "test", "1", now * 1_000, Duration::from_secs(1));
    // One bucket whose ids are spread evenly, one with all of them at its beginning, and a few
    // before and after.
    let mut ids: Vec<String> =
        (0..400).map(|n| format!("abc{:05x}-0000-8000-8000-000000000000", n * 1_310)).collect();
    ids.extend((0..300).map(|n| format!("abd00{n:03x}-0000-8000-8000-{n:012}")));
    ids.extend((0..9).map(|n| format!("{n}0000000-0000-8000-8000-000000000000")));
    ids.sort_unstable();
    let (names, meta) =
        (Names::default(), Meta { created: CREATED, last_modified: CREATED, version: Version(1) });
    let resources = ids.iter().map(|id| Resource {
        id: id.parse().unwrap(),
        meta: meta.clone(),
        attributes: Attributes::default(),
    });
    let resources: Vec<Resource> = resources.collect();
    let new = resources.iter().map(|resource| ResourceWrite {
        resource,
        names: &names,
        takeover: Takeover::default(),
        expires: None,
    });
    let new: Vec<ResourceWrite<'_>> = new.collect();
    let mut rest = new.as_slice();
    while !rest.is_empty() {
        let batch = world.store.create_first(&at, rest, Stage::Live, &audit).await.unwrap();
        assert!(batch.stored);
        rest = &rest[batch.taken..];
    }
    for index in (0..ids.len() + 3).step_by(7) {
        for count in [1, 20, 150] {
            let page = world.store.page(&at, index, count, now, &[]).await.unwrap();
            let shown: Vec<&str> =
                page.portion.resources.iter().map(|listed| listed.id.as_str()).collect();
            let wanted: Vec<&str> =
                ids.iter().skip(index).take(count).map(String::as_str).collect();
            assert_eq!((page.total, shown), (ids.len(), wanted), "{count} from {index}");
        }
    }
    let read = async |index| {
        scim_lambda::budget::counted(Limits::REQUEST, world.store.page(&at, index, 20, now, &[]))
            .await
            .1
    };
    let (even, skewed) = (read(360).await, read(680).await);
    assert_eq!(even.calls, 2, "the estimate was right");
    assert_eq!(
        skewed.calls, 3,
        "the estimate was wrong, and the bucket is read from its beginning"
    );
}

#[tokio::test]
async fn deleted_users_do_not_slow_paging_beyond_a_bound() {
    let world = World::new().await;
    let ids = world.seed().users(60, |_| {}).await.unwrap();
    let mut sorted: Vec<String> = ids.iter().map(ToString::to_string).collect();
    sorted.sort_unstable();
    // Rows of deleted users that TTL has not removed yet: twelve thousand of them everywhere, and
    // forty thousand in the bucket of one user.
    let client = aws_sdk_dynamodb::Client::new(&world.local.sdk_config());
    let everywhere =
        (0..12_000).map(|n| format!("{:04x}{n:04x}-0000-8000-8000-000000000000", n * 5));
    let crowded =
        (0..40_000).map(|n| format!("{}-{n:04x}-8000-8000-00000000000f", &sorted[30][..8]));
    let expires = (world.clock.seconds() + 1_000).to_string();
    let row = |id: &String| {
        let put = Put::builder()
            .table_name(TABLE)
            .item("p", AttributeValue::S(format!("{}#U", world.tenant.code())));
        let put = put
            .item("s", AttributeValue::S(id.clone()))
            .item("x", AttributeValue::N(expires.clone()));
        TransactWriteItem::builder()
            .put(put.item("st", AttributeValue::S("deleted".into())).build().unwrap())
            .build()
    };
    for some in everywhere.chain(crowded).collect::<Vec<_>>().chunks(100) {
        let rows = some.iter().map(row).collect();
        client.transact_write_items().set_transact_items(Some(rows)).send().await.unwrap();
    }
    let get = async |query: &str| {
        let answer = world.send("GET", &format!("/Users?{query}"), None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    };
    for query in ["count=100", "count=100&cursor="] {
        let whole = get(query).await;
        assert_eq!(crate::support::all(std::slice::from_ref(&whole.body), "id"), sorted, "{query}");
        assert!(whole.tally.calls < 200, "{:?}", whole.tally);
    }
    let page = get("count=5&startIndex=28").await;
    assert_eq!(crate::support::all(&[page.body], "id"), sorted[27..32]);
    // A filter without an index is refused, or continues by cursor.
    world
        .send("GET", "/Users?filter=active%20eq%20true", None)
        .await
        .is_error(400, Some("tooMany"));
    let pages = crate::support::walk(async |cursor| {
        get(&format!("filter=active%20eq%20true&count=100&cursor={cursor}")).await.body
    });
    let pages = pages.await;
    assert_eq!((crate::support::all(&pages, "id"), pages.len()), (sorted, 2));
}

#[tokio::test]
async fn a_huge_start_index_is_echoed_as_a_number_that_clients_can_read() {
    let world = World::new().await;
    for beyond in ["2147483647", "9223372036854775808", "99999999999999999999999"] {
        let page = world.send("GET", &format!("/Users?startIndex={beyond}"), None).await;
        assert_eq!((page.status.as_u16(), &page.body["startIndex"]), (200, &json!(i32::MAX)));
        assert_eq!(page.body["itemsPerPage"], 0);
    }
}

#[tokio::test]
async fn ids_with_a_common_prefix_are_listed_like_any_others() {
    let customer = Customer::new("hoxhunt").await;
    // As time-ordered UUIDs of one morning.
    let id = |n: usize| format!("01906b2f-{n:04x}-7000-8000-0123456789ab");
    let person = |n: usize| json!({ "id": id(n), "userName": format!("user{n}") });
    let report = customer.import(&(0..400).map(person).collect::<Vec<_>>()).await;
    assert!(report.is_clean(), "{report:?}");
    for n in 0..400 {
        let user = customer.create(json!({ "userName": format!("user{n}") })).await;
        assert_eq!(user["id"], id(n), "a link keeps the id");
    }
    let (users, now) = (customer.users(), customer.world.clock.seconds());
    let mut seen = BTreeSet::new();
    for index in (0..400).step_by(50) {
        let read = scim_lambda::budget::counted(
            Limits::REQUEST,
            customer.world.store.page(&users, index, 50, now, &[]),
        )
        .await;
        let page = read.0.unwrap();
        assert_eq!((page.total, page.portion.resources.len()), (400, 50), "from {index}");
        seen.extend(page.portion.resources.into_iter().map(|listed| listed.id.to_string()));
        // Their claims are not next to them, so occasionally one call reads too few.
        assert!(read.1.calls <= 3, "from {index}: {} calls", read.1.calls);
    }
    assert_eq!(seen.len(), 400, "every user once");
    let (mut cursor, mut walked) = (String::new(), BTreeSet::new());
    loop {
        let page =
            customer.send("GET", &format!("/Users?count=150&cursor={cursor}"), None).await.body;
        walked.extend(
            page["Resources"].as_array().unwrap().iter().map(|user| handles::id(user).to_owned()),
        );
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!(walked, seen);
    let user = customer.find("userName eq \"user7\"").await.remove(0);
    assert_eq!(customer.set(&user, "userName", json!("other")).await.body["id"], id(7));
    assert_eq!(customer.delete(&user).await.status, 204);
    assert_eq!((customer.get(&user).await.status.as_u16(), customer.total().await), (404, 399));
    assert_eq!(
        customer.create(json!({ "userName": "other" })).await["id"],
        id(7),
        "and comes back"
    );
}
