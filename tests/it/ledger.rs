//! What each operation costs in DynamoDB: calls, round trips, read units, write units. Asserted
//! against the tables of `docs/PERFORMANCE.md`, at sizes that differ by a hundred and more.

use scim_core::ResourceId;
use scim_lambda::operator::seed::Seed;
use scim_lambda::store::Store;
use scim_local::TABLE;
use serde_json::{Value, json};

use crate::support::bills::{Cell, Column, compare};
use crate::support::handles::{group_path, set, user_path};
use crate::support::{World, encode};

/// A metered world of this many users, with their ids. Seeding them is not metered.
async fn world_of(users: usize) -> (World, Seed, Vec<ResourceId>) {
    let world = World::metered().await;
    let seed = world.seed();
    let ids = seed.users(users, |_| {}).await.unwrap();
    // The tenant's row and its tokens are read once a minute; no operation pays for that.
    world.settle(&world.token).await;
    world.meter.take();
    (world, seed, ids)
}

fn user(name: &str) -> Value {
    let mut user = Seed::user(0);
    user["userName"] = json!(format!("{name}@example.com"));
    user["externalId"] = json!(name);
    user["emails"][0]["value"] = json!(format!("{name}@example.com"));
    user
}

fn by(endpoint: &str, filter: &str) -> String {
    format!("/{endpoint}?excludedAttributes=members&filter={}", encode(filter))
}

/// The operations of users, in a world that is never empty.
async fn users<'w>(world: &'w World, name: &str) -> Column<'w> {
    let mut column = Column::new(world, name);
    let get = async |path: &str| world.send("GET", path, None).await;
    let created = column.note("create", 201, world.send("POST", "/Users", user("a")).await);
    let path = user_path(&created.body);
    column.note("get", 200, get(&path).await);
    column.note("`userName eq`", 200, get(&by("Users", "userName eq \"a@example.com\"")).await);
    column.note(
        "`userName eq`, no match",
        200,
        get(&by("Users", "userName eq \"b@example.com\"")).await,
    );
    let joined = by("Users", "active eq true and userName eq \"a@example.com\" and title pr");
    column.note("`userName eq` joined by `and` with others", 200, get(&joined).await);
    column.note("`externalId eq`", 200, get(&by("Users", "externalId eq \"a\"")).await);
    column.note("`externalId eq`, no match", 200, get(&by("Users", "externalId eq \"b\"")).await);
    let work = by("Users", "emails[type eq \"work\"].value eq \"a@example.com\"");
    column.note("`emails[type eq \"work\"].value eq`, a userName", 200, get(&work).await);

    let patch = |operations: Value| json!({ "Operations": operations });
    let title = patch(json!([{ "op": "add", "path": "title", "value": "Dr" }]));
    column.note("PATCH", 200, world.send("PATCH", &path, title.clone()).await);
    column.note("PATCH that changes nothing", 200, world.send("PATCH", &path, title).await);
    let inactive = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
    column.note("PATCH that flips `active`", 200, world.send("PATCH", &path, inactive).await);
    let mut put = user("a");
    put["active"] = Value::Null;
    column.note("PUT", 200, world.send("PUT", &path, put.clone()).await);
    column.note("PUT that changes nothing", 200, world.send("PUT", &path, put.clone()).await);
    put["userName"] = json!("renamed@example.com");
    put["emails"] = json!([{ "value": "renamed@example.com" }, { "value": "other@example.com" }]);
    column.note("rename, with one more e-mail address", 200, world.send("PUT", &path, put).await);
    let renamed = by("Users", "userName eq \"renamed@example.com\"");
    column.note("`userName eq` after a rename", 200, get(&renamed).await);
    let other = by("Users", "emails.value eq \"other@example.com\"");
    column.note("`emails.value eq`, no userName", 200, get(&other).await);
    let taken = json!({ "userName": "renamed@example.com" });
    column.note("create of a taken name", 409, world.send("POST", "/Users", taken).await);
    let gone = world.send("DELETE", &path, None).await;
    column.note("delete, in no group, with a further address", 204, gone);
    column.note("get of a deleted user", 404, get(&path).await);
    let back = json!({ "userName": "renamed@example.com", "externalId": "a", "emails": [] });
    column.note("restore by re-POST", 201, world.send("POST", "/Users", back).await);
    assert_eq!(world.send("DELETE", &path, None).await.status, 204);
    world.meter.take();
    let namesake = json!({ "userName": "renamed@example.com", "externalId": "b" });
    column.note(
        "create under the name of another, deleted person",
        201,
        world.send("POST", "/Users", namesake).await,
    );

    let total = get("/Users?count=0").await;
    let users = usize::try_from(total.body["totalResults"].as_u64().unwrap()).unwrap();
    column.bound("the number of users (`count=0`)", 200, total, Cell::AtMost(1, 1, 12.0, 0.0));
    let first = get("/Users?count=100").await;
    column.bound(
        "first page of 100, with `totalResults`",
        200,
        first,
        Cell::AtMost(2, 1, 32.0, 0.0),
    );
    for page in 0..40 {
        let index = 2 + (users - 2) * page / 40;
        let answer = get(&format!("/Users?startIndex={index}&count=100")).await;
        assert_eq!(answer.body["itemsPerPage"], (users - index + 1).min(100), "at {index}");
        column.bound("page of 100 at any `startIndex`", 200, answer, Cell::AtMost(2, 2, 50.0, 0.0));
    }
    let walk = get("/Users?count=100&cursor=").await;
    let cursor = walk.body["nextCursor"].as_str().unwrap().to_owned();
    world.meter.take();
    let next = get(&format!("/Users?count=100&cursor={cursor}")).await;
    column.bound("next page by cursor", 200, next, Cell::AtMost(1, 1, 30.0, 0.0));
    let scan = get(&format!("/Users?count=200&cursor=&filter={}", encode("nickName pr"))).await;
    column.bound(
        "filter without index, 5,000 users looked at",
        200,
        scan,
        Cell::AtMost(32, 8, 1_500.0, 0.0),
    );
    column
}

