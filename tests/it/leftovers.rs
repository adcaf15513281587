//! Nothing is left behind: what an interrupted deletion or creation leaves is never shown to a
//! client, and removed by a later write.

use std::sync::Arc;

use scim_core::{Member, ResourceId};
use scim_lambda::store::{
    Guards, Kind, MemberChange, Note, Operation, Outcome, Progress, Target, Transition,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::connectors::Fault;
use crate::support::customer::Customer;
use crate::support::handles::{group_path, set};
use crate::support::{World, encode};

const TRANSACT: &str = "TransactWriteItems";

/// Lets one transaction pass, and makes all after it fail.
fn break_after_one(world: &World) {
    let between = world.between.clone();
    let last = between.count(TRANSACT) + 1;
    world.between.set(move |called, _| {
        let broken = called == TRANSACT && between.count(TRANSACT) > last;
        broken.then_some(Fault::Refuse(500, "InternalServerError"))
    });
}

async fn members(world: &World, path: &str) -> Vec<Value> {
    let group = world.send("GET", path, None).await;
    assert_eq!(group.status, 200, "{}", group.body);
    group.body["members"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_deleted_user_is_not_shown_as_a_member_while_memberships_remain() {
    let world = World::new().await;
    let people = world.people("u", 3).await;
    let group = world.make_group("Staff", &people).await;
    let leaver = format!("/Users/{}", people[0]);
    break_after_one(&world);
    assert_eq!(world.send("DELETE", &leaver, None).await.status, 204);
    world.between.clear();
    assert_eq!(world.rows_of("#M#").await, 3, "nothing was removed");
    world.send("GET", &leaver, None).await.is_error(404, None);
    assert_eq!(members(&world, &group).await.len(), 2);
    let by_member = encode(&format!("members.value eq \"{}\"", people[0]));
    for filter in [by_member.clone(), format!("{by_member}%20and%20displayName%20pr")] {
        assert_eq!(
            world.send("GET", &format!("/Groups?filter={filter}"), None).await.body["totalResults"],
            0
        );
    }
    let one = encode(&format!("id eq \"{}\" and members eq \"{}\"", &group[8..], people[0]));
    assert_eq!(
        world.send("GET", &format!("/Groups?filter={one}"), None).await.body["totalResults"],
        0
    );
    let listed = world.send("GET", "/Groups", None).await.body;
    assert_eq!(listed["Resources"][0]["members"].as_array().unwrap().len(), 2);
    // Weeks later, when the retention has ended and its row is gone, too.
    world.clock.advance(91 * 24 * 60 * 60);
    world.local.engine.sweep().unwrap();
    assert_eq!(members(&world, &group).await.len(), 2);
    let patch = set("title", "Dr");
    assert_eq!(world.send("PATCH", &format!("/Users/{}", people[1]), patch).await.status, 200);
    assert_eq!(
        (world.rows_of("#M#").await, world.rows_of("#R#").await),
        (2, 2),
        "the next write removes them"
    );
    assert_eq!(members(&world, &group).await.len(), 2);
}

#[tokio::test]
async fn reads_of_users_cost_nothing_extra_while_work_is_unfinished() {
    let world = World::new().await;
    let people = world.people("u", 2).await;
    world.group("Staff", &people).await;
    break_after_one(&world);
    world.delete_user(&people[0]).await;
    world.between.clear();
    let other = format!("/Users/{}", people[1]);
    assert_eq!(world.send("GET", &other, None).await.tally.calls, 1);
    assert_eq!(
        world
            .send("GET", "/Users?filter=userName%20eq%20%22u1@example.com%22", None)
            .await
            .tally
            .calls,
        1
    );
}

#[tokio::test]
async fn a_user_who_returns_early_is_not_in_the_old_groups() {
    let world = World::new().await;
    let people = world.people("u", 1).await;
    let group = world.make_group("Staff", &people).await;
    break_after_one(&world);
    world.delete_user(&people[0]).await;
    world.between.clear();
    let back = world.create(json!({ "userName": "u0@example.com" })).await;
    assert_eq!(back["id"], people[0]);
    assert_eq!(members(&world, &group).await.len(), 0);
    let add = json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": people[0] }] }] });
    assert_eq!(world.send("PATCH", &group, add).await.status, 200);
    assert_eq!(members(&world, &group).await.len(), 1, "and can join again");
}

#[tokio::test]
async fn another_process_finishes_interrupted_work() {
    let customer = Customer::new("default").await;
    let world = &customer.world;
    let users: Vec<Value> = vec![
        customer.create(json!({ "userName": "a" })).await,
        customer.create(json!({ "userName": "b" })).await,
    ];
    let values: Vec<Value> = users.iter().map(|user| json!({ "value": user["id"] })).collect();
    assert_eq!(
        customer
            .send("POST", "/Groups", json!({ "displayName": "G", "members": values }))
            .await
            .status,
        201
    );
    // Deleted by another process, which stopped before it removed the memberships.
    let id: ResourceId = users[0]["id"].as_str().unwrap().parse().unwrap();
    let (at, now) = (customer.users(), world.clock.seconds());
    let old = world.store.resource(&at, &id, now).await.unwrap().unwrap();
    let audit = world.audit(Operation::Delete);
    let kept = old.resource.attributes.clone();
    let to = Target::Deleted { attributes: kept, expires: now + 1_000 };
    let deletion = Transition::new(&at, Some(&old), to, &audit, Guards::default());
    assert!(matches!(world.store.commit(deletion).await, Ok(Outcome::Committed)));
    let patch =
        async || customer.set(&users[1], "title", json!(world.clock.seconds().to_string())).await;
    assert_eq!(patch().await.status, 200);
    assert_eq!(world.rows_of("#M#").await, 2, "this process has read the tenant's row before");
    world.clock.advance(61);
    assert_eq!(patch().await.status, 200);
    assert_eq!(world.rows_of("#M#").await, 1);
}

#[tokio::test]
async fn members_of_a_group_that_was_not_created_are_removed_later() {
    let world = World::new().await;
    let people = world.people("u", 60).await;
    let values: Vec<Value> = people.iter().map(|id| json!({ "value": id })).collect();
    let body = json!({ "displayName": "Staff", "members": values });
    break_after_one(&world);
    world.send("POST", "/Groups", body.clone()).await.is_error(503, None);
    world.between.clear();
    assert!(world.rows_of("#M#").await > 0);
    let user = format!("/Users/{}?attributes=groups", people[59]);
    assert_eq!(world.send("GET", &user, None).await.body.get("groups"), None);
    // Another request may still be creating it, so it is abandoned only later.
    world.send("DELETE", "/Users/nobody", None).await;
    let left = world.rows_of("#M#").await;
    assert!(left > 0);
    assert_eq!(world.send("POST", "/Groups", body).await.status, 201);
    world.clock.advance(61);
    world.send("DELETE", "/Users/nobody", None).await;
    assert_eq!(
        (world.rows_of("#M#").await, world.rows_of("#R#").await),
        (60, 60),
        "those of the group that is there"
    );
    assert_eq!(
        world.rows().await.iter().filter(|row| row.s().starts_with("unfinished")).count(),
        0
    );
}

#[tokio::test]
async fn an_abandoned_creation_does_not_succeed_later() {
    let world = World::new().await;
    let at = world.collection(Kind::Group);
    let people = world.people("u", 2).await;
    let (group, audit) = (at.new_id(None).unwrap(), world.audit(Operation::Create));
    let join = |id: &String| {
        MemberChange::Add(Member { value: id.parse().unwrap(), kind: None, display: None })
    };
    let prepared = [join(&people[0])];
    assert!(matches!(
        world.store.prepare_members(&at, &group, &prepared, true, &audit).await,
        Ok(Outcome::Committed)
    ));
    assert!(world.store.abandon(&at.tenant, &group).await.unwrap());
    assert!(!world.store.abandon(&at.tenant, &group).await.unwrap(), "once");
    let disbanded =
        world.store.disband(&at, &group, Note::Finished, &audit, Instant::now()).await.unwrap();
    assert_eq!((disbanded, world.rows_of("#M#").await), (Progress::Done, 0));
    assert_eq!(world.store.unfinished(&at.tenant).await.unwrap(), []);
}

#[tokio::test]
async fn all_memberships_end_although_others_of_the_same_id_sort_first() {
    let world = World::new().await;
    let people = world.people("u", 1).await;
    let at = world.collection(Kind::Group);
    let audit = world.audit(Operation::Patch);
    let named = Member { value: people[0].parse().unwrap(), kind: None, display: None };
    // Rows of another kind, which sort before those of the user's own groups.
    for n in 0..40 {
        let group = format!("00000000-0000-8000-8000-{n:012}").parse().unwrap();
        world
            .store
            .prepare_members(&at, &group, &[MemberChange::AddUnknown(named.clone())], false, &audit)
            .await
            .unwrap();
    }
    let group = world.make_group("Staff", &people).await;
    world.delete_user(&people[0]).await;
    assert_eq!(world.rows_of(&format!("#M#{}", &group[8..])).await, 0);
    assert_eq!(world.rows_of("#R#").await, 40, "rows that are not the user's stay");
}

#[tokio::test]
async fn an_import_refuses_an_id_that_a_group_names() {
    let customer = Customer::new("strict").await;
    let id = "b3f1a7c2-5a1e-4c61-9a0e-6f2f5e1c9d10";
    let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Staff",
        "members": [{ "value": id }] });
    assert_eq!(customer.send("POST", "/Groups", group).await.status, 201);
    let report =
        customer.import(&[json!({ "userName": "a", "id": id }), json!({ "userName": "b" })]).await;
    let counts = report.counts();
    assert_eq!((counts.imported, counts.conflicts), (1, 1), "{report:?}");
}

#[tokio::test]
async fn an_import_can_be_repeated_after_its_users_joined_groups() {
    let customer = Customer::with("default", &[("create.existing", "link")]).await;
    let people = [json!({ "userName": "a", "id": "b3f1a7c2-5a1e-4c61-9a0e-6f2f5e1c9d10" })];
    assert_eq!(customer.import(&people).await.counts().imported, 1);
    let user = customer.create(json!({ "userName": "a", "externalId": "1" })).await;
    assert_eq!(user["id"], people[0]["id"], "adopted");
    let group = json!({ "displayName": "Staff", "members": [{ "value": user["id"] }] });
    assert_eq!(customer.send("POST", "/Groups", group).await.status, 201);
    let counts = customer.import(&people).await.counts();
    assert_eq!((counts.provisioned, counts.conflicts), (1, 0), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_due_user_is_erased_only_after_the_last_membership() {
    let customer =
        Customer::with("default", &[("deprovision.on_inactive", "suspend_with_expiry")]).await;
    let user = customer.create(json!({ "userName": "a" })).await;
    let mut group = Value::Null;
    for n in 0..70 {
        let body =
            json!({ "displayName": format!("Group {n}"), "members": [{ "value": user["id"] }] });
        group = customer.send("POST", "/Groups", body).await.body;
    }
    assert_eq!(customer.activate(&user, false).await.status, 200);
    let (world, token) = (customer.world.clone(), customer.token.clone());
    world.clock.advance(90 * crate::support::DAY);
    // Cleaning up stops after two seconds, with some memberships ended.
    world.between.set(|called, _| (called == "Query").then_some(Fault::Slow(900)));
    let path = group_path(&group);
    let shown = world.send_as(&token, "GET", &path, None).await;
    assert_eq!((shown.status.as_u16(), &shown.body["members"]), (200, &json!([])));
    world.between.clear();
    let left = world.rows_of("#M#").await;
    assert!(
        (1..70).contains(&left) && world.rows_of("#D").await == 1,
        "{left} are left, and so is the user"
    );
    assert_eq!(world.send_as(&token, "GET", &path, None).await.body["members"], json!([]));
    assert_eq!((world.rows_of("#M#").await, world.rows_of("#D").await), (0, 0));
}

#[tokio::test]
async fn a_group_that_shows_one_member_less_is_not_304() {
    let world = World::new().await;
    let people = world.people("u", 2).await;
    let group = world.make_group("Staff", &people).await;
    let tag = world.send("GET", &group, None).await.header("etag").to_owned();
    let again = async |group: &str| {
        let request =
            http::Request::builder().uri(format!("/scim/v2{group}")).header("if-none-match", &tag);
        let request = request.header("authorization", format!("Bearer {}", world.token.reveal()));
        world.raw(request.body(bytes::Bytes::new()).unwrap()).await
    };
    assert_eq!(again(&group).await.status, 304);
    break_after_one(&world);
    world.delete_user(&people[0]).await;
    world.between.clear();
    let answer = again(&group).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body["members"].as_array().map(Vec::len)),
        (200, Some(1))
    );
    assert_eq!(
        again(&format!("{group}?excludedAttributes=members")).await.status,
        304,
        "the rest is the same"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_races_a_delete_is_answered_at_once() {
    let customer = Arc::new(
        Customer::with("default", &[("deprovision.on_inactive", "suspend_with_expiry")]).await,
    );
    let user = customer.create(json!({ "userName": "a", "externalId": "1" })).await;
    // The POST meets the user while it is visible, and reads it when it is deleted.
    let world = customer.world.clone();
    let sent = world.between.count(TRANSACT);
    world.between.once("GetItem", Fault::Slow(300));
    let post = tokio::spawn({
        let customer = customer.clone();
        async move { customer.post(json!({ "userName": "a", "externalId": "1" })).await }
    });
    while world.between.count("GetItem") == 0 || world.between.count(TRANSACT) == sent {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    world.between.clear();
    assert_eq!(customer.delete(&user).await.status, 204);
    let answer = post.await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body["id"]), (201, &user["id"]), "{}", answer.body);
    assert!(answer.tally.calls < 12, "{:?}", answer.tally);
}
