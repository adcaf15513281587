//! Cursor paging (RFC 9865).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::handles::user_path;
use crate::support::{self, World, all};

/// Walks a query to its end: the userNames; `between` runs after each page.
async fn walk(world: &World, query: &str, mut between: impl AsyncFnMut(usize)) -> Vec<String> {
    let mut asked = 0;
    let pages = support::walk(async |cursor| {
        if asked > 0 {
            between(asked - 1).await;
        }
        asked += 1;
        let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        assert!(cursor.chars().all(unreserved), "{cursor}");
        let answer = world.send("GET", &format!("/Users?{query}&cursor={cursor}"), None).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.get("startIndex")),
            (200, None),
            "{}",
            answer.body
        );
        answer.body
    });
    all(&pages.await, "userName")
}

async fn world(users: usize) -> World {
    let world = World::new().await;
    for n in 0..users {
        world.create(json!({ "userName": format!("user{n:02}"), "title": if n % 3 == 0 { Value::Null } else { json!(format!("T{}", n % 5)) } })).await;
    }
    world
}

#[tokio::test]
async fn a_walk_returns_every_user_once_in_any_order() {
    let world = world(23).await;
    for query in [
        "count=5",
        "count=23",
        "count=1",
        "count=5&filter=userName+sw+%22user%22",
        "count=4&sortBy=title",
        "count=4&sortBy=userName&sortOrder=descending",
    ] {
        let users = walk(&world, query, async |_| {}).await;
        let met: BTreeSet<_> = users.iter().collect();
        assert_eq!((users.len(), met.len()), (23, 23), "{query}");
        let whole = world
            .send("GET", &format!("/Users?{}", query.replace("count=", "x=")), None)
            .await
            .body;
        assert_eq!(users, all(&[whole], "userName"), "{query}: as one page");
    }
}

#[tokio::test]
async fn a_user_who_stays_is_returned_once_despite_changes_during_the_walk() {
    for query in ["count=4", "count=4&sortBy=userName", "count=4&filter=active+eq+true"] {
        let world = world(20).await;
        let met = walk(&world, query, async |page| {
            // One user comes, and one goes.
            world.create(json!({ "userName": format!("new{page}") })).await;
            let gone = &world.find(&format!("userName eq \"user{:02}\"", page * 3)).await[0];
            world.send("DELETE", &user_path(gone), None).await;
        })
        .await;
        for n in (0..20).filter(|n| n % 3 != 0) {
            let name = format!("user{n:02}");
            assert_eq!(met.iter().filter(|met| **met == name).count(), 1, "{query}: {name}");
        }
        assert_eq!(
            met.len(),
            met.iter().collect::<BTreeSet<_>>().len(),
            "{query}: no user is met twice"
        );
    }
}

#[tokio::test]
async fn a_cursor_is_for_one_tenant_one_query_one_count_and_one_hour() {
    let world = world(5).await;
    let first = world.send("GET", "/Users?cursor&count=2", None).await.body;
    assert_eq!(first["totalResults"], 5);
    let cursor = first["nextCursor"].as_str().unwrap();
    let get = async |query: &str| world.send("GET", &format!("/Users?{query}"), None).await;
    assert_eq!(get(&format!("cursor={cursor}&count=2")).await.status, 200);
    get(&format!("cursor={cursor}&count=3")).await.is_error(400, Some("invalidCount"));
    get(&format!("cursor={cursor}&count=2&filter=title+pr"))
        .await
        .is_error(400, Some("invalidCursor"));
    get(&format!("cursor={cursor}&count=2&sortBy=title"))
        .await
        .is_error(400, Some("invalidCursor"));
    for forged in ["x", ".", "a.b", &cursor[1..], &format!("{cursor}0"), &cursor.replace('.', "..")]
    {
        get(&format!("cursor={forged}&count=2")).await.is_error(400, Some("invalidCursor"));
    }
    let (_, other) = world.tenant("globex", "default").await;
    let stolen =
        world.send_as(&other, "GET", &format!("/Users?cursor={cursor}&count=2"), None).await;
    stolen.is_error(400, Some("invalidCursor"));
    world.clock.advance(3_599);
    assert_eq!(get(&format!("cursor={cursor}&count=2")).await.status, 200);
    world.clock.advance(1);
    get(&format!("cursor={cursor}&count=2")).await.is_error(400, Some("expiredCursor"));
}

#[tokio::test]
async fn a_next_page_costs_one_call_and_cursors_are_sent_only_on_request() {
    let world = world(5).await;
    let first = world.send("GET", "/Users?cursor=&count=2", None).await;
    let next = first.body["nextCursor"].as_str().unwrap();
    let second = world.send("GET", &format!("/Users?cursor={next}&count=2"), None).await;
    assert_eq!((second.tally.calls, &second.body["totalResults"]), (1, &json!(5)));
    for query in ["", "?count=2", "?startIndex=1&count=2", "?cursor&count=5", "?cursor&count=0"] {
        let answer = world.send("GET", &format!("/Users{query}"), None).await;
        assert_eq!((answer.status.as_u16(), answer.body.get("nextCursor")), (200, None), "{query}");
    }
}
