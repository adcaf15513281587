//! The brake: too many deactivations in a short time are stopped until the operator allows them
//! again.

use std::sync::Arc;
use std::time::Duration;

use scim_lambda::operator::profiles::ProfileChange;
use scim_lambda::operator::tenants::NewTenant;
use scim_lambda::store::{Audit, Bounds, Operation};
use scim_lambda::tenant::Profile;
use scim_lambda::tenant::profile::{BrakeAnswer, BrakeMaximum};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::connectors::Between;
use crate::support::customer::{Customer, profile};

async fn people(customer: &Customer, count: usize) -> Vec<Value> {
    let mut users = Vec::new();
    for n in 0..count {
        users.push(customer.create(json!({ "userName": format!("u{n}") })).await);
    }
    users
}

async fn lift(customer: &Customer) -> bool {
    let audit = Audit::new(
        Operation::Lift,
        "operator",
        "test",
        customer.world.clock.milliseconds(),
        Duration::from_secs(1_000),
    );
    customer.world.store.lift_brake(&customer.row.key(), &audit).await.unwrap()
}

#[tokio::test]
async fn deactivations_beyond_the_limit_are_refused_until_the_operator_lifts_the_brake() {
    for (answer, status) in [("too_many_requests", 429), ("forbidden", 403)] {
        let customer =
            Customer::with("default", &[("brake.deactivations", "3"), ("brake.answer", answer)])
                .await;
        let users = people(&customer, 8).await;
        assert_eq!(customer.activate(&users[0], false).await.status, 200);
        assert_eq!(customer.delete(&users[1]).await.status, 204);
        let put = json!({ "userName": "u2", "active": false });
        assert_eq!(customer.put(&users[2], put).await.status, 200);
        for stopped in [customer.activate(&users[3], false).await, customer.delete(&users[4]).await]
        {
            stopped.is_error(status, None);
            assert!(
                stopped.body["detail"].as_str().unwrap().contains("scimctl brake lift "),
                "{}",
                stopped.body
            );
            let retry = stopped.header("retry-after");
            assert_eq!(retry.parse::<u32>().is_ok(), status == 429, "{retry}");
        }
        assert_eq!(customer.get(&users[3]).await.body["active"], true, "nothing is half done");
        // Everything else continues, and time alone does not lift the brake.
        assert_eq!(customer.set(&users[3], "title", json!("Dr")).await.status, 200);
        assert_eq!(customer.activate(&users[0], true).await.status, 200);
        assert_eq!(customer.set(&users[2], "title", json!("Dr")).await.status, 200);
        customer.world.clock.advance(24 * 60 * 60);
        customer.delete(&users[4]).await.is_error(status, None);
        assert_eq!(
            customer.log().await.iter().filter(|operation| *operation == "brake").count(),
            1,
            "told once"
        );

        assert!(lift(&customer).await);
        assert!(!lift(&customer).await, "it is not on any more");
        assert_eq!(customer.log().await.last().unwrap(), "lift");
        assert_eq!(customer.delete(&users[4]).await.status, 204);
    }
}

#[tokio::test]
async fn a_share_counts_the_users_active_when_the_window_begins() {
    let customer =
        Customer::with("default", &[("brake.share", "25"), ("brake.window_minutes", "60")]).await;
    let users = people(&customer, 8).await;
    for user in &users[..2] {
        assert_eq!(customer.activate(user, false).await.status, 200);
    }
    customer.world.clock.advance(59 * 60);
    customer.activate(&users[2], false).await.is_error(429, None);
    assert!(lift(&customer).await);
    // A quarter of the six users who are left, at least one.
    assert_eq!(customer.activate(&users[2], false).await.status, 200);
    customer.activate(&users[3], false).await.is_error(429, None);
}

#[tokio::test]
async fn the_larger_of_the_two_numbers_can_be_the_maximum() {
    for (users, passes) in [(4, 2), (20, 5)] {
        let settings = [
            ("brake.deactivations", "2"),
            ("brake.share", "25"),
            ("brake.maximum", "larger"),
            ("brake.answer", "forbidden"),
        ];
        let customer = Customer::with("default", &settings).await;
        let users = people(&customer, users).await;
        for user in &users[..passes] {
            assert_eq!(customer.delete(user).await.status, 204);
        }
        customer.delete(&users[passes]).await.is_error(403, None);
    }
}

