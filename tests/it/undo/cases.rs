//! One case after the other: what comes back, what stays, and what is listed.

use std::collections::BTreeSet;

use scim_lambda::operator::undo::{
    GroupFate, Obstacle, UndoPlan, UndoReport, UndoRequest, UserFate,
};
use serde_json::{Value, json};

use crate::support::DAY;
use crate::support::connectors::Fault;
use crate::support::customer::Customer;
use crate::support::handles::{group_path, id, member_ids, members, user_path, values};
use crate::support::stream::StreamReader;

const TRANSACT: &str = "TransactWriteItems";

impl Customer {
    /// A moment that nothing else happens in, in milliseconds since 1970.
    pub fn moment(&self) -> i64 {
        self.world.clock.advance(1);
        let now = self.world.clock.milliseconds();
        self.world.clock.advance(1);
        now
    }

    pub async fn undo_plan(&self, since: i64, until: Option<i64>, by: Option<&str>) -> UndoPlan {
        let request = UndoRequest { since, until, by: by.map(str::to_owned) };
        self.world.operator().plan_undo(&self.row, &request).await.unwrap()
    }

    pub async fn done(&self, plan: &UndoPlan) -> UndoReport {
        self.world.operator().undo(&self.row, plan, || {}).await.unwrap()
    }

    /// Undoes everything since a moment.
    pub async fn undone(&self, since: i64) -> UndoReport {
        let plan = self.undo_plan(since, None, None).await;
        let report = self.done(&plan).await;
        let again = self.undo_plan(since, plan.request.until, None).await;
        assert_eq!((again.users_to_change(), again.groups_to_change()), (0, 0), "{again:#?}");
        report
    }

    pub async fn staff(&self, name: &str, users: &[&Value]) -> Value {
        let ids: Vec<String> = users.iter().map(|user| id(user).to_owned()).collect();
        let body = json!({ "displayName": name, "externalId": name, "members": values(&ids) });
        self.send("POST", "/Groups", body).await.body
    }

    pub async fn ids_in(&self, group: &Value) -> Vec<String> {
        member_ids(&self.send("GET", &group_path(group), None).await.body)
    }

    pub async fn change_members(&self, group: &Value, op: &str, user: &Value) {
        let change = members(op, values(&[id(user).to_owned()]));
        let answer = self.send("PATCH", &group_path(group), change).await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }
}

fn ids(users: &[&Value]) -> Vec<String> {
    let mut ids: Vec<String> = users.iter().map(|user| id(user).to_owned()).collect();
    ids.sort();
    ids
}

/// Ada and Bob in the group Staff, Eve suspended, Tom deleted.
pub async fn scene(settings: &[(&str, &str)]) -> (Customer, [Value; 4], Value) {
    let customer = Customer::with("default", settings).await;
    let mut users = Vec::new();
    for (name, active) in [("ada", true), ("bob", true), ("eve", false), ("tom", true)] {
        users.push(customer.create(json!({ "userName": name, "active": active })).await);
    }
    let users: [Value; 4] = users.try_into().unwrap();
    let [ada, bob, eve, tom] = &users;
    let staff = customer.staff("Staff", &[ada, bob, eve, tom]).await;
    customer.delete(tom).await;
    (customer, users, staff)
}

#[tokio::test]
async fn everybody_who_was_deleted_comes_back_as_before_and_nobody_else() {
    let (customer, [ada, bob, eve, tom], staff) = scene(&[]).await;
    let since = customer.moment();
    for user in [&ada, &bob, &eve] {
        customer.delete(user).await;
    }
    customer.world.clock.advance(DAY);
    let report = customer.undone(since).await;
    assert_eq!((report.restored, report.failures.len(), report.added), (3, 0, 0));
    for (user, active) in [(&ada, true), (&bob, true), (&eve, false)] {
        assert_eq!(customer.get(user).await.body["active"], active);
    }
    assert_eq!(customer.get(&tom).await.status, 404, "a leaver stays out");
    assert_eq!(customer.ids_in(&staff).await, ids(&[&ada, &bob, &eve]));
    let rows = customer.log_rows().await;
    let last = rows.last().unwrap();
    assert_eq!((last.operation.as_str(), last.actor.as_str()), ("undo", "operator"));
}

