//! The operator restores deleted users exactly as they were.

use aws_sdk_dynamodb::types::AttributeValue;
use scim_lambda::directory::RestoreOptions;
use scim_lambda::operator::OperatorError;
use scim_lambda::operator::users::RestoredUser;
use serde_json::{Value, json};

use crate::support::DAY;
use crate::support::connectors::Fault;
use crate::support::customer::Customer;
use crate::support::handles::{group_path, id, member_ids, user_path, values};

const TRANSACT: &str = "TransactWriteItems";

impl Customer {
    async fn restored(
        &self,
        user: &Value,
        without_groups: bool,
    ) -> Result<RestoredUser, OperatorError> {
        let options = RestoreOptions { without_groups, ..RestoreOptions::default() };
        let operator = self.world.operator();
        operator.restore_user(&self.row, &id(user).parse().unwrap(), options).await
    }

    async fn group_of(&self, name: &str, users: &[&Value]) -> Value {
        let ids: Vec<String> = users.iter().map(|user| id(user).to_owned()).collect();
        let body = json!({ "displayName": name, "members": values(&ids) });
        self.send("POST", "/Groups", body).await.body
    }

    async fn members_of(&self, group: &Value) -> Vec<String> {
        member_ids(&self.send("GET", &group_path(group), None).await.body)
    }

    /// Lets this many transactions pass, and makes all after them fail.
    pub fn break_after(&self, transactions: usize) {
        let between = self.world.between.clone();
        let last = between.count(TRANSACT) + transactions;
        self.world.between.set(move |called, _| {
            let broken = called == TRANSACT && between.count(TRANSACT) > last;
            broken.then_some(Fault::Refuse(500, "InternalServerError"))
        });
    }

    /// Changes an attribute of a user's own row, as an earlier release may have.
    async fn alter(&self, user: &Value, update: &str, value: Option<AttributeValue>) {
        let client = aws_sdk_dynamodb::Client::new(&self.world.local.sdk_config());
        let text = |text: String| AttributeValue::S(text);
        let call = client.update_item().table_name(scim_local::TABLE).update_expression(update);
        let call = call.key("p", text(format!("{}#U", self.row.code())));
        let call = call.key("s", text(id(user).to_owned()));
        let call = match value {
            Some(value) => call.expression_attribute_values(":value", value),
            None => call,
        };
        call.send().await.unwrap();
    }
}

fn joined(user: &RestoredUser) -> Vec<&str> {
    user.groups.as_ref().unwrap().joined.iter().map(|id| id.as_str()).collect()
}

#[tokio::test]
async fn a_restored_user_is_in_the_groups_that_still_exist() {
    let customer = Customer::new("default").await;
    let ada = customer.create(json!({ "userName": "ada" })).await;
    let bob = customer.create(json!({ "userName": "bob" })).await;
    let (staff, crew) =
        (customer.group_of("Staff", &[&ada, &bob]).await, customer.group_of("Crew", &[&ada]).await);
    customer.delete(&ada).await;
    assert_eq!(customer.send("DELETE", &group_path(&crew), None).await.status, 204);
    let back = customer.restored(&ada, false).await.unwrap();
    assert_eq!((back.is_active, back.lacks_seat, back.expires), (true, false, None));
    assert_eq!(joined(&back), [id(&staff)]);
    let gone: Vec<_> = back.groups.unwrap().gone.into_iter().collect();
    assert_eq!(gone, [id(&crew).parse().unwrap()]);
    assert_eq!(customer.members_of(&staff).await.len(), 2);
    let last = customer.log_rows().await.pop().unwrap();
    assert_eq!((last.operation.as_str(), last.actor.as_str()), ("restore", "operator"));
    assert_eq!((last.subject_id.as_str(), last.added.unwrap().len()), (id(&staff), 1));
    assert_eq!(customer.world.rows_of("#P").await, 0, "nothing is kept of what is done");
    assert!(customer.restored(&ada, false).await.is_err(), "the user is not deleted");
}

