//! What was there before the span, and what is still going on when an undo begins.

use aws_sdk_dynamodb::types::AttributeValue;
use scim_lambda::directory::RestoreOptions;
use scim_lambda::operator::undo::{GroupFate, UserFate};
use serde_json::{Value, json};

use super::cases::scene;
use crate::support::connectors::Fault;
use crate::support::customer::Customer;
use crate::support::handles::{group_path, id, user_path, values};

impl Customer {
    /// Deletes a resource, whose memberships do not end with it, but later.
    async fn delete_without_memberships(&self, path: &str) {
        self.world.between.set(|called, request| {
            let actions = request["TransactItems"].as_array().cloned().unwrap_or_default();
            let ends = |action: &Value| {
                let partition = action["Delete"]["Key"]["p"]["S"].as_str();
                partition.is_some_and(|partition| partition.contains("#M#"))
            };
            let breaks = called == "TransactWriteItems" && actions.iter().any(ends);
            breaks.then_some(Fault::Refuse(500, "InternalServerError"))
        });
        assert_eq!(self.send("DELETE", path, None).await.status, 204);
        self.world.between.clear();
    }

    fn client(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.world.local.sdk_config())
    }
}

#[tokio::test]
async fn a_group_whose_deletion_ends_after_the_plan_has_all_its_members_again() {
    let (customer, [ada, bob, eve, _], staff) = scene(&[]).await;
    let since = customer.moment();
    customer.delete_without_memberships(&group_path(&staff)).await;
    customer.world.clock.advance(61);
    let plan = customer.undo_plan(since, None, None).await;
    assert_eq!(plan.groups[0].add, [], "the log does not name them yet");
    // The next writes end the memberships.
    for _ in 0..2 {
        customer.set(&ada, "title", json!("Dr")).await;
        customer.world.clock.advance(61);
    }
    let report = customer.done(&plan).await;
    assert_eq!((report.created, report.added, report.failures.len()), (1, 3, 0), "{report:?}");
    let mut all = [&ada, &bob, &eve].map(|user| id(user).to_owned());
    all.sort();
    assert_eq!(customer.ids_in(&staff).await, all);
}

#[tokio::test]
async fn who_does_not_come_back_fails_once() {
    let (customer, [ada, ..], staff) = scene(&[("seats.limit", "3")]).await;
    let since = customer.moment();
    customer.change_members(&staff, "remove", &ada).await;
    customer.delete(&ada).await;
    for name in ["x", "y"] {
        customer.create(json!({ "userName": name })).await;
    }
    let plan = customer.undo_plan(since, None, None).await;
    assert_eq!(plan.groups[0].add.len(), 1, "{plan:#?}");
    let report = customer.done(&plan).await;
    assert_eq!((report.restored, report.added, report.failures.len()), (0, 0, 1), "{report:?}");
}

#[tokio::test]
async fn groups_of_an_earlier_restore_that_was_interrupted_are_not_those_of_the_span() {
    let (customer, [ada, ..], staff) = scene(&[]).await;
    customer.delete(&ada).await;
    customer.break_after(1);
    let (operator, user) = (customer.world.operator(), id(&ada).parse().unwrap());
    let restored = operator.restore_user(&customer.row, &user, RestoreOptions::default()).await;
    assert!(restored.is_err());
    customer.world.between.clear();
    assert!(!customer.ids_in(&staff).await.contains(&id(&ada).to_owned()));
    let since = customer.moment();
    customer.delete(&ada).await;
    let report = customer.undone(since).await;
    assert_eq!(report.restored, 1);
    assert!(!customer.ids_in(&staff).await.contains(&id(&ada).to_owned()), "as before the span");
}

#[tokio::test]
async fn a_post_that_stops_a_clock_makes_nobody_new() {
    let (customer, [ada, bob, ..], staff) =
        scene(&[("deprovision.on_inactive", "suspend_with_expiry")]).await;
    customer.activate(&ada, false).await;
    let crew = customer.staff("Crew", &[&bob]).await;
    let since = customer.moment();
    let back = customer.create(json!({ "userName": "ada", "active": true })).await;
    assert_eq!(id(&back), id(&ada));
    customer.change_members(&crew, "add", &ada).await;
    customer.undone(since).await;
    assert_eq!(customer.ids_in(&crew).await, [id(&bob)], "she was there before");
    assert!(customer.ids_in(&staff).await.contains(&id(&ada).to_owned()));
}

#[tokio::test]
async fn the_first_change_is_that_of_the_lowest_version() {
    let (customer, [ada, ..], _) = scene(&[]).await;
    let since = customer.moment();
    customer.world.clock.advance(20);
    customer.activate(&ada, false).await;
    // The clock of the next one is slow.
    customer.world.clock.advance(-10);
    customer.delete(&ada).await;
    customer.world.clock.advance(20);
    customer.undone(since).await;
    assert_eq!(customer.get(&ada).await.body["active"], true);
}

