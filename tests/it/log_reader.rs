//! How the operator reads the log: whom, what, by whom, and what is added.

use std::sync::Arc;

use scim_lambda::operator::OperatorError;
use scim_lambda::operator::log::{LogEntry, LogQuery};
use scim_lambda::operator::provisioning::Provisioning;
use scim_lambda::operator::tokens::Lifetime;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::customer::Customer;
use crate::support::handles::{id, values};

impl Customer {
    async fn read(&self, query: LogQuery) -> Vec<LogEntry> {
        let operator = self.world.operator();
        operator.log(&self.row, query).await.unwrap().rest().await.unwrap()
    }

    async fn found(&self, who: &str) -> Option<String> {
        let found = self.world.operator().find_user(&self.row, who).await.unwrap();
        found.map(|user| user.resource.id.as_str().to_owned())
    }
}

fn operations(entries: &[LogEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.row.operation.as_str()).collect()
}

/// Two users in a group; one of them is deleted.
async fn scene() -> (Customer, Value, Value) {
    let customer = Customer::of(&Arc::new(World::new().await), "default", &[]).await;
    let ada = customer.create(json!({ "userName": "ada@example.com" })).await;
    let bob = json!({ "userName": "bob", "externalId": "b1", "emails": [{ "value": "Bob@Home.example" }] });
    let bob = customer.create(bob).await;
    let ids = [&ada, &bob].map(|user| id(user).to_owned());
    let group = json!({ "displayName": "Staff", "members": values(&ids) });
    customer.send("POST", "/Groups", group).await;
    customer.delete(&bob).await;
    (customer, ada, bob)
}

#[tokio::test]
async fn the_log_is_read_by_whom_it_concerns_what_was_done_and_by_whom() {
    let (customer, ada, bob) = scene().await;
    let all = customer.read(LogQuery::default()).await;
    assert_eq!(operations(&all), ["create", "create", "create", "delete", "delete"]);
    let names: Vec<_> = all.iter().map(|entry| entry.name.as_deref()).collect();
    let (ada_name, bob_name) = (Some("ada@example.com"), Some("bob"));
    assert_eq!(names, [ada_name, bob_name, Some("Staff"), bob_name, bob_name]);

    let who =
        |user: &Value| LogQuery { who: Some(id(user).parse().unwrap()), ..LogQuery::default() };
    assert_eq!(customer.read(who(&ada)).await.len(), 2, "its creation, and the group's");
    assert_eq!(customer.read(who(&bob)).await.len(), 4);
    let deleted = LogQuery { operation: Some("delete".into()), ..LogQuery::default() };
    assert_eq!(customer.read(deleted).await.len(), 2);
    let newest = LogQuery { newest_first: true, limit: Some(3), ..LogQuery::default() };
    assert_eq!(operations(&customer.read(newest).await), ["delete", "delete", "create"]);

    let operator = customer.world.operator();
    let key = all[0].row.actor.clone();
    let token =
        operator.issue_token(&customer.row, Lifetime::Profile, Some("entra")).await.unwrap();
    let other = Customer { token: token.token, ..customer.clone() };
    other.create(json!({ "userName": "eve" })).await;
    for (by, number) in [("entra", 1), (key.as_str(), 5), ("operator", 1), ("nobody", 0)] {
        let query = LogQuery { by: Some(by.to_owned()), ..LogQuery::default() };
        assert_eq!(customer.read(query).await.len(), number, "{by}");
    }
    let last = customer.read(LogQuery::default()).await.pop().unwrap();
    assert_eq!(last.label.as_deref(), Some("entra"));
}

#[tokio::test]
async fn a_log_of_several_pages_is_read_as_a_whole_and_a_span_of_it_alone() {
    let customer = Customer::of(&Arc::new(World::new().await), "default", &[]).await;
    let ada = customer.create(json!({ "userName": "ada" })).await;
    let begun = customer.world.clock.milliseconds();
    for n in 0..250 {
        customer.world.clock.advance(1);
        customer.set(&ada, "title", json!(format!("{n}"))).await;
    }
    assert_eq!(customer.read(LogQuery::default()).await.len(), 251);
    let rare =
        LogQuery { operation: Some("create".into()), newest_first: true, ..LogQuery::default() };
    assert_eq!(customer.read(rare).await.len(), 1);
    let (since, until) = (Some(begun + 10_000), Some(begun + 20_000));
    let span = LogQuery { since, until, ..LogQuery::default() };
    assert_eq!(customer.read(span).await.len(), 10);
}