#[tokio::test]
async fn a_restored_user_has_the_standing_of_before() {
    let expiring = [("deprovision.on_inactive", "suspend_with_expiry")];
    for (policy, expires) in [(&[][..], false), (&expiring[..], true)] {
        let customer = Customer::with("default", policy).await;
        let ada = customer.create(json!({ "userName": "ada" })).await;
        customer.activate(&ada, false).await;
        let begun = customer.world.clock.seconds();
        customer.world.clock.advance(10 * DAY);
        customer.delete(&ada).await;
        let back = customer.restored(&ada, false).await.unwrap();
        let until = expires.then_some(begun + 90 * DAY);
        assert_eq!((back.is_active, back.lacks_seat, back.expires), (false, false, until));
        customer.delete(&ada).await;
        // The clock of before runs out while the user is deleted.
        customer.world.clock.advance(85 * DAY);
        let back = customer.restored(&ada, false).await.unwrap();
        let until = expires.then_some(customer.world.clock.seconds() + 90 * DAY);
        assert_eq!((back.is_active, back.expires), (false, until));
        assert_eq!(customer.get(&ada).await.body["active"], false);
    }
}

#[tokio::test]
async fn a_user_who_was_active_is_active_again_although_a_deletion_deactivates() {
    let customer = Customer::with("default", &[("deprovision.on_delete", "deactivate")]).await;
    let ada = customer.create(json!({ "userName": "ada" })).await;
    customer.delete(&ada).await;
    assert!(customer.restored(&ada, false).await.unwrap().is_active);
}

#[tokio::test]
async fn the_groups_of_a_user_whom_an_earlier_release_deleted_are_not_known() {
    let customer = Customer::new("default").await;
    let mut ada = Value::Null;
    for name in ["a", "b"] {
        let user = customer.create(json!({ "userName": name, "active": false })).await;
        customer.group_of(name, &[&user]).await;
        customer.delete(&user).await;
        let deletion = AttributeValue::N("7".to_owned());
        match name {
            "a" => customer.alter(&user, "REMOVE was", None).await,
            // The row tells of another deletion than the last one.
            _ => customer.alter(&user, "SET v = :value", Some(deletion)).await,
        }
        let back = customer.restored(&user, false).await.unwrap();
        assert!(back.groups.is_none() && !back.is_active, "as its attributes say");
        ada = user;
    }
    customer.get(&ada).await;
}

#[tokio::test]
async fn a_restore_that_was_interrupted_goes_on_with_the_groups() {
    let customer = Customer::new("default").await;
    let ada = customer.create(json!({ "userName": "ada" })).await;
    let mut groups = Vec::new();
    for n in 0..40 {
        groups.push(customer.group_of(&format!("g{n}"), &[&ada]).await);
    }
    customer.delete(&ada).await;
    assert_eq!(customer.world.rows_of("#P").await, 2, "32 groups in the first row");
    // The user, and some groups.
    for passing in [1, 3, 35] {
        customer.break_after(passing);
        assert!(customer.restored(&ada, false).await.is_err());
        customer.world.between.clear();
        assert_eq!(customer.get(&ada).await.status, 200);
        assert_eq!(customer.set(&ada, "title", json!(format!("{passing}"))).await.status, 200);
    }
    let back = customer.restored(&ada, false).await.unwrap();
    assert!(!joined(&back).is_empty());
    for group in &groups {
        assert_eq!(customer.members_of(group).await, [id(&ada)]);
    }
    assert_eq!(customer.world.rows_of("#P").await, 0);
}

#[tokio::test]
async fn a_deletion_after_an_interrupted_restore_keeps_the_groups_that_were_missing() {
    let customer = Customer::new("default").await;
    let ada = customer.create(json!({ "userName": "ada" })).await;
    let mut groups = Vec::new();
    for n in 0..4 {
        groups.push(customer.group_of(&format!("g{n}"), &[&ada]).await);
    }
    customer.delete(&ada).await;
    // Twice, the user comes back into one of its groups, and is deleted again.
    for _ in 0..2 {
        customer.break_after(2);
        assert!(customer.restored(&ada, false).await.is_err());
        customer.world.between.clear();
        assert_eq!(customer.delete(&ada).await.status, 204);
    }
    customer.restored(&ada, false).await.unwrap();
    for group in &groups {
        assert_eq!(customer.members_of(group).await, [id(&ada)]);
    }
    // A POST ends it.
    customer.delete(&ada).await;
    customer.break_after(2);
    assert!(customer.restored(&ada, false).await.is_err());
    customer.world.between.clear();
    customer.delete(&ada).await;
    customer.create(json!({ "userName": "ada" })).await;
    customer.delete(&ada).await;
    assert_eq!(joined(&customer.restored(&ada, false).await.unwrap()).len(), 0);
}