/// The operations of groups, on a group of these members.
async fn groups<'w>(world: &'w World, seed: &Seed, ids: &[ResourceId], name: &str) -> Column<'w> {
    let mut column = Column::new(world, name);
    let size = ids.len();
    let group = seed.group(&format!("Large {size}"), ids, |_| {}).await.unwrap();
    let path = format!("/Groups/{group}");
    let short = format!("{path}?excludedAttributes=members");
    let get = async |path: &str| world.send("GET", path, None).await;
    let newcomer =
        world.create(user(&format!("newcomer{size}"))).await["id"].as_str().unwrap().to_owned();
    world.meter.take();

    column.note("get without members", 200, get(&short).await);
    let pages = match size {
        0..=1_000 => Cell::AtMost(3, 2, 4.0, 0.0),
        1_001..=15_000 => Cell::AtMost(9, 3, 321.0, 0.0),
        // Known from the heads.
        _ => Cell::AtMost(1, 1, 1.0, 0.0),
    };
    let whole = get(&path).await;
    let status = if size > 15_000 { 400 } else { 200 };
    let whole = column.bound("get with members (400 over 15,000)", status, whole, pages);
    if status == 200 {
        assert_eq!(whole.body["members"].as_array().unwrap().len(), size);
    }
    column.note(
        "`displayName eq`",
        200,
        get(&by("Groups", &format!("displayName eq \"large {size}\""))).await,
    );
    let membership = format!("id eq \"{group}\" and members eq \"{}\"", ids[0]);
    column.note("`id eq` and `members eq`", 200, get(&by("Groups", &membership)).await);
    column.note(
        "`members eq`, in one group",
        200,
        get(&by("Groups", &format!("members eq \"{}\"", ids[0]))).await,
    );
    column.note(
        "`groups` of a user, in one",
        200,
        get(&format!("/Users/{}?attributes=groups", ids[0])).await,
    );
    let member = |op: &str, id: &str| json!({ "Operations": [{ "op": op, "path": "members", "value": [{ "value": id }] }] });
    let send = async |path: &str, body: Value| world.send("PATCH", path, body).await;
    column.note("add a member", 200, send(&short, member("add", &newcomer)).await);
    column.note("add an existing member", 200, send(&short, member("add", &newcomer)).await);
    column.note("remove a member", 200, send(&short, member("remove", &newcomer)).await);
    column.note("remove a non-member", 200, send(&short, member("remove", &newcomer)).await);
    let answered = send(&path, member("add", &newcomer)).await;
    column.note(
        "add a member, answered with up to 100 members",
        if size > 100 { 204 } else { 200 },
        answered,
    );
    let rename = set(
        "displayName",
        format!(
            "Big \
        {size}"
        ),
    );
    column.note("rename", 200, send(&short, rename).await);
    let leaver = world.send("DELETE", &format!("/Users/{newcomer}"), None).await;
    column.note("delete of a user in one group", 204, leaver);
    let again =
        world.send("POST", "/Groups", json!({ "displayName": format!("Small {size}") })).await;
    let small = group_path(&again.body);
    column.note("create without members", 201, again);
    column.note("delete of a group without members", 204, world.send("DELETE", &small, None).await);
    let mut gone = vec![world.send("DELETE", &path, None).await];
    if size < 49 {
        column.note("delete of the group", 204, gone.remove(0));
    } else {
        // A request removes members' rows for ten seconds, and the tenant's next writes continue.
        let unmetered = Store::new(aws_sdk_dynamodb::Client::new(&world.local.sdk_config()), TABLE);
        while !unmetered.unfinished(&world.tenant.key()).await.unwrap().is_empty() {
            gone.push(world.send("DELETE", "/Users/nobody", None).await);
        }
        // A portion is up to 49 members; each of sixteen parts may end with a smaller one, and
        // begins again with each request. It takes a read, and writes two rows a member and a log
        // row of up to 2 KB.
        let portions = u32::try_from(size.div_ceil(49)).unwrap() * 22 / 20 + 60;
        let write = 4.0 * size as f64 + f64::from(4 * portions) + 60.0;
        let calls = 2 * portions + 4;
        let bound = Cell::AtMost(calls, calls, f64::from(3 * portions), write);
        let status = gone.last().unwrap().status.as_u16();
        column.bound_all("delete of the group", status, &gone.iter().collect::<Vec<_>>(), bound);
    }
    column
}