#[tokio::test]
async fn a_log_that_is_followed_shows_each_row_once_even_if_it_is_late() {
    let (customer, ada, _) = scene().await;
    let operator = customer.world.operator();
    let newest = LogQuery { newest_first: true, limit: Some(2), ..LogQuery::default() };
    let shown = customer.read(newest).await;
    let mut tail = operator.follow_log(&customer.row, LogQuery::default(), &shown).await.unwrap();
    // The rows of the same millisecond that were not among the newest are not shown later.
    assert!(tail.next_rows().await.unwrap().is_empty());
    customer.world.clock.advance(50);
    customer.set(&ada, "title", json!("Dr")).await;
    assert_eq!(operations(&tail.next_rows().await.unwrap()), ["patch"]);
    // A request that decided some seconds ago is committed only now.
    customer.world.clock.advance(-40);
    customer.set(&ada, "title", json!("Prof")).await;
    customer.world.clock.advance(41);
    assert_eq!(operations(&tail.next_rows().await.unwrap()), ["patch"]);
    // The clock of the machine that follows is an hour ahead of the service's.
    customer.world.clock.advance(3_600);
    assert!(tail.next_rows().await.unwrap().is_empty());
    customer.world.clock.advance(-3_600);
    customer.delete(&ada).await;
    assert_eq!(operations(&tail.next_rows().await.unwrap()), ["delete", "delete"]);
}

#[tokio::test]
async fn a_user_is_found_by_id_user_name_external_id_or_address() {
    let (customer, ada, bob) = scene().await;
    let (ada, bob) = (Some(id(&ada).to_owned()), Some(id(&bob).to_owned()));
    assert_eq!(customer.found(&ada.clone().unwrap()).await, ada);
    assert_eq!(customer.found("ADA@example.com").await, ada);
    for deleted in ["bob", "b1", "bob@home.example"] {
        assert_eq!(customer.found(deleted).await, bob, "{deleted}");
    }
    assert_eq!(customer.found("nobody").await, None);
    // A visible user comes before a deleted one.
    let other = customer.create(json!({ "userName": "rob", "externalId": "b1" })).await;
    assert_eq!(customer.found("b1").await, Some(id(&other).to_owned()));
    customer.create(json!({ "userName": "rab", "externalId": "b1" })).await;
    let operator = customer.world.operator();
    let several = operator.find_user(&customer.row, "b1").await.unwrap_err();
    assert!(matches!(several, OperatorError::Ambiguous { ids, .. } if ids.len() == 2));
    let gone = operator.find_id(&customer.row, "of.a-user-who-is-gone").await.unwrap();
    assert_eq!(gone.as_str(), "of.a-user-who-is-gone");
    let said = operator.find_id(&customer.row, "some user").await.unwrap_err().to_string();
    assert_eq!(said, "the tenant has no user some user");
}

#[tokio::test]
async fn a_row_says_who_was_provisioned_and_removed() {
    let settings =
        [("deprovision.on_inactive", "suspend_with_expiry"), ("create.existing", "link")];
    let customer = Customer::with("default", &settings).await;
    let ada = customer.create(json!({ "userName": "ada", "externalId": "1" })).await;
    let group = json!({ "displayName": "Staff", "members": [{ "value": ada["id"] }] });
    customer.send("POST", "/Groups", group).await;
    customer.set(&ada, "title", json!("Dr")).await;
    customer.activate(&ada, false).await;
    customer.activate(&ada, true).await;
    customer.delete(&ada).await;
    customer.create(json!({ "userName": "ada", "externalId": "1" })).await;
    customer.import(&[json!({ "userName": "bob", "externalId": "2" })]).await;
    customer.create(json!({ "userName": "bob", "externalId": "2" })).await;
    customer.activate(&ada, false).await;
    customer.world.clock.advance(91 * crate::support::DAY);
    customer.send("GET", "/Users?count=0", None).await;
    let entries = customer.read(LogQuery::default()).await;
    let words = entries.iter().filter_map(|entry| Provisioning::of(&entry.row));
    let words: Vec<_> = words.map(Provisioning::word).collect();
    let expected = [
        "created",
        "deactivated",
        "activated",
        "deleted",
        "restored",
        "linked",
        "deactivated",
        "expired",
    ];
    assert_eq!(words, expected);
}