#[tokio::test]
async fn a_repeated_restore_tells_of_the_seat_and_of_another_name() {
    let settings = [("seats.limit", "1"), ("seats.when_full", "create_inactive")];
    let customer = Customer::with("default", &settings).await;
    let ada = customer.create(json!({ "userName": "ada" })).await;
    let group = customer.group_of("Staff", &[&ada]).await;
    customer.delete(&ada).await;
    customer.create(json!({ "userName": "bob" })).await;
    // Without a seat, and then inactive.
    customer.break_after(2);
    assert!(customer.restored(&ada, false).await.is_err());
    customer.world.between.clear();
    let renamed = RestoreOptions { user_name: Some("eve"), ..RestoreOptions::default() };
    let (operator, user) = (customer.world.operator(), id(&ada).parse().unwrap());
    let said = operator.restore_user(&customer.row, &user, renamed).await.unwrap_err();
    assert!(said.to_string().contains("as ada"), "{said}");
    let back = customer.restored(&ada, false).await.unwrap();
    assert_eq!((back.lacks_seat, joined(&back)), (true, vec![id(&group)]));
}

#[tokio::test]
async fn a_user_can_be_restored_without_groups_and_a_post_restores_none() {
    let customer = Customer::new("default").await;
    let ada = customer.create(json!({ "userName": "ada" })).await;
    let group = customer.group_of("Staff", &[&ada]).await;
    customer.delete(&ada).await;
    let back = customer.restored(&ada, true).await.unwrap();
    assert_eq!((joined(&back).len(), customer.members_of(&group).await.len()), (0, 0));
    assert!(customer.restored(&ada, false).await.is_err(), "nothing is left to do");
    let joins = crate::support::handles::members("add", values(&[id(&ada).to_owned()]));
    customer.send("PATCH", &group_path(&group), joins).await;
    customer.delete(&ada).await;
    assert_eq!(customer.create(json!({ "userName": "ada" })).await["id"], ada["id"]);
    assert_eq!(customer.members_of(&group).await.len(), 0);
    let said = customer.restored(&ada, false).await.unwrap_err().to_string();
    assert!(said.contains("No deleted user"), "{said}");
    // The memberships of the last deletion count, and no earlier ones.
    customer.delete(&ada).await;
    assert_eq!(joined(&customer.restored(&ada, false).await.unwrap()).len(), 0);
}

#[tokio::test]
async fn memberships_that_a_later_request_ends_are_kept_too() {
    for finishes in ["a write", "the restore"] {
        let customer = Customer::new("default").await;
        let ada = customer.create(json!({ "userName": "ada" })).await;
        let bob = customer.create(json!({ "userName": "bob" })).await;
        let group = customer.group_of("Staff", &[&ada, &bob]).await;
        customer.break_after(1);
        assert_eq!(customer.delete(&ada).await.status, 204);
        customer.world.between.clear();
        assert_eq!(customer.world.rows_of("#P").await, 0);
        if finishes == "a write" {
            customer.set(&bob, "title", json!("Dr")).await;
            assert_eq!(customer.world.rows_of("#P").await, 1);
        }
        let back = customer.restored(&ada, false).await.unwrap();
        assert_eq!(joined(&back), [id(&group)], "{finishes}");
        assert_eq!(customer.members_of(&group).await.len(), 2);
        let path = format!("{}?attributes=groups", user_path(&ada));
        let user = customer.send("GET", &path, None).await.body;
        assert_eq!(user["groups"][0]["display"], "Staff");
    }
}