/// The engine charges nothing for a transaction that is refused; AWS does.
const REFUSED: [&str; 5] = [
    "create of a taken name",
    "restore by re-POST",
    "create under the name of another, deleted person",
    "add an existing member",
    "remove a non-member",
];

fn only_refused(columns: &[Column<'_>]) {
    for operation in columns.iter().flat_map(|column| &column.differences) {
        assert!(
            REFUSED.contains(&operation.as_str()),
            "{operation}: the engine counts other units"
        );
    }
}

#[tokio::test]
async fn the_ledger_of_a_thousand_users_and_of_a_small_group() {
    let (world, seed, ids) = world_of(1_000).await;
    let columns = [users(&world, "1,000 users").await];
    only_refused(&columns);
    compare("users", &columns);
    let columns = [groups(&world, &seed, &ids[..10], "10 members").await];
    only_refused(&columns);
    compare("groups", &columns);
}

/// Seeds for two minutes in a debug build: `cargo test --test it -- --ignored ledger`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: .ci/run runs it"]
async fn the_ledger_is_the_same_at_a_hundred_thousand_users() {
    let (small, _, _) = world_of(1_000).await;
    let (large, seed, ids) = world_of(100_000).await;
    let columns = [users(&small, "1,000 users").await, users(&large, "100,000 users").await];
    only_refused(&columns);
    compare("users", &columns);
    let mut columns = Vec::new();
    for (members, name) in
        [(10, "10 members"), (10_000, "10,000 members"), (100_000, "100,000 members")]
    {
        columns.push(groups(&large, &seed, &ids[..members], name).await);
    }
    only_refused(&columns);
    compare("groups", &columns);
}