#[tokio::test]
async fn everybody_who_was_deactivated_becomes_active() {
    let (customer, [ada, bob, eve, _], _) =
        scene(&[("deprovision.on_inactive", "suspend_with_expiry"), ("brake.deactivations", "5")])
            .await;
    let since = customer.moment();
    for user in [&ada, &bob, &eve] {
        assert_eq!(customer.activate(user, false).await.status, 200);
    }
    customer.delete(&bob).await;
    let report = customer.undone(since).await;
    assert_eq!((report.restored, report.activated), (1, 1));
    for (user, active) in [(&ada, true), (&bob, true), (&eve, false)] {
        assert_eq!(customer.get(user).await.body["active"], active);
    }
}

#[tokio::test]
async fn groups_that_were_emptied_or_deleted_have_their_members_again() {
    let (customer, [ada, bob, eve, tom], staff) = scene(&[]).await;
    let outer = customer.staff("Outer", &[&staff]).await;
    let since = customer.moment();
    let empty = json!({ "displayName": "Staff" });
    assert_eq!(
        customer.send("PUT", &group_path(&outer), json!({ "displayName": "Outer" })).await.status,
        200
    );
    assert_eq!(customer.send("PUT", &group_path(&staff), empty).await.status, 200);
    let crew = customer.staff("Crew", &[&ada]).await;
    customer.change_members(&crew, "add", &bob).await;
    let plan = customer.undo_plan(since, None, None).await;
    assert_eq!(plan.groups_to_change(), 2);
    let names: BTreeSet<_> = plan.groups.iter().flat_map(|group| &group.add).collect();
    assert!(names.iter().any(|named| named.name.as_deref() == Some("ada")), "{names:?}");
    let report = customer.undone(since).await;
    assert_eq!((report.added, report.removed), (4, 0));
    assert_eq!(customer.ids_in(&staff).await, ids(&[&ada, &bob, &eve]));
    assert_eq!(customer.ids_in(&outer).await, ids(&[&staff]));
    assert_eq!(customer.ids_in(&crew).await, ids(&[&ada, &bob]), "a new group stays");

    let before = customer.send("GET", &group_path(&staff), None).await.body;
    let since = customer.moment();
    for group in [&staff, &outer] {
        assert_eq!(customer.send("DELETE", &group_path(group), None).await.status, 204);
    }
    customer.delete(&ada).await;
    let plan = customer.undo_plan(since, None, None).await;
    let fates: Vec<_> = plan.groups.iter().map(|group| &group.fate).collect();
    assert!(fates.iter().filter(|fate| matches!(fate, GroupFate::Create(..))).count() == 2);
    let report = customer.undone(since).await;
    assert_eq!((report.created, report.restored), (2, 1));
    let after = customer.send("GET", &group_path(&staff), None).await.body;
    for name in ["id", "displayName", "externalId", "members"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    let version = |group: &Value| -> u64 {
        let tag = group["meta"]["version"].as_str().unwrap();
        tag.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
    };
    assert!(version(&after) > version(&before), "an old entity-tag does not match");
    assert_eq!(customer.ids_in(&outer).await, ids(&[&staff]));
    assert_eq!(customer.get(&tom).await.status, 404);
}

#[tokio::test]
async fn what_somebody_else_did_since_stays_and_is_listed() {
    let (customer, [ada, bob, eve, _], staff) = scene(&[]).await;
    let since = customer.moment();
    customer.delete(&ada).await;
    customer.activate(&bob, false).await;
    customer.change_members(&staff, "remove", &eve).await;
    let until = customer.moment();
    let plan = customer.undo_plan(since, Some(until), Some("operator")).await;
    assert!(plan.is_empty());
    // Ada's namesake, and a change of mind about Eve.
    customer.create(json!({ "userName": "ada", "externalId": "2" })).await;
    customer.change_members(&staff, "add", &eve).await;
    customer.change_members(&staff, "remove", &eve).await;
    customer.activate(&bob, true).await;
    customer.activate(&bob, false).await;
    let plan = customer.undo_plan(since, Some(until), None).await;
    assert_eq!((plan.users_to_change(), plan.groups_to_change()), (0, 0), "{plan:#?}");
    let fate = |user: &Value| {
        let of = plan.users.iter().find(|planned| planned.id.as_str() == id(user));
        of.map(|planned| planned.fate.clone()).unwrap()
    };
    assert_eq!(fate(&ada), UserFate::NameTaken);
    let UserFate::ChangedSince(later) = fate(&bob) else { panic!("{plan:#?}") };
    assert_eq!(later.actor, customer.token.key_id().as_str());
    assert!(matches!(plan.groups[0].kept[0].1, Obstacle::ChangedSince(_)));
}

#[tokio::test]
async fn what_is_gone_for_good_is_listed_and_seats_are_respected() {
    let (customer, [ada, bob, _, _], staff) =
        scene(&[("seats.limit", "3"), ("deprovision.on_delete", "soft_delete")]).await;
    let since = customer.moment();
    customer.delete(&ada).await;
    customer.delete(&bob).await;
    for name in ["x", "y"] {
        customer.create(json!({ "userName": name })).await;
    }
    let plan = customer.undo_plan(since, None, None).await;
    assert_eq!((plan.users_to_change(), plan.free_seats, plan.missing_seats()), (2, Some(1), 1));
    let report = customer.done(&plan).await;
    assert_eq!((report.restored, report.failures.len()), (1, 1));
    assert!(report.failures[0].reason.contains("seat"), "{report:?}");
    assert_eq!(customer.ids_in(&staff).await.len(), 2, "Eve and one of the two");

    let hard = Customer::with("default", &[("deprovision.on_delete", "hard_delete")]).await;
    let ada = hard.create(json!({ "userName": "ada" })).await;
    let since = hard.moment();
    hard.delete(&ada).await;
    let plan = hard.undo_plan(since, None, None).await;
    assert_eq!(plan.users[0].fate, UserFate::Lost);
    assert_eq!(hard.done(&plan).await, UndoReport::default());
}

#[tokio::test]
async fn what_changes_between_plan_and_undo_is_judged_again() {
    let (customer, [ada, bob, eve, _], staff) = scene(&[]).await;
    let since = customer.moment();
    for user in [&ada, &bob, &eve] {
        customer.delete(user).await;
    }
    let plan = customer.undo_plan(since, None, None).await;
    customer.world.clock.advance(1);
    // Ada came back and was deleted again, Bob came back.
    customer.create(json!({ "userName": "ada" })).await;
    customer.delete(&ada).await;
    customer.create(json!({ "userName": "bob" })).await;
    let report = customer.done(&plan).await;
    assert_eq!((report.restored, report.failures.len()), (1, 1), "{report:?}");
    assert_eq!(report.failures[0].subject.name.as_deref(), Some("ada"));
    assert_eq!(customer.get(&ada).await.status, 404);
    assert_eq!(customer.ids_in(&staff).await, ids(&[&bob, &eve]), "Bob is in his group again");
}

#[tokio::test]
async fn a_deletion_that_was_interrupted_is_undone_too() {
    let (customer, [ada, bob, eve, _], staff) = scene(&[]).await;
    let since = customer.moment();
    customer.world.between.set(|called, request| {
        let actions = request["TransactItems"].as_array().cloned().unwrap_or_default();
        let ends = |action: &Value| {
            let partition = action["Delete"]["Key"]["p"]["S"].as_str();
            partition.is_some_and(|partition| partition.contains("#M#"))
        };
        let breaks = called == TRANSACT && actions.iter().any(ends);
        breaks.then_some(Fault::Refuse(500, "InternalServerError"))
    });
    for path in [user_path(&ada), group_path(&staff)] {
        assert_eq!(customer.send("DELETE", &path, None).await.status, 204);
    }
    customer.world.between.clear();
    let plan = customer.undo_plan(since, None, None).await;
    let report = customer.done(&plan).await;
    assert_eq!((report.restored, report.created), (1, 0), "{report:?}");
    assert!(report.failures[0].reason.contains("in a minute"), "{report:?}");
    customer.world.clock.advance(61);
    customer.undone(since).await;
    assert_eq!(customer.ids_in(&staff).await, ids(&[&ada, &bob, &eve]));
}

#[tokio::test]
async fn leavers_from_before_stay_out_whenever_their_memberships_end() {
    let (customer, [ada, bob, _, _], staff) = scene(&[]).await;
    customer.world.between.set(|called, request| {
        let breaks = called == TRANSACT && request.to_string().contains("#M#");
        breaks.then_some(Fault::Refuse(500, "InternalServerError"))
    });
    customer.delete(&ada).await;
    customer.world.between.clear();
    let since = customer.moment();
    // The next write ends Ada's memberships, and she is brought back in no group.
    customer.set(&bob, "title", json!("Dr")).await;
    customer.create(json!({ "userName": "ada" })).await;
    let plan = customer.undo_plan(since, None, None).await;
    assert!(plan.is_empty(), "{plan:#?}");
    assert!(!customer.ids_in(&staff).await.contains(&id(&ada).to_owned()));
}

#[tokio::test]
async fn a_late_request_does_not_end_the_members_of_a_group_that_exists_again() {
    // The members of the larger group leave by more than one transaction.
    for more in [0, 60] {
        let (customer, users, staff) = scene(&[]).await;
        let everybody =
            [&ids(&[&users[0], &users[1], &users[2]])[..], &people(&customer, more).await];
        let everybody: BTreeSet<String> = everybody.concat().into_iter().collect();
        let mut body = json!({ "displayName": "Staff", "externalId": "Staff" });
        body["members"] = values(&everybody.iter().cloned().collect::<Vec<_>>());
        assert_eq!(customer.send("PUT", &group_path(&staff), body).await.status, 200);
        let since = customer.moment();
        let world = customer.world.clone();
        // The first transaction that ends memberships is on its way until the undo is done.
        let (gate, first) = (world.between.clone(), world.between.count(TRANSACT) + 2);
        world.between.set(move |called, _| {
            let late = called == TRANSACT && gate.count(TRANSACT) == first;
            late.then_some(Fault::Slow(1_500))
        });
        let (sender, path) = (customer.clone(), group_path(&staff));
        let late = tokio::spawn(async move { sender.send("DELETE", &path, None).await.status });
        while world.between.count(TRANSACT) < first {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        world.between.clear();
        world.clock.advance(61);
        customer.set(&users[0], "title", json!("Dr")).await;
        world.clock.advance(61);
        customer.undone(since).await;
        assert!(!late.is_finished(), "the request is late");
        assert_eq!(late.await.unwrap(), 204);
        let members: BTreeSet<String> = customer.ids_in(&staff).await.into_iter().collect();
        assert_eq!(members, everybody);
    }
}

/// The ids of some more users.
async fn people(customer: &Customer, number: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..number {
        let user = customer.create(json!({ "userName": format!("person{number}") })).await;
        ids.push(id(&user).to_owned());
    }
    ids
}

#[tokio::test]
async fn the_product_hears_of_an_undo_with_its_cause() {
    let (customer, [ada, bob, _, _], staff) = scene(&[]).await;
    let crew = customer.staff("Crew", &[&bob]).await;
    let stream = StreamReader::on(&customer.world.local.engine);
    let since = customer.moment();
    customer.delete(&ada).await;
    customer.activate(&bob, false).await;
    customer.send("DELETE", &group_path(&crew), None).await;
    customer.change_members(&staff, "remove", &bob).await;
    stream.events(&customer.world).await;
    customer.undone(since).await;
    let mut heard: Vec<(String, String)> = Vec::new();
    for event in stream.events(&customer.world).await {
        assert_eq!(event["actor"]["kind"], "operator", "{event}");
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        heard.push((text("type"), text("cause")));
    }
    heard.sort();
    let expected = [
        "group.created",
        "group.member_added",
        "group.member_added",
        "group.member_added",
        "user.reactivated",
        "user.restored",
    ];
    let expected: Vec<_> =
        expected.iter().map(|name| ((*name).to_owned(), "undo".to_owned())).collect();
    assert_eq!(heard, expected);
}
