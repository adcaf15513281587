//! The promises about seats and the brake.

use std::time::Duration;

use scim_lambda::store::{Collection, Expect, Guards, Operation, Takeover};
use serde_json::json;

use super::table::{Table, committed, new_tenant, refused};

/// The tenant has one seat, which an inactive user does not take.
pub async fn seats_are_taken_in_the_transaction(table: &Table) {
    let tenant = new_tenant(table.now());
    assert!(table.store.create_tenant(&tenant, Some(1), None).await.unwrap());
    let users = Collection { tenant: tenant.key(), ..table.users() };
    let audit = table.audit(Operation::Create);
    let guards = Guards { seats: true, ..Guards::default() };
    let create = |name: &'static str, active: bool| {
        let body = json!({ "userName": name, "active": active });
        table.try_create(&users, body, Takeover::default(), &[], (&audit, guards))
    };
    let (owner, outcome) = create("a@x.org", true).await;
    committed(outcome);
    assert!(refused(create("b@x.org", true).await.1).no_seat);
    committed(create("c@x.org", false).await.1);
    let used = async || table.store.seats(&tenant.key()).await.unwrap().unwrap().used;
    assert_eq!((used().await, table.store.active(&users).await.unwrap()), (1, 1));
    let stored = table.find(&users, &owner).await.unwrap();
    let inactive = json!({ "userName": "z@x.org", "active": false });
    committed(table.change(&users, &stored, inactive, &[], Expect::Row, (&audit, guards)).await);
    assert_eq!(used().await, 0);
    committed(create("d@x.org", true).await.1);
}

/// A window of the brake allows as many deactivations as it was opened for.
pub async fn deactivations_stop_at_the_brake(table: &Table) {
    let (a, b) = (table.user("a@x.org").await, table.user("b@x.org").await);
    let (tenant, users) = (table.tenant.key(), table.users());
    let audit = table.audit(Operation::Patch);
    let window = Duration::from_secs(3_600);
    let guards = Guards { brake_window: Some(window), ..Guards::default() };
    let deactivate = async |id| {
        let stored = table.stored_user(id).await;
        let body = json!({ "userName": id.as_str(), "active": false });
        table.change(&users, &stored, body, &[], Expect::Row, (&audit, guards)).await
    };
    assert!(refused(deactivate(&a).await).brake_on, "a window must be opened first");
    table.store.open_brake(&tenant, None, table.now(), 1).await.unwrap();
    committed(deactivate(&a).await);
    assert!(refused(deactivate(&b).await).brake_on);
    let brake = table.store.brake(&tenant).await.unwrap().unwrap();
    assert_eq!((brake.counted, brake.most, brake.tripped), (1, 1, None));
    let brake_audit = table.audit(Operation::Brake);
    table.store.trip_brake(&tenant, brake, &b, &brake_audit).await.unwrap();
    assert!(table.store.brake(&tenant).await.unwrap().unwrap().tripped.is_some());
    let lift = table.audit(Operation::Lift);
    assert!(table.store.lift_brake(&tenant, &lift).await.unwrap());
    assert!(!table.store.lift_brake(&tenant, &lift).await.unwrap(), "it is lifted once");
}