#[tokio::test]
async fn who_was_brought_back_in_the_span_and_deleted_again_is_listed() {
    let (customer, [ada, _, _, tom], _) = scene(&[]).await;
    let since = customer.moment();
    customer.create(json!({ "userName": "tom" })).await;
    customer.delete(&tom).await;
    customer.delete(&ada).await;
    let plan = customer.undo_plan(since, None, None).await;
    let fate = |user: &Value| {
        let of = plan.users.iter().find(|planned| planned.id.as_str() == id(user));
        of.map(|planned| planned.fate.clone()).unwrap()
    };
    let UserFate::StaysOut(before) = fate(&tom) else { panic!("{plan:#?}") };
    assert!(before.is_deleted);
    assert_eq!(before.change.actor, customer.token.key_id().as_str());
    assert_eq!((plan.held().users, plan.held().groups), (1, 0));
    assert!(matches!(fate(&ada), UserFate::Restore(_)));
}

#[tokio::test]
async fn one_of_two_groups_of_one_name_comes_back_and_the_other_is_listed() {
    let (customer, [ada, ..], staff) = scene(&[]).await;
    let since = customer.moment();
    customer.send("DELETE", &group_path(&staff), None).await;
    let second = customer.staff("Staff", &[&ada]).await;
    customer.send("DELETE", &group_path(&second), None).await;
    let plan = customer.undo_plan(since, None, None).await;
    let fate = |group: &Value| {
        let of = plan.groups.iter().find(|planned| planned.id.as_str() == id(group));
        of.map(|planned| (planned.fate.clone(), planned.came_in_span)).unwrap()
    };
    assert!(matches!(fate(&staff), (GroupFate::Create(..), false)), "{plan:#?}");
    assert_eq!(fate(&second), (GroupFate::NameTaken, false));
    let report = customer.undone(since).await;
    assert_eq!((report.created, report.failures.len()), (1, 0), "{report:?}");
}

#[tokio::test]
async fn what_a_bulk_request_gave_up_does_not_come_back() {
    let customer = Customer::with("default", &[]).await;
    customer.staff("taken", &[]).await;
    let since = customer.moment();
    // Two groups wait for each other, and one of them cannot be created.
    for names in [["first", "taken"], ["taken", "second"]] {
        let post = |this: usize| {
            let member = json!({ "value": format!("bulkId:{}", 1 - this) });
            let data = json!({ "displayName": names[this], "members": [member] });
            json!({
                "method": "POST", "path": "/Groups", "bulkId": this.to_string(), "data": data,
            })
        };
        let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        let bulk = json!({ "schemas": [schema], "Operations": [post(0), post(1)] });
        assert_eq!(customer.send("POST", "/Bulk", bulk).await.status, 200);
    }
    let rows = customer.log_rows().await;
    let deleted = rows.iter().any(|row| row.operation == "delete" && row.version.is_some());
    assert!(deleted, "{rows:#?}");
    let plan = customer.undo_plan(since, None, None).await;
    assert!(!plan.changes(), "{plan:#?}");
}

#[tokio::test]
async fn a_log_that_begins_in_the_span_is_pointed_out() {
    let (customer, [ada, ..], _) = scene(&[]).await;
    let since = customer.moment();
    customer.delete(&ada).await;
    assert_eq!(customer.undo_plan(since, None, None).await.log_begins, None);
    for row in customer.log_rows().await.iter().filter(|row| row.milliseconds < since) {
        let key = format!("{}#L", customer.row.code());
        let delete = customer.client().delete_item().table_name(scim_local::TABLE);
        let delete = delete.key("p", AttributeValue::S(key));
        delete.key("s", AttributeValue::S(row.id.clone())).send().await.unwrap();
    }
    let first = customer.log_rows().await[0].milliseconds;
    assert!(first >= since, "the rows are gone");
    assert_eq!(customer.undo_plan(since, None, None).await.log_begins, Some(first));
}

#[tokio::test]
async fn a_membership_that_cannot_be_read_stops_only_its_group() {
    let (customer, [ada, bob, ..], staff) = scene(&[]).await;
    let crew = customer.staff("Crew", &[&ada]).await;
    let since = customer.moment();
    let body = json!({ "displayName": "Staff", "members": values(&[id(&bob).to_owned()]) });
    customer.send("PUT", &group_path(&staff), body).await;
    customer.change_members(&staff, "remove", &bob).await;
    customer.change_members(&staff, "add", &bob).await;
    customer.change_members(&crew, "remove", &ada).await;
    let partition = format!("{}#M#{}", customer.row.code(), id(&staff));
    customer.make_row_newer(&partition, id(&bob)).await;
    let plan = customer.undo_plan(since, None, None).await;
    let of = plan.groups.iter().find(|group| group.id.as_str() == id(&staff)).unwrap();
    assert!(matches!(of.fate, GroupFate::Unreadable(_)), "{plan:#?}");
    let report = customer.done(&plan).await;
    assert_eq!((report.added, report.failures.len()), (1, 0), "{report:?}");
    assert_eq!(customer.ids_in(&crew).await, [id(&ada)]);
    assert_eq!(customer.send("GET", &user_path(&ada), None).await.status, 200);
}