#[tokio::test]
async fn a_new_tenant_has_a_brake_unless_its_profile_sets_one_or_none() {
    let world = World::new().await;
    let brake = async |name: &str, settings: &[(&str, &str)]| {
        let settings = settings.iter().map(|(path, value)| (path.to_string(), value.to_string()));
        let profile = ProfileChange { settings: settings.collect(), ..ProfileChange::default() };
        let new = NewTenant { name: name.into(), profile, ..NewTenant::default() };
        let created = world.operator().create_tenant(new).await.unwrap();
        Profile::read(&created.row.profile).unwrap().brake
    };
    let new = brake("new", &[]).await;
    assert_eq!((new.deactivations, new.share, new.window_minutes), (Some(20), Some(20), 60));
    assert_eq!((new.maximum, new.answer), (BrakeMaximum::Larger, BrakeAnswer::Forbidden));
    assert!(!brake("none", &[("brake.share", "null")]).await.is_set());
    let own = brake("own", &[("brake.deactivations", "7")]).await;
    assert_eq!((own.deactivations, own.share), (Some(7), None));
    assert_eq!((own.maximum, own.answer), (BrakeMaximum::Smaller, BrakeAnswer::TooManyRequests));
}

#[tokio::test]
async fn a_window_ends_and_the_next_one_begins() {
    let customer =
        Customer::with("default", &[("brake.deactivations", "2"), ("brake.window_minutes", "10")])
            .await;
    let users = people(&customer, 9).await;
    for pair in users[..8].chunks(2) {
        for user in pair {
            assert_eq!(customer.activate(user, false).await.status, 200);
        }
        customer.world.clock.advance(10 * 60);
    }
    assert_eq!(
        customer.activate(&users[0], false).await.status,
        200,
        "a user who is already inactive does not count"
    );
    assert_eq!(customer.delete(&users[0]).await.status, 204, "nor does the deletion of one");
    assert_eq!(customer.activate(&users[8], false).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_deactivations_pass_exactly_up_to_the_limit() {
    let world = Arc::new(World::with(Between::conflicts()).await);
    let customer = Customer::of(&world, "default", &[("brake.deactivations", "7")]).await;
    let users = people(&customer, 40).await;
    let tasks: Vec<_> = users
        .into_iter()
        .map(|user| {
            let customer = customer.clone();
            tokio::spawn(async move { customer.delete(&user).await.status.as_u16() })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    let passed = answers.iter().filter(|status| **status == 204).count();
    assert_eq!((passed, customer.total().await), (7, 33), "{answers:?}");
    assert!(answers.iter().all(|status| [204, 429].contains(status)), "{answers:?}");
    assert_eq!(customer.log().await.iter().filter(|operation| *operation == "brake").count(), 1);
}

#[tokio::test]
async fn a_counted_deactivation_adds_two_write_units_to_the_users_transaction() {
    let customer = Customer::with("default", &[("brake.deactivations", "7")]).await;
    let users = people(&customer, 2).await;
    customer.activate(&users[0], false).await;
    let counted = customer.activate(&users[1], false).await;
    assert_eq!((counted.tally.calls, counted.tally.write_units), (2, 8.0));
}

#[tokio::test]
async fn a_brake_that_is_set_again_starts_from_zero() {
    let braked = profile("default", &[("brake.deactivations", "1")]);
    let mut customer = Customer::with("default", &[("brake.deactivations", "1")]).await;
    let users = people(&customer, 5).await;
    assert_eq!(customer.delete(&users[0]).await.status, 204);
    // The brake is removed, but an instance that has not learned of it brakes once more.
    let none = profile("default", &[]);
    assert!(
        customer
            .world
            .store
            .set_profile(&customer.row, &none.write().unwrap(), Bounds::default(), None)
            .await
            .unwrap()
    );
    assert_eq!(customer.delete(&users[1]).await.status, 204);
    customer.delete(&users[2]).await.is_error(429, None);
    customer.world.clock.advance(61);
    assert_eq!(customer.delete(&users[2]).await.status, 204);
    customer.row = customer.world.store.tenant(customer.row.code()).await.unwrap().unwrap();
    customer.change(&braked).await;
    assert_eq!(customer.delete(&users[3]).await.status, 204, "the first one under the new brake");
    customer.delete(&users[4]).await.is_error(429, None);
}
