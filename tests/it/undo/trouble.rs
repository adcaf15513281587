//! What an undo does if something is in its way, and whom it looks for.

use aws_sdk_dynamodb::types::AttributeValue;
use scim_lambda::operator::OperatorError;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::operator::undo::{UndoPlan, UndoRequest, UserFate};
use serde_json::{Value, json};

use super::cases::scene;
use crate::support::DAY;
use crate::support::customer::Customer;
use crate::support::handles::{id, set, user_path};

impl Customer {
    /// Gives the row of a user a format that a newer release may have.
    async fn make_newer(&self, user: &Value) {
        self.make_row_newer(&format!("{}#U", self.row.code()), id(user)).await;
    }

    pub async fn make_row_newer(&self, p: &str, s: &str) {
        let client = aws_sdk_dynamodb::Client::new(&self.world.local.sdk_config());
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let call = client.update_item().table_name(scim_local::TABLE);
        let call = call.key("p", text(p)).key("s", text(s)).update_expression("SET f = :newer");
        let newer = AttributeValue::N("2".to_owned());
        call.expression_attribute_values(":newer", newer).send().await.unwrap();
    }

    async fn undo_by(&self, since: i64, by: &str) -> Result<UndoPlan, OperatorError> {
        let request = UndoRequest { since, until: None, by: Some(by.to_owned()) };
        self.world.operator().plan_undo(&self.row, &request).await
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_stops_only_its_user() {
    let (customer, [ada, bob, eve, _], _) = scene(&[]).await;
    let since = customer.moment();
    for user in [&ada, &bob, &eve] {
        customer.delete(user).await;
    }
    customer.make_newer(&ada).await;
    let plan = customer.undo_plan(since, None, None).await;
    let fates = plan.users.iter().map(|user| (user.id.as_str(), &user.fate));
    let unreadable: Vec<_> =
        fates.filter(|(_, fate)| matches!(fate, UserFate::Unreadable(_))).collect();
    assert_eq!(unreadable.len(), 1, "{plan:#?}");
    assert_eq!((unreadable[0].0, plan.users_to_change()), (id(&ada), 2));
    // Another one turns up between the plan and the undo.
    customer.make_newer(&eve).await;
    let report = customer.done(&plan).await;
    assert_eq!((report.restored, report.failures.len()), (1, 1), "{report:?}");
    assert_eq!(report.failures[0].subject.id.as_str(), id(&eve));
    assert_eq!(customer.get(&bob).await.status, 200);
}

#[tokio::test]
async fn a_group_that_cannot_be_read_does_not_hold_up_the_others() {
    let (customer, [ada, ..], staff) = scene(&[]).await;
    let crew = customer.staff("Crew", &[&ada]).await;
    let since = customer.moment();
    for group in [&staff, &crew] {
        customer.change_members(group, "remove", &ada).await;
    }
    let key = format!("{}#G", customer.row.code());
    customer.make_row_newer(&key, id(&staff)).await;
    let report = customer.undone(since).await;
    assert!(report.added > 0, "{report:?}");
    assert_eq!(customer.ids_in(&crew).await, [id(&ada)]);
}

#[tokio::test]
async fn an_undo_that_stops_says_what_it_has_done() {
    let (customer, [ada, bob, eve, _], _) = scene(&[]).await;
    let since = customer.moment();
    for user in [&ada, &bob, &eve] {
        customer.delete(user).await;
    }
    let plan = customer.undo_plan(since, None, None).await;
    // The return of a user, the membership, and the end of what was kept of it.
    customer.break_after(3);
    let stopped = customer.world.operator().undo(&customer.row, &plan, || {}).await.unwrap_err();
    customer.world.between.clear();
    assert_eq!((stopped.report.restored, stopped.report.is_complete()), (1, true));
    assert_eq!(customer.undone(since).await.restored, 2);
}

#[tokio::test]
async fn a_user_who_comes_back_without_a_unique_value_is_named() {
    let (customer, [ada, _, _, _], _) = scene(&[("attributes.unique_external_id", "true")]).await;
    customer.set(&ada, "externalId", json!("1")).await;
    let since = customer.moment();
    customer.delete(&ada).await;
    let other = customer.create(json!({ "userName": "other" })).await;
    let take = set("externalId", "1");
    assert_eq!(customer.send("PATCH", &user_path(&other), take).await.status, 200);
    let report = customer.undone(since).await;
    assert_eq!(report.restored, 1);
    let (user, attributes) = &report.left_out[0];
    assert_eq!((user.id.as_str(), attributes), (id(&ada), &vec!["externalId".to_owned()]));
    assert!(report.is_complete(), "the user is back");
}

#[tokio::test]
async fn the_actor_of_an_undo_must_be_known() {
    let (customer, [ada, ..], _) = scene(&[]).await;
    // The table does not list the token of the scene.
    let own = customer.token.key_id().as_str().to_owned();
    let later = customer.moment();
    assert!(customer.undo_by(later, &own).await.unwrap().is_empty());
    let since = customer.moment();
    customer.delete(&ada).await;
    let refused = customer.undo_by(since, "nobody").await;
    assert!(matches!(refused, Err(OperatorError::UnknownActor(by)) if by == "nobody"));
    assert_eq!(customer.undo_by(since, &own).await.unwrap().users_to_change(), 1);
    assert!(customer.undo_by(since, "operator").await.unwrap().is_empty());
    // A token that has done nothing, by its label and by its key id.
    let operator = customer.world.operator();
    let token = operator.issue_token(&customer.row, Lifetime::Unlimited, Some("spare")).await;
    let key = token.unwrap().token.key_id().as_str().to_owned();
    let plan = customer.undo_by(since, "spare").await.unwrap();
    assert_eq!(plan.actors.iter().flatten().collect::<Vec<_>>(), [&key]);
    assert!(plan.is_empty() && customer.undo_by(since, &key).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_span_ends_with_the_newest_row_and_may_begin_before_the_log() {
    let (customer, [ada, bob, _, _], _) = scene(&[]).await;
    let since = customer.moment();
    customer.delete(&ada).await;
    // The clock of the operator is slow.
    customer.world.clock.advance(-30);
    let plan = customer.undo_plan(since, None, None).await;
    assert_eq!((plan.users_to_change(), plan.log_begins), (1, None));
    let until = plan.request.until.unwrap();
    assert_eq!((until % 1_000, until > since + 30), (0, true));
    customer.world.clock.advance(60);
    customer.delete(&bob).await;
    let again = customer.undo_plan(since, Some(until), None).await;
    assert_eq!(again.users_to_change(), 1, "what is later is not of the span");

    let days = 400 * DAY;
    let old = customer.undo_plan(since - days * 1_000, None, None).await;
    let begins = old.log_begins.unwrap();
    assert!(begins > since - days * 1_000 && begins < since, "{begins}");
}
